"""Debian's Chromium, for tests that see what people see."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, async_playwright, expect

PROGRAM = Path("/usr/bin/chromium")
DESKTOP, POCKET = (1280, 900), (390, 844)
"Widths and heights in pixels."
_LONGEST_MS = 60_000
"What takes longer has failed."
_OPTIONS = (
    # It refuses to run as root otherwise.
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--no-first-run",
)
_REMEMBER = """
() => {
    const rows = document.getElementById("rows");
    window.looks = [];
    const look = () => { for (const row of rows.children) looks.push([row.id, ...row.classList]); };
    new MutationObserver(look).observe(rows, {childList: true});
    look();
}
"""
_HAS_LOOKED = """
([row, classes]) => looks.some(([id, ...all]) => id === row && classes.every(each => all.includes(each)))
"""


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """The browser; skips the test where it is not installed, or fails it where `CI` is set."""
    if not os.access(PROGRAM, os.X_OK):
        missing = "Chromium is not installed: apt install chromium"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    expect.set_options(timeout=_LONGEST_MS)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=PROGRAM, args=list(_OPTIONS), timeout=_LONGEST_MS
        )
        try:
            yield browser
        finally:
            await browser.close()


@asynccontextmanager
async def page_of(browser: Browser, size: tuple[int, int] = DESKTOP) -> AsyncIterator[Page]:
    """A page of somebody who reads Polish; what its scripts complain of fails the test."""
    context = await browser.new_context(viewport={"width": size[0], "height": size[1]}, locale="pl-PL")
    complaints: list[str] = []
    try:
        page = await context.new_page()
        page.set_default_timeout(_LONGEST_MS)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: complaints.append(said.text))
        yield page
        # Every refusal of the server is complained of, too.
        assert [each for each in complaints if not each.startswith("Failed to load resource")] == []
    finally:
        await context.close()


async def remember_looks(page: Page) -> None:
    """From now on the page keeps what its table's rows look like, also for a moment."""
    await page.evaluate(_REMEMBER)


async def has_looked(page: Page, row: str, *classes: str) -> None:
    """Returns when the row with this id has had all these classes at once; it may have others by now."""
    await page.wait_for_function(_HAS_LOOKED, arg=[row, classes])


async def log_in(page: Page, url: str, login: str, password: str) -> None:
    """As a person does it, by the keyboard alone."""
    await page.goto(url)
    await page.get_by_label("Login").press_sequentially(login)
    await page.keyboard.press("Tab")
    await page.keyboard.type(password)
    await page.keyboard.press("Enter")
    # Not the form, whose address ends in where it leads.
    await page.wait_for_url(f"{url}/registrations")
