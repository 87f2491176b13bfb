"""The staff page in Debian's Chromium, while a real phone comes and is killed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from playwright.async_api import expect

from sip.transport.flow import Transport
from tests.e2e.chromium import chromium, has_looked, log_in, page_of, remember_looks
from tests.e2e.exchange import Site, exchange
from tests.e2e.softphones.baresip import baresip
from tests.provisioner.web.browsing import PASSWORD, hire

SHORT = "[sip]\nmin_expires_s = 1\nping_s = 1\n"


async def test_a_row_follows_a_real_phone_that_registers_and_is_killed(
    tmp_path: Path, migrated_sqlite: Path
) -> None:
    site = Site.make()
    phone = site.phone(2, Transport.TCP)
    key = f"r-{phone.line}-{phone.mac.replace(':', '')}-1"
    async with exchange(tmp_path, migrated_sqlite, site, [phone], SHORT) as served:
        await hire(served.installation)
        account = replace(await served.account(phone), expires_s=6)
        async with chromium() as browser, page_of(browser) as page:
            await log_in(page, served.running.portal_url, "anna", PASSWORD)
            row = page.locator(f"#{key}")
            await expect(page.get_by_role("status")).to_have_text("na żywo")
            await expect(row).to_contain_text("niezarejestrowany")
            await page.evaluate("window.isTheSamePage = true")
            await remember_looks(page)
            async with baresip(account, tmp_path / "phone", served.host(phone)) as client:
                await client.registers()
                await expect(row).to_contain_text(f"@{client.listens}")
                await has_looked(page, key, "reachable")
                await expect(row).to_contain_text("T23G")
                await client.program.kill()
            # Its connection ended with it; what it had registered runs out later.
            await has_looked(page, key, "unreachable")
            await expect(row).to_contain_text("rejestracja wygasła")
            assert await page.evaluate("window.isTheSamePage") is True
