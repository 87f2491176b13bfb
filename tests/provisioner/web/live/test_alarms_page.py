"""`/alarms`, as browsers get it."""

from __future__ import annotations

import html
import re

import pytest

from provisioner.app import Running
from provisioner.centrex.actor import COMMAND_LINE
from provisioner.centrex.mac import MacAddress
from provisioner.operations.alarms import AlarmKind, Standing, acknowledge, list_alarms
from provisioner.operations.installation import Installation, utc_now
from provisioner.web.portal import alarms
from provisioner.web.portal.alarm_words import ALARM_WORDS
from tests.provisioner.alarms import raised
from tests.provisioner.operations.proofs import FINDING, proof
from tests.provisioner.operations.test_proof_history import kept
from tests.provisioner.web.browsing import Browser, browsing, fields, hire
from tests.provisioner.web.live.rows import keys, rows_of

SAMPLE = "nowyklienttestowy"
PHONE = MacAddress.parse("805ec0123456")
BADGE = re.compile(r'class="badge( zero)?" id="count-badge">(\d*)<')


def row(page: str, number: int) -> str:
    """That of an alarm, as it is read."""
    return html.unescape(page.partition(f'<tr id="a-{number}"')[2].partition("</tr>")[0])


async def test_those_that_wait_come_first_and_say_what_to_do_and_where_to_look(
    sample: Installation, browser: Browser
):
    (report,) = await kept(sample, proof("600", FINDING))
    over = await raised(sample, AlarmKind.RED, customer=SAMPLE, number="601", over_at=utc_now())
    red = await raised(sample, AlarmKind.RED, customer=SAMPLE, number="600", text="<b>600 & co")
    files = await raised(sample, AlarmKind.FILES, customer=SAMPLE, mac=PHONE)
    scan = await raised(sample, AlarmKind.SCAN, source="192.0.2.7")
    seen = await raised(sample, AlarmKind.GUESSING, source="192.0.2.8")
    await acknowledge(sample, seen, COMMAND_LINE, utc_now())
    page = (await browser.get("/alarms")).text
    assert keys(page) == [f"a-{each}" for each in (scan, files, red, seen, over)]
    assert BADGE.findall(page) == [("", "3")]
    for number, said in {
        red: (
            "Numer 600 nie dzwoni tak, jak go ustawiono.",
            f'href="/test-calls/made/{report}"',
            f'href="/test-calls/of/{SAMPLE}?q=600"',
            "przetestuj numer jeszcze raz",
            "<b>600 & co",
        ),
        files: (f"Plików telefonu {PHONE}", 'href="/registrations?q=80%3A5e', "centralka lint"),
        scan: ("Z adresu 192.0.2.7", "<code>centralka bans lift 192.0.2.7</code>"),
        seen: ("załatwiony", "192.0.2.8"),
        over: ("zakończony", "Numer 601"),
    }.items():
        assert all(each in row(page, number) for each in said), (number, row(page, number))
    assert "<b>600" not in page
    for number in (seen, over):
        assert "Co zrobić" not in row(page, number)
        assert "<form" not in row(page, number)
    for query, found in {
        "?state=waiting": [scan, files, red],
        "?state=over": [over],
        "?q=192.0.2": [scan, seen],
        "?q=80-5E-C0": [files],
        "?q=601": [over],
        "?state=x&after=y": [scan, files, red, seen, over],
    }.items():
        assert keys((await browser.get(f"/alarms{query}")).text) == [f"a-{each}" for each in found], query


async def test_a_button_says_that_somebody_has_seen_to_it(
    sample: Installation, running: Running, browser: Browser
):
    number = await raised(sample, AlarmKind.SCAN, source="192.0.2.7")
    page = (await browser.get("/alarms?state=waiting")).text
    form = fields(page)
    where = re.findall(r'<form method="post" action="(/alarms[^"]+)"', page)[0]
    async with browsing(running) as stranger:
        assert (await stranger.post(where, form)).to.startswith("/log-in?next=")
    assert (await browser.post(where, {"csrf": "x"})).status == 403
    assert (await browser.post(where, form, Origin="http://elsewhere")).status == 403
    assert [each.number for each in await list_alarms(sample)] == [number]
    assert (await browser.post(where, form)).to == "/alarms?state=waiting", "the page that one was on"
    assert await list_alarms(sample) == []
    assert (await browser.post(where, form)).status == 303, "it is as was wanted"
    assert (await browser.post("/alarms/x", form)).status == 404
    page = (await browser.get("/calls")).text
    assert BADGE.findall(page) == [(" zero", "")], "nothing waits, wherever one looks"


async def test_pages_follow_each_other_from_those_that_wait_to_the_others(
    sample: Installation, browser: Browser, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(alarms, "ALARMS", 2)
    past = [await raised(sample, AlarmKind.RED, number=f"60{each}", over_at=utc_now()) for each in range(2)]
    waiting = [await raised(sample, AlarmKind.FILES) for _ in range(3)]
    found, path = [], "/alarms"
    while path:
        page = (await browser.get(path)).text
        found += keys(page)
        (path,) = re.findall(r'rel="next" href="([^"]+)"', page) or [""]
    assert found == [f"a-{each}" for each in (*reversed(waiting), *reversed(past))]


async def test_rows_and_counts_change_as_it_happens(sample: Installation, browser: Browser):
    first = await raised(sample, AlarmKind.SCAN, source="192.0.2.7")
    async with rows_of(alarms.LIVE_PATH, browser) as rows:
        told = await rows.next()
        assert told["order"] == [f"a-{first}"]
        assert told["counts"] == {"waiting": 1, "seen": 0, "over": 0, "badge": 1}
        second = await raised(sample, AlarmKind.FILES)
        # Somebody whose test is over wakes those who look.
        await kept(sample, proof("600"))
        while f"a-{second}" not in (told := await rows.next())["order"]:
            pass
        assert told["counts"]["badge"] == 2
        await acknowledge(sample, None, COMMAND_LINE, utc_now())
        await kept(sample, proof("600"))
        while (told := await rows.next())["counts"]["waiting"]:
            pass
        assert "załatwiony" in told["changed"][f"a-{first}"]


async def test_nobody_but_staff_sees_them(running: Running, browser: Browser):
    assert (await browser.get("/alarms")).status == 200
    async with browsing(running) as stranger:
        for path in ("/alarms", alarms.LIVE_PATH):
            assert (await stranger.get(path)).to.startswith("/log-in?next=")
        assert (await stranger.log_in(to="?next=/alarms")).to == "/alarms"


async def test_each_kind_can_be_read_in_each_language_also_where_its_phone_is_gone(
    sample: Installation, running: Running
):
    await hire(sample, "john", language="en")
    for kind in (*AlarmKind, "of-tomorrow"):
        await raised(sample, kind, source="192.0.2.7", number="600")
    async with browsing(running) as browser:
        await browser.log_in("john")
        page = (await browser.get("/alarms")).text
    assert "The files of the phone that is no longer listed" in page
    assert "centralka devices claim" not in page, "there is nothing to claim"
    assert "Something happened that this version does not know." in page
    for words in ALARM_WORDS.values():
        assert set(words.happened) == set(words.do) == set(AlarmKind)
        assert set(words.states) == set(words.counts) == set(Standing)
