"""A browser of the portal, as far as HTTP goes: it keeps cookies, follows nothing, and reads forms."""

from __future__ import annotations

import html
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
import argon2
from sqlalchemy import select

from db.schema import CustomerRow, UserRow
from provisioner.app import Running
from provisioner.operations.installation import Installation

PASSWORD = "correct horse"
CHEAP = argon2.PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
"Tests need no protection against whoever steals the database."


@dataclass
class Reply:
    """What came back."""

    status: int
    headers: dict[str, str]
    text: str

    @property
    def to(self) -> str:
        """Where it sends the browser."""
        return self.headers.get("Location", "")


@dataclass
class Browser:
    """One of them."""

    http: aiohttp.ClientSession
    url: str

    async def get(self, path: str, **headers: str) -> Reply:
        return await self._ask("GET", path, headers, None)

    async def post(self, path: str, form: dict[str, str], **headers: str) -> Reply:
        return await self._ask("POST", path, {"Origin": self.url} | headers, form)

    async def log_in(self, login: str = "anna", password: str = PASSWORD, to: str = "") -> Reply:
        """The form, filled in and sent."""
        page = await self.get(f"/log-in{to}")
        form = fields(page.text) | {"login": login, "password": password}
        return await self.post("/log-in", form)

    async def _ask(
        self, method: str, path: str, headers: dict[str, str], form: dict[str, str] | None
    ) -> Reply:
        request = self.http.request(
            method, f"{self.url}{path}", headers=headers, data=form, allow_redirects=False
        )
        async with request as response:
            return Reply(response.status, dict(response.headers), await response.text())


def fields(page: str) -> dict[str, str]:
    """What the hidden fields of a page say."""
    found = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page)
    return {name: html.unescape(value) for name, value in found}


@asynccontextmanager
async def browsing(server: Running, language: str = "pl") -> AsyncIterator[Browser]:
    """A browser that knows nothing yet."""
    jar = aiohttp.CookieJar(unsafe=True)
    headers = {"Accept-Language": language}
    async with aiohttp.ClientSession(cookie_jar=jar, headers=headers) as http:
        yield Browser(http, server.portal_url)


async def hire(
    installation: Installation, login: str = "anna", role: str = "technician", **values: object
) -> None:
    """Somebody who may log in."""
    async with installation.database.change() as session:
        customer_id = None
        if role in ("customer", "user"):
            customer_id = await session.scalar(select(CustomerRow.id))
        defaults = {"password_hash": CHEAP.hash(PASSWORD), "role": role, "customer_id": customer_id}
        session.add(UserRow(login=login, **(defaults | values)))
