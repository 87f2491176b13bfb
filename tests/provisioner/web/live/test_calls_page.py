"""`/calls`, as browsers get it."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial

from sqlalchemy import delete

from db.schema import SessionRow
from provisioner.app import Running
from provisioner.operations.calls import LegEnd
from provisioner.operations.installation import Installation
from provisioner.pbx.recorder import Recorder
from provisioner.web.portal import live
from provisioner.web.portal.words import LANGUAGES
from sip.call.ringing import Outcome
from sip.call.story import EndedBy
from tests.provisioner.pbx.called import hunted, missed, record, rings
from tests.provisioner.pbx.story import ANNA, RECEPTION, Story
from tests.provisioner.web.browsing import Browser, browsing, hire
from tests.provisioner.web.live.rows import keys, rows_of

following = partial(rows_of, "/calls/live")


async def test_each_call_is_there_with_whom_it_rang_and_why_not(sample: Installation, browser: Browser):
    over, unanswered, going_on = (f"c-{each}" for each in await record(sample, hunted, missed, rings))
    page = (await browser.get("/calls")).text
    assert keys(page) == [going_on, unanswered, over], "what goes on stands on top"
    for said in (
        *("nikt nie odebrał", "rozłączył odbierający", "rozmowa 1:01"),
        *("104 Sala konferencyjna", "niezarejestrowany", "103 Dział sprzedaży", "dzwoniło 0:15, nie odebrał"),
        *("102 Anna Żółkiewska", "grupa 600 › 601", "dzwoniło 0:04, odebrał", "→ 600", "Recepcja"),
    ):
        assert said in page, said
    assert 'id="count-ringing">1<' in page
    assert 'id="count-unanswered">1<' in page
    for query, found in {
        "state=live": [going_on],
        "state=answered": [over],
        "state=unanswered": [unanswered],
        "q=konferencyjna": [over],
        "q=nobody": [],
        "state=x&before=y": [going_on, unanswered, over],
    }.items():
        assert keys((await browser.get(f"/calls?{query}")).text) == found, query


async def test_what_the_caller_was_told_is_said_in_words(sample: Installation, browser: Browser):
    def ends_with(status: int) -> Callable[[Story], object]:
        return lambda story: story.begins(RECEPTION, "999").ends(EndedBy.NOBODY, status)

    for status, said in {404: "nie ma takiego numeru", 486: "zajęte", 500: "SIP 500"}.items():
        (call,) = await record(sample, ends_with(status))
        assert f"<small>{said}</small>" in (await browser.get("/calls")).text
        assert f"nikt nie odebrał, {said}" in (await browser.get(f"/calls/{call}")).text


async def test_calls_are_paged_and_what_phones_say_is_no_html(sample: Installation, browser: Browser):
    def strange(story: Story) -> None:
        story.begins(RECEPTION, "<b>&'\"").rings(ANNA).stops(ANNA, Outcome.BUSY, 486)
        story.ends(EndedBy.NOBODY, 486)

    ids = [f"c-{each}" for each in await record(sample, *[strange] * 60)]
    seen: list[str] = []
    address = "/calls"
    while address:
        page = (await browser.get(address)).text
        assert "<b>" not in page
        assert "zajęty" in page
        seen += keys(page)
        found = re.search(r'rel="next" href="([^"]+)"', page)
        address = found[1].replace("&amp;", "&") if found else ""
    assert seen == ids[::-1]


async def test_a_call_is_seen_as_it_goes_on(sample: Installation, browser: Browser):
    recorder = Recorder(sample, lambda: 1000.0)
    story = Story(recorder.tell)
    async with following(browser) as rows:
        assert (await rows.next())["order"] == []
        story.begins(RECEPTION, "102").rings(ANNA)
        await recorder.close()
        came = await rows.next()
        assert came["order"] == [f"c-{story.id}"]
        assert (came["counts"]["ringing"], 'class="call ringing"' in came["changed"][f"c-{story.id}"]) == (
            1,
            True,
        )
        story.answers(ANNA)
        await recorder.close()
        assert (await rows.next())["counts"]["talking"] == 1
        story.ends(EndedBy.CALLEE)
        await recorder.close()
        went = await rows.next()
        assert "rozłączył odbierający" in went["changed"][f"c-{story.id}"]
        assert (went["counts"]["talking"], went["counts"]["answered"]) == (0, 1)
        async with sample.database.append() as session:
            await session.execute(delete(SessionRow))
        await record(sample, missed)
        assert await rows.next(live.OVER) == {}


async def test_a_code_is_no_call_that_was_missed(sample: Installation, browser: Browser):
    [code] = await record(sample, lambda story: story.begins(ANNA, "*26").ends(EndedBy.SERVICE))
    page = (await browser.get("/calls")).text
    assert f'<tr id="c-{code}" class="call answered">' in page
    assert "kod usługi" in page
    assert 'id="count-unanswered" class="zero">0<' in page


async def test_it_speaks_english_to_who_wants_that(sample: Installation, running: Running):
    await hire(sample, "ben", language="en")
    await record(sample, hunted)
    async with browsing(running) as browser:
        assert (await browser.log_in("ben", to="?next=/calls")).to == "/calls"
        page = (await browser.get("/calls")).text
    for said in ("the callee hung up", "rang 0:15, did not answer", "group 600 › 601", "not registered"):
        assert said in page


async def test_they_are_not_for_strangers(running: Running):
    async with browsing(running) as stranger:
        for path in ("/calls", "/calls/live"):
            assert (await stranger.get(path)).status == 303


def test_every_language_has_a_word_for_every_end():
    for words in LANGUAGES.values():
        assert all(words.named("end", each) for each in EndedBy)
        assert all(words.named("leg", each) for each in LegEnd)


async def test_of_each_extension_it_is_said_why_it_did_not_ring(sample: Installation, browser: Browser):
    (call,) = await record(sample, hunted)
    listed = (await browser.get("/calls")).text
    assert f'href="/calls/{call}"' in listed
    page = (await browser.get(f"/calls/{call}")).text
    assert "Połączenie 101 Recepcja → 600" in page
    assert "Żaden telefon numeru 104 Sala konferencyjna nie był wtedy zarejestrowany" in page
    assert page.count("<details>") == 6, "a question for each extension"
    asked = (await browser.get(f"/calls/{call}?at=104")).text
    assert "Dlaczego nie zadzwonił 104 Sala konferencyjna?" in asked
    unknown = (await browser.get(f"/calls/{call}?at=%3Cb%3E")).text
    assert "Nie ma numeru wewnętrznego &lt;b&gt;." in unknown
    for nothing in ("x", "00000000-0000-0000-0000-000000000000"):
        assert (await browser.get(f"/calls/{nothing}")).status == 404
