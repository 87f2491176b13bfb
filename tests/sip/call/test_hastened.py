"""Ring times that are divided."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sip.call.hastened import Hastened
from sip.call.ringing import GivenUp, Outcome, Stop, Why
from sip.call.tree.in_order import InOrder
from sip.call.tree.limited import Limited
from sip.call.tree.members import Member
from sip.call.tree.node import Tried
from tests.sip.call.ringing import Script, free, member, phone, play


def hunted(ring_s: float = 15, delay_s: float = 2) -> InOrder:
    tried = Tried(free)

    def one(aor: str) -> Member:
        return member(lambda: Limited(phone(tried, aor), ring_s), delay_s)

    return InOrder(tried, [one("anna"), one("bea"), one("celina")])


def test_all_that_happens_by_itself_happens_sooner():
    played = play(Hastened(hunted(), 10), now=1000.0)
    assert [aor for _, aor in played.times] == ["anna", "bea", "celina"]
    assert [at for at, _ in played.times] == pytest.approx([1000.2, 1001.9, 1003.6])
    assert played.ended_at == pytest.approx(1005.1)
    assert played.refused == GivenUp(Outcome.NO_ANSWER, 480)


def test_what_phones_do_takes_as_long_as_it_takes():
    played = play(Hastened(hunted(), 10), {"bea": Script(1, None)}, now=50.0)
    assert played.answered == "bea"
    assert played.ended_at == pytest.approx(52.9)
    (stop,) = [step for _, step in played.steps if isinstance(step, Stop)]
    assert stop.why is Why.NO_ANSWER


@given(
    factor=st.floats(1, 1000),
    now=st.floats(0, 1e7),
    ring_s=st.integers(1, 300),
    delay_s=st.integers(0, 60),
)
def test_no_rounding_has_it_woken_for_nothing(factor: float, now: float, ring_s: int, delay_s: int):
    # `play` fails where a deadline passes and nothing comes of it.
    played = play(Hastened(hunted(ring_s, delay_s), factor), now=now)
    assert played.ended_at - now == pytest.approx(3 * (ring_s + delay_s) / factor, rel=1e-3, abs=1e-5)
