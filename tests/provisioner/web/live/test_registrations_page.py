"""`/registrations`, as browsers get it."""

from __future__ import annotations

import re
from functools import partial

from sqlalchemy import delete

from db.schema import SessionRow
from provisioner.app import Running
from provisioner.centrex.mac import MacAddress
from provisioner.operations.installation import Installation
from provisioner.operations.registered import State
from provisioner.web.portal import live
from tests.provisioner.bindings import bind, contact_of, happened, now, unbind
from tests.provisioner.conftest import apply_text
from tests.provisioner.web.asking import T46S
from tests.provisioner.web.browsing import Browser, browsing
from tests.provisioner.web.live.rows import keys, rows_of

LINE = "48223809880"
DEVICE = MacAddress(T46S)
KEY = f"r-{LINE}-{T46S}-1"
MANY = "\n".join(
    ["customers:", "  - login: duza", "    name: Duża <b>flota</b>", "    lines:"]
    + [f'      - {{number: "48227{number:05}", product: telefonia-ip-plus}}' for number in range(120)]
)


following = partial(rows_of, "/registrations/live")


async def test_every_line_is_there_with_its_phone_and_what_is_known_of_it(
    sample: Installation, browser: Browser
):
    await bind(sample, LINE, DEVICE, reachable=True, heard_at=now(), rtt_ms=14)
    await happened(sample, "registered", LINE, DEVICE)
    page = (await browser.get("/registrations")).text
    assert KEY in keys(page)
    assert len(keys(page)) == 6
    assert f'<tr id="{KEY}" class="reachable">' in page
    for said in (contact_of(LINE), str(DEVICE), "osiągalny", "odpowiedź w 14 ms", "66.86.0.15"):
        assert said in page
    assert "Jak daleko zaszedł: na liście, zarejestrowany, osiągalny" in page
    assert "Ostatnie 24 h: brak danych 24 h" in page


async def test_what_changes_is_sent_as_it_happens_and_nothing_else(sample: Installation, browser: Browser):
    async with following(browser) as rows:
        first = await rows.next()
        assert set(first["changed"]) == set(first["order"])
        assert (len(first["order"]), first["counts"]["registered"]) == (6, 0)
        await bind(sample, LINE, DEVICE)
        await happened(sample, "registered", LINE, DEVICE)
        came = await rows.next()
        assert list(came["changed"]) == [KEY]
        assert 'class="registered"' in came["changed"][KEY]
        assert (came["order"], came["counts"]["registered"]) == (first["order"], 1)
        await unbind(sample, LINE)
        await happened(sample, "unregistered", LINE, DEVICE)
        went = await rows.next()
        assert "wyrejestrował się" in went["changed"][KEY]


async def test_a_page_of_those_who_are_out_of_reach_gains_and_loses_rows(
    sample: Installation, browser: Browser
):
    async with following(browser, f"?state={State.UNREACHABLE}") as rows:
        assert (await rows.next())["order"] == []
        await bind(sample, LINE, DEVICE, reachable=False)
        await happened(sample, "unreachable", LINE, DEVICE)
        assert (await rows.next())["order"] == [KEY]
        await unbind(sample, LINE)
        await happened(sample, "expired", LINE, DEVICE)
        assert (await rows.next())["order"] == []


async def test_what_is_looked_for_is_found_on_pages_that_follow_one_another(
    sample: Installation, browser: Browser
):
    await apply_text(sample, MANY)
    seen: list[str] = []
    address = "/registrations?q=duza"
    while address:
        page = (await browser.get(address)).text
        assert "Duża <b>" not in page
        seen += keys(page)
        found = re.search(r'rel="next" href="([^"]+)"', page)
        address = found[1].replace("&amp;", "&") if found else ""
    assert seen == [f"r-48227{number:05}-none-1" for number in range(120)]
    assert 'id="count-chosen">120<' in page
    assert keys((await browser.get("/registrations?q=4822700007&state=dark")).text) == [
        "r-4822700007-none-1"
    ]
    for query in ("?q=%00", "?q=%25", "?state=nothing&after=x", "?q=" + "x" * 3000):
        assert (await browser.get(f"/registrations{query}")).status == 200
    assert 'value="&lt;b&gt;&#34;"' in (await browser.get("/registrations?q=%3Cb%3E%22")).text


async def test_the_stream_ends_with_the_session_and_is_not_for_others(
    sample: Installation, running: Running, browser: Browser
):
    async with browsing(running) as stranger:
        assert (await stranger.get("/registrations/live")).status == 303
    async with following(browser) as rows:
        await rows.next()
        async with sample.database.append() as session:
            await session.execute(delete(SessionRow))
        await happened(sample, "registered", LINE, DEVICE)
        assert await rows.next(live.OVER) == {}
