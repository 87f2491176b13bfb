"""What real phones do in a test call, read off what they and the exchange say to each other."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import uuid4

import pytest

from sip.call.ringing import Caller, Target
from sip.call.story import CallAnswered, CallBegan, CallEnded, EndedBy, LegBegan
from sip.message.parser import parse_datagram
from sip.testcall.observed import Answered, By, Ended, Observation, Rang, Refused, StoppedRinging
from sip.testcall.witness import Witness
from tests.sip.message.messages import wire

LINE = "48223809887"
ELSEWHERE = 'SIP;cause=200;text="Call completed elsewhere"'

_MESSAGE = """
{start}
Via: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK1
From: "Test Centralka" <sip:996@127.0.0.1>;tag=1
To: <sip:{line}@127.0.0.1>
Call-ID: {call_id}
CSeq: 1 {method}
{more}Content-Length: 0
"""


@dataclass
class Call:
    """One that is watched, and what is so meanwhile."""

    time: float = 0.0
    witness: Witness = field(init=False)
    call: object = field(default_factory=uuid4)

    def __post_init__(self) -> None:
        self.witness = Witness("0123", lambda: self.time)
        self.witness.hear(CallBegan(self.call, "0123", "600", "own", 0.0))

    def rings(self, *call_ids: str, line: str = LINE) -> None:
        """A line is rung, with a phone for each Call-ID."""
        target = Target(line, Caller("996", "Test Centralka"))
        self.witness.hear(LegBegan(self.call, uuid4(), target, len(call_ids), self.time, call_ids))
        for call_id in call_ids:
            self.sent("INVITE", call_id, "Alert-Info: <http://127.0.0.1>;info=internal")

    def sent(self, method: str, call_id: str, *more: str) -> None:
        self.witness.sent(_said(f"{method} sip:{LINE}@127.0.0.2 SIP/2.0", call_id, method, more))

    def says(self, status: int, call_id: str, method: str = "INVITE") -> None:
        message = parse_datagram(_said(f"SIP/2.0 {status} So", call_id, method))
        assert message is not None
        self.witness.came(message)

    def hangs_up(self, call_id: str) -> None:
        message = parse_datagram(_said("BYE sip:us@127.0.0.1 SIP/2.0", call_id, "BYE"))
        assert message is not None
        self.witness.came(message)

    @property
    def seen(self) -> list[Observation]:
        return self.witness.seen


def _said(start: str, call_id: str, method: str, more: tuple[str, ...] = ()) -> bytes:
    lines = "".join(f"{line}\n" for line in more)
    return wire(_MESSAGE.format(start=start, line=LINE, call_id=call_id, method=method, more=lines))


@pytest.fixture
def call() -> Call:
    return Call()


def test_a_phone_rings_since_it_was_asked_to_once_it_says_that_it_does(call: Call):
    call.rings("a")
    call.time = 0.2
    call.says(100, "a")
    assert call.seen == []
    call.time = 0.7
    call.says(180, "a")
    call.says(180, "a")
    (rang,) = call.seen
    assert isinstance(rang, Rang)
    assert (rang.phone, rang.at, rang.alert) == (LINE, 0.0, "<http://127.0.0.1>;info=internal")
    assert [(each.header, each.number, each.name) for each in rang.displays] == [
        ("From", "996", "Test Centralka")
    ]


def test_one_that_answers_has_done_so_when_it_is_thanked_and_is_hung_up_when_it_says_so(call: Call):
    call.rings("a")
    call.says(180, "a")
    call.time = 4.0
    call.says(200, "a")
    assert [type(each) for each in call.seen] == [Rang]
    call.time = 4.1
    call.sent("ACK", "a")
    call.sent("ACK", "a")
    call.time = 7.0
    call.sent("BYE", "a")
    assert call.seen[1:] == [Answered(LINE, 4.0, call.seen[0].call)]  # type: ignore[union-attr]
    call.says(200, "a", "BYE")
    assert isinstance(ended := call.seen[-1], Ended)
    assert (ended.at, ended.by) == (7.0, By.OTHER)


def test_one_may_hang_up_itself(call: Call):
    call.rings("a")
    call.says(200, "a")
    call.sent("ACK", "a")
    call.hangs_up("a")
    assert isinstance(ended := call.seen[-1], Ended)
    assert ended.by is By.ITSELF


def test_one_that_is_cancelled_rings_until_it_has_heard_so(call: Call):
    call.rings("a")
    call.says(180, "a")
    call.sent("CANCEL", "a", f"Reason: {ELSEWHERE}")
    assert len(call.seen) == 1
    call.time = 2.0
    call.says(200, "a", "CANCEL")
    call.says(487, "a")
    assert isinstance(stopped := call.seen[-1], StoppedRinging)
    assert (len(call.seen), stopped.at, stopped.reason) == (2, 2.0, ELSEWHERE)


def test_one_that_is_cancelled_before_it_says_that_it_rings_has_been_rung(call: Call):
    call.rings("a")
    call.sent("CANCEL", "a")
    call.says(200, "a", "CANCEL")
    call.says(487, "a")
    assert [type(each) for each in call.seen] == [Rang, StoppedRinging]


@pytest.mark.parametrize("status", [302, 480, 486, 603])
def test_one_that_refuses_says_how(call: Call, status: int):
    call.rings("a")
    call.says(status, "a")
    assert isinstance(refused := call.seen[-1], Refused)
    assert refused.status == status


def test_a_line_has_refused_when_all_its_phones_have(call: Call):
    call.rings("a", "b")
    call.says(180, "a")
    call.says(486, "a")
    assert [type(each) for each in call.seen] == [Rang]
    call.says(480, "b")
    assert [type(each) for each in call.seen] == [Rang, Refused]
    assert call.seen[-1].status == 486  # type: ignore[union-attr]


def test_whoever_declines_at_one_phone_declines_for_the_line(call: Call):
    call.rings("a", "b")
    call.says(180, "b")
    call.says(603, "a")
    assert isinstance(refused := call.seen[-1], Refused)
    assert refused.status == 603
    call.sent("CANCEL", "b")
    call.says(487, "b")
    assert len(call.seen) == 2


def test_an_answer_that_crosses_a_cancel_counts_until_it_is_hung_up_on(call: Call):
    call.rings("a")
    call.says(180, "a")
    call.sent("CANCEL", "a")
    call.says(200, "a")
    call.sent("ACK", "a")
    call.says(481, "a", "CANCEL")
    call.sent("BYE", "a")
    call.says(200, "a", "BYE")
    assert [type(each) for each in call.seen] == [Rang, Answered, Ended]


def test_a_phone_that_never_says_a_word_has_not_rung_and_is_known_for_it(call: Call):
    call.rings("a")
    call.sent("CANCEL", "a")
    assert call.seen == []
    assert call.witness.dead == {LINE}
    call.says(100, "a")
    assert call.witness.dead == frozenset()


def test_what_belongs_to_other_calls_is_not_looked_at(call: Call):
    call.rings("a")
    other = uuid4()
    call.witness.hear(LegBegan(other, uuid4(), Target("1", Caller("2")), 1, 0.0, ("b",)))
    call.says(180, "b")
    call.sent("CANCEL", "b")
    call.witness.sent(b"\r\n\r\n")
    call.witness.hear(CallEnded(other, EndedBy.CALLER, 487, 0.0))
    assert (call.seen, call.witness.is_over) == ([], False)
    call.witness.hear(CallEnded(call.call, EndedBy.CALLER, 487, 0.0))
    assert call.witness.is_over


def test_who_picks_it_up_is_known(call: Call):
    call.rings("a")
    leg = uuid4()
    call.witness.hear(LegBegan(call.call, leg, Target("48221", Caller("996")), 1, 0.0))
    call.witness.hear(CallAnswered(call.call, leg, 1.0))
    assert call.witness.picked_up_by == "48221"
