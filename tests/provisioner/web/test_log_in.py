"""Logging in to the pages, and out."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import fields as fields_of
from dataclasses import replace
from datetime import timedelta

import pytest
from aiohttp.test_utils import make_mocked_request
from sqlalchemy import select, update
from yarl import URL

from db.schema import SessionRow, UserRow
from provisioner.app import Running
from provisioner.operations.installation import Installation, utc_now
from provisioner.operations.sessions import MOST_OF_USER, begin_session
from provisioner.settings import Settings
from provisioner.store.fresh import token_hash
from provisioner.web.portal.pages import HEADERS
from provisioner.web.portal.visitors import source_of
from provisioner.web.portal.words import LANGUAGES, Words, words_for
from tests.provisioner.web.browsing import PASSWORD, browsing, fields, hire
from tests.provisioner.web.pages import pages

SESSION = "centralka-session"


@pytest.fixture
async def running(sample: Installation) -> AsyncIterator[Running]:
    """Pages and API."""
    async with pages(sample) as server:
        yield server


async def sessions(installation: Installation) -> list[SessionRow]:
    async with installation.database.read() as session:
        return list(await session.scalars(select(SessionRow)))


async def change_sessions(installation: Installation, **values: object) -> None:
    async with installation.database.append() as session:
        await session.execute(update(SessionRow).values(**values))


async def test_whoever_is_not_logged_in_is_sent_to_log_in_and_comes_back(
    sample: Installation, running: Running
):
    await hire(sample)
    async with browsing(running) as browser:
        assert (await browser.get("/")).to == "/registrations"
        sent = await browser.get("/registrations?q=48&state=dark")
        assert (sent.status, sent.to.partition("?")[0]) == (303, "/log-in")
        done = await browser.log_in(to=sent.to.removeprefix("/log-in"))
        assert (done.status, done.to) == (303, "/registrations?q=48&state=dark")
        assert (await browser.get("/registrations?q=48")).status == 200
        assert (await browser.get("/log-in")).to == "/registrations"


async def test_a_cookie_is_the_browsers_alone_and_only_its_hash_is_kept(
    sample: Installation, running: Running
):
    await hire(sample)
    async with browsing(running) as browser:
        done = await browser.log_in()
        [cookie] = [each for each in browser.http.cookie_jar if each.key == SESSION]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Lax", "/")
    assert not cookie["max-age"]
    [row] = await sessions(sample)
    assert row.id_hash == token_hash(cookie.value)
    assert cookie.value not in done.text
    assert row.source == "127.0.0.1"


async def test_over_https_cookies_are_for_https_and_for_this_host_alone(
    sample: Installation, settings: Settings
):
    behind = settings.portal.model_copy(update={"url": "https://pbx.example.com"})
    await hire(sample)
    secured = replace(sample, settings=settings.model_copy(update={"portal": behind}))
    async with pages(secured) as server, browsing(server) as browser:
        page = await browser.get("/log-in")
        token = fields(page.text)["csrf"]
        assert page.headers["Set-Cookie"].startswith(f"__Host-centralka-form={token};")
        assert "Secure" in page.headers["Set-Cookie"]
        form = {"csrf": token, "login": "anna", "password": PASSWORD}
        cookie = f"__Host-centralka-form={token}"
        refused = await browser.post("/log-in", form, Cookie=cookie)
        assert refused.status == 403
        done = await browser.post("/log-in", form, Cookie=cookie, Origin="https://pbx.example.com")
        assert done.status == 303


async def test_unknown_and_wrong_and_not_staff_look_alike(sample: Installation, running: Running):
    await hire(sample)
    await hire(sample, "klient", "customer")
    await hire(sample, "nowy", password_hash=None)
    looks = []
    for login, password in (("anna", "x"), ("nobody", PASSWORD), ("klient", PASSWORD), ("nowy", "")):
        async with browsing(running) as browser:
            reply = await browser.log_in(login, password or "x")
            token = fields((await browser.get("/log-in")).text)["csrf"]
        text = reply.text.replace(login, "LOGIN").replace(token, "TOKEN")
        looks.append((reply.status, text, {*reply.headers} - {"Set-Cookie"}))
    assert looks[0][0] == 401
    assert all(look == looks[0] for look in looks)
    assert await sessions(sample) == []


async def test_a_form_from_another_site_or_without_its_token_does_nothing(
    sample: Installation, running: Running
):
    await hire(sample)
    async with browsing(running) as browser:
        form = fields((await browser.get("/log-in")).text) | {"login": "anna", "password": PASSWORD}
        for changed, headers in (
            (form, {"Origin": "http://evil.example.com"}),
            (form, {"Origin": "null"}),
            (form | {"csrf": "x"}, {}),
            ({key: form[key] for key in ("login", "password")}, {}),
        ):
            assert (await browser.post("/log-in", changed, **headers)).status == 403
        assert await sessions(sample) == []
        assert (await browser.post("/log-in", form)).status == 303
        for changed, headers in (({}, {}), ({"csrf": form["csrf"]}, {}), ({}, {"Origin": "null"})):
            assert (await browser.post("/log-out", changed, **headers)).status == 403
        assert (await browser.get("/registrations")).status == 200


async def test_what_no_browser_sends_is_refused_and_hurts_nobody(sample: Installation, running: Running):
    await hire(sample)
    async with browsing(running) as browser:
        url = f"{running.portal_url}/log-in"
        form = "application/x-www-form-urlencoded"
        for kind, body in (
            ("multipart/form-data", b"x"),
            (f"{form}; charset=nothing", b"csrf=x"),
            (form, b"\xff=1"),
            (form, b"&".join(b"x=1" for _ in range(1000))),
            (form, b"x" * 100_000),
            ("text/plain", b"csrf=x"),
        ):
            async with browser.http.post(url, data=body, headers={"Content-Type": kind}) as response:
                assert response.status in (403, 422)
                assert response.headers["X-Content-Type-Options"] == "nosniff"
        token = fields((await browser.get("/log-in")).text)["csrf"]
        for login in ("a\0", "a" * 30_000, "ż" * 3000, "'; --", "\U0001f600"):
            assert (await browser.post("/log-in", {"csrf": token, "login": login})).status in (401, 422, 429)
        for origin in ("http://[", "x", "://"):
            assert (await browser.post("/log-in", {"csrf": token}, Origin=origin)).status == 403
        for path in ("/registrations?q=%ed%a0%80", "/registrations?q=%ff&state=%00", "/log-in?next=%ff"):
            assert (await browser.get(path)).status in (200, 303)


async def test_logging_out_ends_the_session_and_not_only_the_cookie(sample: Installation, running: Running):
    await hire(sample)
    async with browsing(running) as browser:
        await browser.log_in()
        [cookie] = [each.value for each in browser.http.cookie_jar if each.key == SESSION]
        csrf = fields((await browser.get("/registrations")).text)["csrf"]
        assert (await browser.post("/log-out", {"csrf": csrf})).to == "/log-in"
        assert await sessions(sample) == []
        again = await browser.get("/registrations", Cookie=f"{SESSION}={cookie}")
        assert again.status == 303


async def test_logging_in_gives_a_new_key_and_ends_the_old_one(sample: Installation, running: Running):
    await hire(sample)
    async with browsing(running) as browser:
        await browser.log_in()
        [old] = [each.value for each in browser.http.cookie_jar if each.key == SESSION]
        # The form of another tab, which was open before.
        browser.http.cookie_jar.update_cookies({"centralka-form": "t"}, URL(browser.url))
        form = {"csrf": "t", "login": "anna", "password": PASSWORD}
        assert (await browser.post("/log-in", form)).status == 303
        assert (await browser.get("/registrations")).status == 200
    [row] = await sessions(sample)
    assert row.id_hash != token_hash(old)


@pytest.mark.parametrize("idle", [False, True])
async def test_a_session_ends_by_the_clock_and_with_its_users_role(
    sample: Installation, running: Running, idle: bool
):
    await hire(sample)
    async with browsing(running) as browser:
        await browser.log_in()
        assert (await browser.get("/registrations")).status == 200
        if idle:
            minutes = sample.settings.portal.idle_minutes
            await change_sessions(sample, last_seen_at=utc_now() - timedelta(minutes=minutes))
        else:
            await change_sessions(sample, expires_at=utc_now())
        assert (await browser.get("/registrations")).status == 303
        await browser.log_in()
        async with sample.database.change() as session:
            await session.execute(update(UserRow).values(role="operator"))
        assert (await browser.get("/registrations")).status == 200
        async with sample.database.change() as session:
            await session.execute(update(UserRow).where(UserRow.login == "anna").values(password_hash=None))
            user = await session.scalar(select(UserRow).where(UserRow.login == "anna"))
            assert user is not None
            await session.delete(user)
        assert (await browser.get("/registrations")).status == 303


async def test_a_user_has_so_many_sessions_and_no_more(sample: Installation):
    await hire(sample)
    async with sample.database.read() as session:
        user_id = await session.scalar(select(UserRow.id).where(UserRow.login == "anna"))
    assert user_id is not None
    for _ in range(MOST_OF_USER + 3):
        await begin_session(sample, user_id, "127.0.0.1")
    assert len(await sessions(sample)) == MOST_OF_USER


async def test_who_guesses_waits_and_is_told_for_how_long(sample: Installation, running: Running):
    await hire(sample)
    async with browsing(running) as browser:
        statuses = [(await browser.log_in("anna", "x")).status for _ in range(7)]
        late = await browser.log_in()
    assert statuses == [401] * 6 + [429]
    assert (late.status, int(late.headers["Retry-After"]) >= 1) == (429, True)


async def test_every_answer_keeps_others_out_of_the_page(sample: Installation, running: Running):
    await hire(sample)
    async with browsing(running) as browser:
        replies = [await browser.get(path) for path in ("/", "/log-in", "/registrations", "/nothing")]
        replies += [await browser.post("/log-in", {}), await browser.log_in()]
        replies.append(await browser.get("/registrations"))
    assert [reply.status for reply in replies] == [303, 200, 303, 404, 403, 303, 200]
    for reply in replies:
        assert {name: reply.headers.get(name) for name in HEADERS} == dict(HEADERS)
        assert "<script>" not in reply.text
        assert " style=" not in reply.text
        assert " onclick=" not in reply.text


async def test_nobody_is_sent_to_another_site_after_the_log_in(sample: Installation, running: Running):
    async with browsing(running) as browser:
        for to in ("//evil.example.com", "/%5Cevil", "https://evil", "/registrations%0D%0AX:%20y", "x"):
            page = await browser.get(f"/log-in?next={to}")
            assert fields(page.text)["next"] == "/registrations"


async def test_who_has_logged_in_again_is_where_they_were(sample: Installation, running: Running):
    await hire(sample)
    pages = ("/calls?state=live", "/calls/0b6f", "/test-calls/of/Jan%20Nowak?q=6", "/test-calls/made/3")
    async with browsing(running) as browser:
        for page in pages:
            to_form = (await browser.get(page)).to
            assert fields((await browser.get(to_form)).text)["next"] == page
        for stream in ("/calls/live", "/registrations/live?q=1", "/test-calls/going/x/live"):
            to_form = (await browser.get(stream)).to
            assert fields((await browser.get(to_form)).text)["next"] == "/registrations"
        assert (await browser.log_in(to="?next=/calls/0b6f")).to == "/calls/0b6f"


async def test_what_goes_wrong_is_said_in_the_language_and_the_frame_of_who_is_logged_in(
    sample: Installation, running: Running, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    await hire(sample, language="en")

    async def broken(*_: object) -> None:
        raise RuntimeError("a mistake of ours")

    monkeypatch.setattr("provisioner.web.portal.calls.call_board", broken)
    async with browsing(running) as browser:
        assert "<h1>Nie ma takiej strony</h1>" in (await browser.get("/nonesuch")).text
        await browser.log_in()
        for path, status, said in (
            ("/nonesuch", 404, "There is no such page"),
            ("/test-calls/of/nobody", 404, "There is no such page"),
            ("/calls", 500, "Something went wrong"),
        ):
            reply = await browser.get(path)
            assert (reply.status, f"<h1>{said}</h1>" in reply.text) == (status, True), reply
            assert 'href="/test-calls"' in reply.text
            assert dict(HEADERS).items() <= reply.headers.items()
    assert "a mistake of ours" in caplog.text


async def test_a_proxy_that_is_believed_says_where_the_browser_is(sample: Installation, settings: Settings):
    behind = settings.portal.model_copy(update={"proxies": ("127.0.0.1/32", "10.0.0.0/8")})
    proxied = replace(sample, settings=settings.model_copy(update={"portal": behind}))
    for installation, said, source in (
        (proxied, "198.51.100.9, 203.0.113.7, 10.1.1.1", "203.0.113.7"),
        (proxied, "nonsense", "127.0.0.1"),
        (proxied, "", "127.0.0.1"),
        (sample, "203.0.113.7", "127.0.0.1"),
    ):
        request = make_mocked_request("GET", "/", headers={"X-Forwarded-For": said} if said else {})
        assert source_of(installation, request.clone(remote="127.0.0.1")) == source


async def test_files_have_an_address_for_their_content_and_may_be_kept(
    sample: Installation, running: Running
):
    async with browsing(running) as browser:
        page = (await browser.get("/log-in")).text
        url = page.split('rel="stylesheet" href="')[1].split('"')[0]
        style = await browser.get(url)
        assert (style.status, style.headers["Content-Type"]) == (200, "text/css; charset=utf-8")
        assert "immutable" in style.headers["Cache-Control"]
        for other in ("/static/0/portal.css", "/static/x/nothing", "/static/x/..%2fapp.py"):
            assert (await browser.get(other)).status == 404


async def test_people_read_their_own_language(sample: Installation, running: Running):
    await hire(sample, language="en")
    for language, title in (("pl-PL,pl;q=0.9", "Logowanie"), ("de,en-GB", "Log in"), ("de", "Logowanie")):
        async with browsing(running, language) as browser:
            assert f"<h1>{title}</h1>" in (await browser.get("/log-in")).text
    async with browsing(running, "pl") as browser:
        await browser.log_in()
        assert '<html lang="en">' in (await browser.get("/registrations")).text


def test_every_language_has_every_word_with_the_same_gaps():
    for name in (field.name for field in fields_of(Words)):
        said = [getattr(words, name) for words in LANGUAGES.values()]
        assert all(said), name
        gaps = [sorted(part.split("}")[0] for part in word.split("{")[1:]) for word in said]
        assert all(gap == gaps[0] for gap in gaps), name
    assert {code: words.code for code, words in LANGUAGES.items()} == {"pl": "pl", "en": "en"}
    assert words_for("").code == "pl"
