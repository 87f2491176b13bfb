"""The pages as people have them before them: in Debian's Chromium, on a desk and in a pocket."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from provisioner.app import serving
from provisioner.centrex.actor import COMMAND_LINE
from provisioner.centrex.mac import MacAddress
from provisioner.files.company import read_company_file
from provisioner.operations.alarms import AlarmKind
from provisioner.operations.companies import apply
from provisioner.operations.installation import Installation, initialise, opened
from provisioner.pbx.recorder import Recorder
from tests.e2e.chromium import DESKTOP, POCKET, chromium, has_looked, log_in, page_of, remember_looks
from tests.provisioner.alarms import raised
from tests.provisioner.bindings import bind, contact_of, happened, now, unbind
from tests.provisioner.conftest import SAMPLE
from tests.provisioner.operations.proofs import FINDING, proof
from tests.provisioner.operations.test_proof_history import kept
from tests.provisioner.pbx.called import hunted, missed, record
from tests.provisioner.pbx.story import ANNA, RECEPTION, SALES, Story
from tests.provisioner.web.browsing import PASSWORD, hire
from tests.provisioner.web.pages import pages
from tests.provisioner.written import loopback_settings

LINE, PHONE = "48223809880", MacAddress("805ec0123456")
KEY = f"r-{LINE}-{PHONE.hex}-1"
ROW = f"#{KEY}"
UNLABELLED = """
() => [...document.querySelectorAll("input, select, button, textarea")]
    .filter(each => each.type !== "hidden" && !each.labels?.length && !each.textContent.trim())
    .map(each => each.outerHTML)
