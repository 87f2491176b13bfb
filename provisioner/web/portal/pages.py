"""Pages: templates, the files beside them, and what every answer to a browser has."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from importlib.resources import files
from typing import Final

import jinja2
from aiohttp import web

from provisioner.operations.sessions import Session
from provisioner.web.portal.words import Words

HEADERS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self';"
    " connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    # Under `no-referrer` browsers send forms with the origin `null`.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Server": "centralka",
}
_FOREVER = "public, max-age=31536000, immutable"
_TYPES = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
_PACKAGE = "provisioner.web.portal"


@dataclass(frozen=True, slots=True)
class Frame:
    """What stands around every page."""

    words: Words
    user: str | None
    "Who is logged in."
    csrf: str
    "What a form brings along."
    alarms: int = 0
    "That wait for somebody."


@dataclass(frozen=True, slots=True)
class Notice:
    """A page that says one thing."""

    frame: Frame
    title: str
    text: str


class Static:
    """Files that browsers may keep for ever: another content has another address."""

    def __init__(self) -> None:
        found = (file for file in (files(_PACKAGE) / "static").iterdir() if file.is_file())
        self._files = {file.name: file.read_bytes() for file in found}

    def url(self, name: str) -> str:
        """Where a file is; a mistyped name is our mistake."""
        return f"/static/{hashlib.sha256(self._files[name]).hexdigest()[:12]}/{name}"

    async def serve(self, request: web.Request) -> web.Response:
        """One file, at its newest address alone."""
        name = request.match_info["name"]
        if name not in self._files or request.path != self.url(name):
            raise web.HTTPNotFound
        return web.Response(
            body=self._files[name],
            content_type=_TYPES[name.rpartition(".")[2]],
            charset="utf-8",
            headers={**HEADERS, "Cache-Control": _FOREVER},
        )


class Pages:
    """What makes HTML of a view. Templates get one thing, `view`."""

    def __init__(self) -> None:
        self.static = Static()
        self._templates = jinja2.Environment(
            loader=jinja2.PackageLoader(_PACKAGE),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.globals["static"] = self.static.url

    def text(self, template: str, view: object) -> str:
        """The HTML."""
        return self._templates.get_template(template).render(view=view)

    def page(self, template: str, view: object, status: int = HTTPStatus.OK) -> web.Response:
        """The whole answer."""
        return web.Response(
            text=self.text(template, view), status=status, content_type="text/html", headers=HEADERS
        )


def frame_for(words: Words, session: Session | None, csrf: str = "", alarms: int = 0) -> Frame:
    """The frame that somebody sees."""
    return Frame(words, session.login if session else None, session.csrf if session else csrf, alarms)
