"""Who looks at a page: its browser's session, and whether a form was sent from a page of ours."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import parse_qsl

from aiohttp import web

from provisioner.centrex.errors import BadValue, Forbidden
from provisioner.operations.installation import Installation
from provisioner.operations.sessions import Session, session_of
from provisioner.operations.sources import is_within

CSRF_FIELD = "csrf"

class FormTooOld(Forbidden):
    """A form that was not sent from a page of ours to this browser."""

    code = "form-too-old"


class BadForm(BadValue):
    """What no form of ours sends."""

    code = "bad-form"


_FORM = "application/x-www-form-urlencoded"
_NO_FORM = "that is no form of these pages: load the page again, then fill in its form"
_LONGEST_FORM = 1 << 15
"In bytes."
_FIELDS = 20


@dataclass(frozen=True, slots=True)
class Cookies:
    """Names and marks of our cookies."""

    is_secure: bool
    "The pages are reached over HTTPS."

    @property
    def session(self) -> str:
        """What the key of a session goes by."""
        return self._named("session")

    @property
    def form(self) -> str:
        """What the token of a form goes by, where nobody is logged in."""
        return self._named("form")

    def _named(self, name: str) -> str:
        # RFC 6265bis §4.1.3.2: nobody on another host or without TLS can set such a one.
        return f"__Host-centralka-{name}" if self.is_secure else f"centralka-{name}"

    def put(self, response: web.StreamResponse, name: str, value: str) -> None:
        """Gives the browser a cookie until it is closed; the session itself ends earlier."""
        response.set_cookie(name, value, path="/", httponly=True, samesite="Lax", secure=self.is_secure)

    def drop(self, response: web.StreamResponse, name: str) -> None:
        """Takes it back."""
        response.del_cookie(name, path="/", httponly=True, samesite="Lax", secure=self.is_secure)


def cookies_of(installation: Installation) -> Cookies:
    """How cookies are given out."""
    url = installation.settings.portal.url
    return Cookies(is_secure=url is not None and url.startswith("https:"))


async def session_in(
    installation: Installation, request: web.Request, *, counts_as_use: bool = True
) -> Session | None:
    """The session that the browser's cookie opens. Raises `StorageError`."""
    key = request.cookies.get(cookies_of(installation).session)
    return await session_of(installation, key, counts_as_use=counts_as_use) if key else None


def source_of(installation: Installation, request: web.Request) -> str:
    """The address of the browser: what the nearest of our proxies that are believed says it is."""
    source = request.remote or ""
    trusted = installation.settings.portal.trusted()
    said = ",".join(request.headers.getall("X-Forwarded-For", [])).split(",")
    while is_within(source, trusted) and said:
        try:
            source = str(ip_address(said.pop().strip()))
        except ValueError:
            break
    return source


def fresh_form_token() -> str:
    """What a form brings along where nobody is logged in: the browser has it as a cookie, too."""
    return secrets.token_urlsafe(24)


def check_form(installation: Installation, request: web.Request, brought: str, wanted: str | None) -> None:
    """Raises `FormTooOld`."""
    origin = request.headers.get("Origin")
    if origin is not None and not _is_ours(installation, request, origin):
        raise FormTooOld("the form comes from another site: send it from the page that has it")
    if not wanted or not hmac.compare_digest(brought.encode(), wanted.encode()):
        raise FormTooOld("the form is too old: load the page again, then send it again")


def _is_ours(installation: Installation, request: web.Request, origin: str) -> bool:
    url = installation.settings.portal.url
    return origin == url if url is not None else origin.partition("://")[2] == request.host


async def form_of(request: web.Request) -> Mapping[str, str]:
    """The fields of a form. Raises `BadForm`."""
    length = request.content_length
    if request.content_type != _FORM or length is None or length > _LONGEST_FORM:
        raise BadForm(_NO_FORM)
    try:
        fields = parse_qsl((await request.read()).decode(), keep_blank_values=True, max_num_fields=_FIELDS)
    except ValueError as error:
        raise BadForm(_NO_FORM) from error
    return dict(fields)