"""
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
FOCUSED = "document.activeElement.id || document.activeElement.textContent.trim()"


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Installation]:
    """The sample company, with Anna on the staff."""
    settings = loopback_settings()
    await initialise(tmp_path / "d", settings)
    async with opened(tmp_path / "d", settings) as installation:
        await apply(installation, read_company_file(SAMPLE.read_bytes(), SAMPLE.name), COMMAND_LINE)
        await hire(installation)
        yield installation


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as browser:
        yield browser


async def well_made(page: Page) -> None:
    """Nothing sticks out of the page, and everything that can be filled in says what for."""
    assert await page.evaluate(OVERFLOW) <= 0
    assert await page.evaluate(UNLABELLED) == []


async def reached(page: Page, times: int) -> list[str]:
    """What the tabulator comes to."""
    found = []
    for _ in range(times):
        await page.keyboard.press("Tab")
        found.append(str(await page.evaluate(FOCUSED)))
    return found


async def test_a_row_changes_before_the_eyes_of_who_looks_at_it(shop: Installation, browser: Browser):
    async with page_of(browser, DESKTOP) as page:
        async with serving(shop, lambda _: None) as server:
            await log_in(page, server.portal_url, "anna", PASSWORD)
            link, row = page.get_by_role("status"), page.locator(ROW)
            await expect(link).to_have_text("na żywo")
            await expect(row).to_contain_text("niezarejestrowany")
            await page.evaluate("window.isTheSamePage = true")
            await remember_looks(page)
            await bind(shop, LINE, PHONE, reachable=True, heard_at=now())
            await happened(shop, "registered", LINE, PHONE)
            await has_looked(page, KEY, "reachable", "changed")
            await expect(row).to_contain_text(contact_of(LINE))
            await expect(row.get_by_role("img", name="Jak daleko zaszedł")).to_have_attribute(
                "aria-label", "Jak daleko zaszedł: na liście, zarejestrowany, osiągalny"
            )
            await expect(page.locator("#count-reachable")).to_have_text("1")
            await unbind(shop, LINE)
            await happened(shop, "expired", LINE, PHONE)
            await expect(row).to_contain_text("rejestracja wygasła")
            await expect(page.locator("#count-reachable")).to_have_text("0")
            assert await page.evaluate("window.isTheSamePage") is True
        await expect(link).to_have_text("brak połączenia, dane mogą być nieaktualne")


@pytest.mark.parametrize("size", [DESKTOP, POCKET], ids=["desktop", "pocket"])
async def test_everything_fits_has_a_label_and_is_reached_by_the_keyboard(
    shop: Installation, browser: Browser, size: tuple[int, int]
):
    await bind(shop, LINE, PHONE, contact=f"sip:{LINE}@127.0.0.7:5060;" + "x" * 200, user_agent="y" * 300)
    async with serving(shop, lambda _: None) as server, page_of(browser, size) as page:
        await page.goto(server.portal_url)
        await well_made(page)
        await page.get_by_label("Login").fill("anna")
        await page.get_by_label("Hasło").fill("wrong")
        await page.get_by_role("button", name="Zaloguj się").click()
        await expect(page.get_by_role("alert")).to_contain_text("Zły login albo hasło")
        await well_made(page)
        await log_in(page, server.portal_url, "anna", PASSWORD)
        await expect(page.get_by_role("status")).to_have_text("na żywo")
        await well_made(page)
        assert await reached(page, 10) == [
            *("Przejdź do treści", "Centralka", "Rejestracje", "Połączenia", "Testy", "Alarmy", "Wyloguj"),
            *("q", "state", "Pokaż"),
        ]
        await page.keyboard.press("/")
        assert await page.evaluate(FOCUSED) == "q"
        await page.keyboard.type("konferencyjna")
        await page.keyboard.press("Enter")
        await page.wait_for_url("**/registrations?q=konferencyjna*")
        assert await page.locator("#rows tr").count() == 1
        await page.get_by_label("Stan").select_option("zarejestrowane")
        await page.wait_for_url("**state=live")
        await expect(page.get_by_text("Nic tu nie ma")).to_be_visible()
        await well_made(page)
        await page.get_by_role("link", name="Wyczyść").click()
        await expect(page.locator(ROW)).to_be_visible()
        await page.get_by_role("button", name="Wyloguj").click()
        await expect(page.get_by_label("Hasło")).to_be_visible()


@pytest.mark.parametrize("size", [DESKTOP, POCKET], ids=["desktop", "pocket"])
async def test_a_call_is_drawn_as_it_goes_on(shop: Installation, browser: Browser, size: tuple[int, int]):
    await record(shop, hunted, missed)
    recorder = Recorder(shop, lambda: 1000.0)
    story = Story(recorder.tell).begins(RECEPTION, "600").rings(SALES, "600")
    async with pages(shop) as server, page_of(browser, size) as page:
        await log_in(page, server.portal_url, "anna", PASSWORD)
        await page.get_by_role("link", name="Połączenia").click()
        await expect(page.get_by_role("status")).to_have_text("na żywo")
        await expect(page.locator("#rows tr")).to_have_count(2)
        await recorder.close()
        row = page.locator(f"#c-{story.id}")
        await expect(row).to_have_class("call ringing changed")
        await expect(row.locator("li")).to_have_count(1)
        story.after(15).stops(SALES).rings(ANNA, "600").after(4).answers(ANNA)
        await recorder.close()
        await expect(row).to_have_class("call talking changed")
        await expect(row.locator("li.no-answer")).to_contain_text("dzwoniło 0:15, nie odebrał")
        await expect(row.locator("li.answered")).to_contain_text("102 Anna Żółkiewska")
        await expect(page.locator("#count-talking")).to_have_text("1")
        await well_made(page)
        story.ends()
        await recorder.close()
        await expect(row).to_contain_text("rozłączył dzwoniący")
        await page.get_by_label("Stan").select_option("nieodebrane")
        await page.wait_for_url("**state=unanswered")
        await expect(page.locator("#rows tr")).to_have_count(1)
        await well_made(page)


@pytest.mark.parametrize("size", [DESKTOP, POCKET], ids=["desktop", "pocket"])
async def test_test_calls_and_why_a_call_did_not_ring_fit_and_are_reached_by_the_keyboard(
    shop: Installation, browser: Browser, size: tuple[int, int]
):
    (made,) = await kept(shop, proof("600", FINDING))
    (call,) = await record(shop, hunted)
    async with pages(shop) as server, page_of(browser, size) as page:
        await log_in(page, server.portal_url, "anna", PASSWORD)
        await page.get_by_role("link", name="Testy").click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("Testy połączeń: nowyklienttestowy")
        await well_made(page)
        await page.get_by_role("link", name="Zobacz wynik: 600").click()
        await page.wait_for_url(f"**/made/{made}")
        await expect(page.locator(".verdict .word")).to_be_visible()
        await well_made(page)
        await page.goto(f"{server.portal_url}/calls/{call}")
        await well_made(page)
        question = page.locator("summary", has_text="104 Sala konferencyjna")
        await question.focus()
        await page.keyboard.press("Enter")
        await expect(page.get_by_text("nie był wtedy zarejestrowany")).to_be_visible()
        await well_made(page)


@pytest.mark.parametrize("size", [DESKTOP, POCKET], ids=["desktop", "pocket"])
async def test_an_alarm_comes_while_one_looks_and_is_seen_to_by_the_keyboard(
    shop: Installation, browser: Browser, size: tuple[int, int]
):
    first = await raised(shop, AlarmKind.FIRMWARE, customer="nowyklienttestowy", mac=PHONE)
    async with pages(shop) as server, page_of(browser, size) as page:
        await log_in(page, server.portal_url, "anna", PASSWORD)
        await page.get_by_role("link", name="Alarmy 1").click()
        await expect(page.get_by_role("status")).to_have_text("na żywo")
        second = await raised(shop, AlarmKind.RED, customer="nowyklienttestowy", number="600")
        # A test that is over wakes those who look.
        await kept(shop, proof("600", FINDING))
        await expect(page.locator("#count-badge")).to_have_text("2")
        await expect(page.locator("#rows tr").first).to_have_id(f"a-{second}")
        await page.locator(f"#a-{second} summary").focus()
        await page.keyboard.press("Enter")
        await expect(page.get_by_text("because of number-red")).to_be_visible()
        await well_made(page)
        for number in (second, first):
            await page.locator(f"#a-{number}").get_by_role("button", name="Oznacz").focus()
            await page.keyboard.press("Enter")
            await expect(page.locator(f"#a-{number}")).to_contain_text("załatwiony")
        await expect(page.locator("#count-badge")).to_be_hidden()
        await expect(page.locator("#count-waiting")).to_have_text("0")
        ink = await page.evaluate("getComputedStyle(document.body).color")
        await expect(page.locator("#count-waiting")).to_have_css("color", ink)
        await well_made(page)


async def test_the_places_stand_in_one_line_on_a_phone_wherever_one_is(shop: Installation, browser: Browser):
    for number in range(12):
        await raised(shop, AlarmKind.SCAN, source=f"192.0.2.{number}")
    async with pages(shop) as server, page_of(browser, POCKET) as page:
        await log_in(page, server.portal_url, "anna", PASSWORD)
        for name in ("Połączenia", "Testy", "Alarmy", "Rejestracje"):
            await page.locator(".places a", has_text=name).click()
            await expect(page.locator(".places [aria-current]")).to_contain_text(name)
            boxes = [await each.bounding_box() for each in await page.locator(".places a").all()]
            assert len({box["y"] for box in boxes if box}) == 1, name
            assert max(box["height"] for box in boxes if box) < 40, name
