"""What can't be done is said to people as a page in their language, and to programs as a problem."""

from __future__ import annotations

import html
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack

import pytest

from db.engine import Database
from db.errors import DatabaseUnavailable
from provisioner.app import Running
from provisioner.centrex.actor import COMMAND_LINE
from provisioner.centrex.errors import CentralkaError
from provisioner.operations.api_tokens import create_token
from provisioner.operations.installation import Installation
from provisioner.web.api import registrations
from provisioner.web.portal.app import MOST_OF_SESSION
from provisioner.web.portal.refusal_words import REFUSAL_WORDS, Saying
from provisioner.web.streams import STREAM_TYPE
from tests.provisioner.web.browsing import Browser, Reply, browsing, fields, hire

POLISH = {"Accept-Language": "pl"}
SAID = REFUSAL_WORDS["pl"]


@pytest.fixture
async def browser(sample: Installation, running: Running) -> AsyncIterator[Browser]:
    """One that is logged in, in Polish, and would rather have English."""
    await hire(sample)
    async with browsing(running) as browser:
        await browser.log_in()
        yield browser


def says(reply: Reply, saying: Saying) -> bool:
    page = html.unescape(reply.text)
    is_page = reply.headers["Content-Type"].startswith("text/html")
    return is_page and f"<h1>{saying.title}</h1>" in page and saying.text in page


async def ask(browser: Browser, method: str, path: str, headers: Mapping[str, str]) -> Reply:
    url = browser.url + path
    async with browser.http.request(method, url, headers=headers, allow_redirects=False) as response:
        return Reply(response.status, dict(response.headers), await response.text())


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", "/nothing", "GET"),
        ("PUT", "/log-in", "GET, POST"),
        ("DELETE", "/registrations", "GET"),
        ("GET", "/log-out", None),
    ],
)
async def test_a_method_that_no_page_takes_is_a_page_in_the_language_of_its_reader(
    browser: Browser, running: Running, method: str, path: str, allowed: str | None
):
    english = {"Accept-Language": "en"}
    mine = await ask(browser, method, path, english)
    saying = SAID.method if allowed else SAID.not_found
    assert says(mine, saying), "who is logged in has a language"
    assert "anna" in mine.text
    async with browsing(running) as stranger:
        for headers, words in ((english, REFUSAL_WORDS["en"]), (POLISH, SAID)):
            theirs = await ask(stranger, method, path, headers)
            assert says(theirs, words.method if allowed else words.not_found)
            assert "anna" not in theirs.text
    if allowed is not None:
        assert (mine.status, mine.headers["Allow"]) == (405, allowed)


async def test_one_tab_too_many_is_said_as_a_page_and_to_the_page_itself_in_short(browser: Browser):
    path = "/alarms/live"
    async with AsyncExitStack() as open_tabs:
        for _ in range(MOST_OF_SESSION):
            await open_tabs.enter_async_context(browser.http.get(browser.url + path))
        typed = await ask(browser, "GET", path, {})
        followed = await ask(browser, "GET", path, {"Accept": STREAM_TYPE})
    assert [typed.status, followed.status] == [429, 429]
    assert {reply.headers["Retry-After"] for reply in (typed, followed)} == {"60"}
    assert says(typed, SAID.by_code["too-many-streams"])
    assert followed.text == SAID.by_code["too-many-streams"].text


async def test_what_is_no_form_and_what_goes_on_already_are_said_in_words(
    sample: Installation, browser: Browser
):
    form = fields((await browser.get("/test-calls/of/nowyklienttestowy")).text)
    strange = await browser.http.post(browser.url + "/log-in", data=b"x", headers={"Content-Type": "text/x"})
    assert (strange.status, SAID.by_code["bad-form"].text in await strange.text()) == (422, True)
    old = await browser.post("/test-calls/of/nowyklienttestowy", {"csrf": "x"})
    assert (old.status, says(old, SAID.by_code["form-too-old"])) == (403, True)
    csrf = {"csrf": form["csrf"]}
    assert (await browser.post("/test-calls/of/nowyklienttestowy", csrf)).status == 303
    again = await browser.post("/test-calls/of/nowyklienttestowy", csrf)
    assert (again.status, says(again, SAID.by_code["conflict"])) == (409, True)
    nobody = await browser.post("/test-calls/of/nobody", csrf)
    assert (nobody.status, says(nobody, SAID.not_found)) == (404, True)


async def test_a_page_is_drawn_where_the_alarms_can_not_be_counted(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
):
    async def away(*_: object, **__: object) -> None:
        raise DatabaseUnavailable("away")

    monkeypatch.setattr(Database, "rows", away)
    reply = await browser.get("/calls")
    assert (reply.status, says(reply, SAID.unavailable)) == (503, True)


async def test_each_page_counts_the_alarms_once_and_a_stream_or_a_redirection_does_not(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
):
    rows = Database.rows
    counted: list[str] = []

    async def watched(database: Database, statement: str, **parameters: object) -> object:
        counted.extend(["alarms"] if "FROM alarms" in statement else [])
        return await rows(database, statement, **parameters)

    monkeypatch.setattr(Database, "rows", watched)
    for path, times in (("/registrations", 1), ("/calls", 1), ("/nothing", 1), ("/alarms", 0), ("/", 0)):
        counted.clear()
        await browser.get(path)
        assert len(counted) == times, path
    counted.clear()
    async with browser.http.get(browser.url + "/registrations/live") as stream:
        await stream.content.readuntil(b"event: ")
    assert counted == []


async def test_programs_get_a_problem_for_what_is_too_long_and_for_our_own_mistakes(
    sample: Installation, running: Running, monkeypatch: pytest.MonkeyPatch
):
    async def broken(*_: object) -> None:
        raise ZeroDivisionError

    token = await create_token(sample, "a program", COMMAND_LINE)
    headers = {"Authorization": f"Bearer {token.token}"}
    monkeypatch.setattr(registrations, "list_registrations", broken)
    async with browsing(running) as program:
        api = f"{program.url}/api/v1"
        for method, path, body, status, code in (
            ("GET", "registrations", b"", 500, "internal"),
            ("POST", "test-calls", b"x" * (2 << 20), 413, "too-large"),
        ):
            request = program.http.request(method, f"{api}/{path}", headers=headers, data=body)
            async with request as response:
                told = json.loads(await response.text())
                assert response.content_type == "application/problem+json"
            assert (told["status"], told["code"]) == (status, code)
            assert told["detail"]


def test_each_language_says_the_same_refusals_and_what_to_do():
    codes = {language: set(words.by_code) for language, words in REFUSAL_WORDS.items()}
    assert len(set(map(frozenset, codes.values()))) == 1
    assert all(saying.text for words in REFUSAL_WORDS.values() for saying in words.by_code.values())
    assert REFUSAL_WORDS["pl"].of(CentralkaError.code) == SAID.refused
