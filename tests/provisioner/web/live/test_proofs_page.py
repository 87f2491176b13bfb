"""`/test-calls`, as browsers get it."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import update

from db.schema import ProofRow
from provisioner.app import Running, serving
from provisioner.operations.installation import Installation, utc_now
from provisioner.operations.messages import Message
from provisioner.operations.test_calls import MOST_SPEED, prove
from provisioner.web.portal import going
from provisioner.web.portal.live import OVER
from tests.provisioner.conftest import apply_text
from tests.provisioner.operations.proofs import FINDING, proof
from tests.provisioner.operations.test_proof_history import kept
from tests.provisioner.web.browsing import Browser, browsing, fields, hire
from tests.provisioner.web.live.rows import rows_of

PAGE = "/test-calls/of/nowyklienttestowy"
NUMBERS = re.compile(r'id="n-(\d+)"')


def row(page: str, number: str) -> str:
    """That of a number, tags and all."""
    return page.partition(f'id="n-{number}"')[2].partition("</tr>")[0]


async def test_each_number_says_how_it_stands(sample: Installation, browser: Browser):
    assert (await browser.get("/test-calls")).to == PAGE, "there is but one customer"
    red, green, *_ = await kept(
        sample, proof("601", FINDING), proof("600"), proof("602", FINDING), proof("602")
    )
    page = (await browser.get(PAGE)).text
    assert NUMBERS.findall(page) == ["600", "601", "602", "603", "101", "102", "103", "104", "105"]
    for number, said in {
        "600": ("dzwoni dobrze", f"/test-calls/made/{green}", "dobrych 1, złych 0"),
        "601": ("dzwoni źle", f"/test-calls/made/{red}", "dobrych 0, złych 1", "1 z 1 prób"),
        "602": ("dzwoni dobrze", "dobrych 1, złych 1"),
        "105": ("nietestowany", "nigdy", "Testuj numer 105"),
    }.items():
        assert all(each in row(page, number) for each in said), (number, row(page, number))
    (live,) = await kept(sample, replace(proof("603"), live=True))
    page = (await browser.get(PAGE)).text
    assert "na prawdziwych telefonach" in row(page, "603")
    assert "na prawdziwych telefonach" not in row(page, "600")
    assert page.count('class="live"') == 1
    assert 'class="right live"' in (await browser.get(f"/test-calls/made/{live}")).text
    for query, found in {
        "?state=red": ["601"],
        "?state=proven": ["600", "602", "603"],
        "?q=sprzeda": ["600", "103"],
        "?state=x&after=105": [],
    }.items():
        assert NUMBERS.findall((await browser.get(PAGE + query)).text) == found, query
    # What is set is another now; what rang wrong did so all the same.
    await apply_text(sample, "customers: [{login: nowyklienttestowy, centrex: {distinctive_ring: false}}]")
    page = (await browser.get(PAGE)).text
    assert "od zmiany nietestowany" in row(page, "600")
    assert "dzwoni źle" in row(page, "601")


async def test_a_number_that_is_red_still_leads_to_what_had_failed(sample: Installation, browser: Browser):
    (red, _) = await kept(sample, replace(proof("600", FINDING), live=True), proof("600"))
    found = row((await browser.get(PAGE)).text, "600")
    assert "dzwoni źle" in found
    assert f'nie sprawdzał tego, co zawiodło. <a href="/test-calls/made/{red}"' in found
    await kept(sample, replace(proof("600"), live=True))
    assert "dzwoni dobrze" in row((await browser.get(PAGE)).text, "600")


async def test_of_several_customers_one_is_chosen(sample: Installation, browser: Browser):
    await kept(sample, proof("601", FINDING), proof("600"), proof("602"))
    await apply_text(sample, "customers: [{login: firma, name: '<b>'}]")
    page = (await browser.get("/test-calls")).text
    assert "dzwoni źle: 1" in page
    assert "dzwoni dobrze: 2" in page
    assert "nic jeszcze nie testowano" in page
    assert "<b>" not in page
    assert PAGE not in (await browser.get("/test-calls?q=firma")).text
    empty = (await browser.get("/test-calls/of/firma")).text
    assert "Ten klient nie ma jeszcze numerów" in empty
    assert "Testuj wszystkie numery" not in empty
    everybody = re.findall(r'class="back"><a href="([^"]*)"', empty)[0]
    assert PAGE in (await browser.get(everybody)).text
    assert (await browser.get("/test-calls/of/nobody")).status == 404


async def test_a_report_is_opened_in_place_with_all_that_is_kept(sample: Installation, browser: Browser):
    said = (Message("48223809887", 0.5, came=True, text="INVITE sip:x SIP/2.0\r\nCSeq: 1 INVITE\r\n\r\n"),)
    made = proof("600", FINDING)
    made = replace(made, calls=tuple(replace(call, messages=said) for call in made.calls))
    first, second = await kept(sample, proof("600"), made)
    reply = await browser.get(f"/test-calls/made/{second}")
    assert "Numer 600 nie dzwoni tak, jak go ustawiono." in reply.text
    assert 'class="ladder' in reply.text
    assert f'href="/test-calls/made/{first}"' in reply.text
    assert "style=" not in reply.text, "the pages let no style in that stands in them"
    assert "style-src 'self'" in reply.headers["Content-Security-Policy"]
    for nothing in ("x", "0", str(second + 1), "9" * 30):
        assert (await browser.get(f"/test-calls/made/{nothing}")).status == 404
    async with sample.database.append() as session:
        await session.execute(update(ProofRow).values(at=utc_now() - timedelta(days=400)))
    assert (await browser.get(PAGE)).status == 200


async def test_nobody_else_sees_or_begins_them(sample: Installation, running: Running, browser: Browser):
    form = fields((await browser.get(PAGE)).text)
    async with browsing(running) as stranger:
        for path in (PAGE, "/test-calls", "/test-calls/made/1", "/test-calls/going/x/live"):
            assert (await stranger.get(path)).to.startswith("/log-in?next=")
        assert (await stranger.post(PAGE, form)).to.startswith("/log-in?next=")
    assert (await browser.post(PAGE, {**form, "csrf": "x"})).status == 403
    assert (await browser.post(PAGE, form, Origin="http://elsewhere")).status == 403
    assert (await browser.get("/test-calls/going/x")).status == 404
    assert (await browser.get("/test-calls/going/x/live")).status == 404


async def test_where_no_calls_are_served_that_is_said(sample: Installation, browser: Browser):
    form = fields((await browser.get(PAGE)).text)
    sent = await browser.post(PAGE, {**form, "number": "600"})
    assert sent.status == 303
    async with rows_of(f"{sent.to}/live", browser) as told:
        await told.next(OVER)
    assert "Ten serwer nie obsługuje teraz połączeń" in (await browser.get(sent.to)).text


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_number_is_tested_before_the_eyes_of_who_asked(
    sample: Installation, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(going, "prove", partial(prove, speed=MOST_SPEED))
    await hire(sample)
    async with serving(sample, lambda _: None) as server, browsing(server) as browser:
        await browser.log_in()
        form = fields((await browser.get(PAGE)).text) | {"number": "105"}
        sent = await browser.post(PAGE, form)
        assert (await browser.post(PAGE, form)).to == sent.to, "the same that goes on already"
        assert "Trwa test numeru 105" in (await browser.get(sent.to)).text
        async with rows_of(f"{sent.to}/live", browser) as told:
            while (progress := await told.next("progress"))["done"] == 0:
                pass
            assert progress["text"] == f"{progress['done']} z {progress['calls']} prób za nami"
            await told.next(OVER)
        made = (await browser.get(sent.to)).to
        assert "Numer 105 dzwoni tak, jak go ustawiono." in (await browser.get(made)).text
        # What has no say in it was changed.
        await apply_text(
            sample, "customers: [{login: nowyklienttestowy, centrex: {intercom: {prefix: '*34'}}}]"
        )
        assert "dzwoni dobrze" in row((await browser.get(PAGE)).text, "105")


async def test_all_numbers_are_tested_when_somebody_asks(sample: Installation, browser: Browser):
    form = {"csrf": fields((await browser.get(PAGE)).text)["csrf"]}
    assert (await browser.post(PAGE, form)).to == PAGE
    page = (await browser.get(PAGE)).text
    assert "<strong>na żądanie</strong>, czeka" in page
    assert "Trwa test wszystkich numerów." in page, "it is said where one has just asked for it"
    assert "dobrze: 0, źle: 0" in page
    assert (await browser.post(PAGE, form)).status == 409, "the same waits already"
    assert (await browser.post(PAGE, {"csrf": "x"})).status == 403
