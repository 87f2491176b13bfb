"""The report of test calls as people open it: a file, in Debian's Chromium, on a desk and in a pocket."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from playwright.async_api import expect

from provisioner.operations.messages import Message
from provisioner.web.call_report.page import page as written
from provisioner.web.call_report.words import PL
from tests.e2e.chromium import DESKTOP, POCKET, chromium, page_of
from tests.provisioner.web.reports import proof, switchboard

FAILED = "Numer 600 nie dzwoni tak, jak go ustawiono."
TOO_SHORT = "dzwonił za krótko: 4,0 s zamiast 10,0 s"
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
UNSEEN = """
() => [...document.querySelectorAll(".turns svg rect")]
    .filter(bar => bar.getBoundingClientRect().width < 1).length
"""


@pytest.mark.parametrize("size", [DESKTOP, POCKET], ids=["desktop", "pocket"])
async def test_it_fits_is_drawn_and_says_what_failed(tmp_path: Path, size: tuple[int, int]):
    report = tmp_path / "report.html"
    long = switchboard(name="Bardzo długa nazwa grupy " * 4, ring_time=10)
    report.write_text(written(proof(long, switchboard(ring_time=4, delay=0)), PL), encoding="utf-8")
    async with chromium() as browser, page_of(browser, size) as page:
        await page.goto(report.as_uri())
        await expect(page.get_by_role("heading", level=1)).to_have_text("Test połączeń z numerem 600")
        await expect(page.locator(".verdict .word")).to_have_text(FAILED)
        failed = page.locator("article", has_text="Odbiera dopiero ostatni")
        await expect(failed.locator(".finding").first).to_contain_text(TOO_SHORT)
        await expect(failed.get_by_role("img", name="dzwonił 4,")).to_be_visible()
        assert await page.evaluate(OVERFLOW) <= 0
        # Also what was short is seen.
        assert await page.evaluate(UNSEEN) == 0


@pytest.mark.parametrize("size", [DESKTOP, POCKET], ids=["desktop", "pocket"])
async def test_a_message_is_opened_by_the_keyboard_and_fits(tmp_path: Path, size: tuple[int, int]):
    report = tmp_path / "report.html"
    said = proof(switchboard(), switchboard())
    lines = ("0000000000", "48223809887", "48223809986")
    text = f"INVITE sip:{'9' * 80}@127.0.0.1 SIP/2.0\r\nCSeq: 1 INVITE\r\n\r\n"
    messages = tuple(Message(line, 0.01, came=line != lines[0], text=text) for line in lines)
    report.write_text(
        written(replace(said, calls=(replace(said.calls[0], messages=messages),)), PL), encoding="utf-8"
    )
    async with chromium() as browser, page_of(browser, size) as page:
        await page.goto(report.as_uri())
        ladder = page.locator(".ladder > summary")
        message = page.locator(".message pre").nth(1)
        await expect(message).to_be_hidden()
        await ladder.focus()
        for key in ("Enter", "Tab", "Tab", "Enter"):
            await page.keyboard.press(key)
        await expect(message).to_be_visible()
        await expect(page.locator(".message pre").first).to_be_hidden()
        await expect(page.get_by_role("img", name="dzwoniący → centrala: INVITE")).to_be_visible()
        assert await page.evaluate(OVERFLOW) <= 0
