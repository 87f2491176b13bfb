"""What codes make of a switchboard, wherever that is kept."""

from __future__ import annotations

import pytest

from provisioner.centrex.codes import Case, Disturb, Forward, LogIn
from provisioner.centrex.customer import Forwardings
from provisioner.centrex.errors import BadValue
from provisioner.centrex.exchange import Exchange
from provisioner.centrex.services import done
from tests.provisioner.pbx.switchboards import exchange, group, line_of, to

LINE = line_of("101")
HERE = exchange(group("600", "101", "102"), group("601", "101"))


def logged_out(here: Exchange) -> dict[str, list[str | None]]:
    return {
        of: [each.extension for each in found.members if not each.logged_in]
        for of, found in here.groups.items()
    }


def test_a_line_is_disturbed_or_not_and_no_other_one():
    on = done(HERE, LINE, Disturb(dnd=True), ())
    assert [number for number, line in on.lines.items() if line.dnd] == [LINE]
    assert done(on, LINE, Disturb(dnd=False), ()) == HERE


@pytest.mark.parametrize("case", Case)
def test_calls_are_forwarded_in_one_case_and_the_number_is_kept(case: Case):
    on = done(HERE, LINE, Forward(case, enabled=True, to="102"), ())
    assert on.lines[LINE].forwarding == Forwardings(**{case.value: to("102")})
    off = done(on, LINE, Forward(case, enabled=False), ())
    assert off.lines[LINE].forwarding == Forwardings(**{case.value: to("102", enabled=False)})
    assert done(off, LINE, Forward(case, enabled=True), ()) == on


def test_a_line_logs_out_of_one_group_or_of_all_and_in_again():
    one = done(HERE, LINE, LogIn(logged_in=False, group="600"), ())
    assert logged_out(one) == {"600": ["101"], "601": []}
    out = done(HERE, LINE, LogIn(logged_in=False), ())
    assert logged_out(out) == {"600": ["101"], "601": ["101"]}
    assert done(out, LINE, LogIn(logged_in=True), ()) == HERE


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (LINE, Forward(Case.BUSY, enabled=True)),
        (LINE, Forward(Case.BUSY, enabled=True, to="112")),
        (LINE, Forward(Case.BUSY, enabled=True, to="*67101")),
        (LINE, LogIn(logged_in=True, group="602")),
        (line_of("105"), LogIn(logged_in=True)),
        ("48999999999", Disturb(dnd=True)),
    ],
)
def test_what_can_not_be_done_is_refused(line: str, code: Disturb | Forward | LogIn):
    with pytest.raises(BadValue):
        done(HERE, line, code, ("112",))
