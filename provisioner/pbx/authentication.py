"""Who may ask for anything: whoever knows the password of a line (RFC 3261 §22, RFC 8760).

A line that is not there and a wrong password take the same answer and the same work.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from provisioner.pbx.domains import Domains
from provisioner.pbx.keys import LineKey
from provisioner.pbx.lookups import once_known
from sip.bans import Ban, Bans
from sip.digest import Credentials, parse_credentials
from sip.digest_guard import Guard, Verdict
from sip.digest_uri import is_for
from sip.errors import BadAuthHeader
from sip.message.uri import SipUri
from sip.offers import offered
from sip.server import Incoming, SipServer

logger = logging.getLogger(__name__)

_LOOKUPS = 500
"So many may wait for the database at a time; others come again."


@dataclass(frozen=True, slots=True)
class Caller:
    """A line that has proved itself."""

    line_id: int
    number: str
    password_version: int
    "By which of the line's passwords."


Admitted = Callable[[Incoming, Caller], None]


class Keys(Protocol):
    """What lines are known by (see `provisioner.pbx.keys.LineKeys`)."""

    def known(self, number: str) -> LineKey:
        """What is believed of a line without a look, or a decoy."""

    async def of(self, number: str) -> LineKey:
        """What is true of it, or a decoy. Raises `StorageError`."""


class Authentication:
    """Asks who it is, and lets in who proves it."""

    def __init__(
        self,
        server: SipServer,
        guard: Guard,
        keys: Keys,
        domains: Domains,
        bans: Bans,
        note_ban: Callable[[Ban | None], None],
        tasks: asyncio.TaskGroup,
    ) -> None:
        """`note_ban` is told whom a request has had banned, if anybody."""
        self._server = server
        self._guard = guard
        self._keys = keys
        self._domains = domains
        self._bans = bans
        self._note_ban = note_ban
        self._tasks = tasks
        self._looking_up: set[str] = set()
        "Requests that are under way, by what their retransmissions are known by."

    def admit(self, incoming: Incoming, admitted: Admitted) -> None:
        """Calls `admitted` once a request has proved which line sends it; else it is answered here.

        It is called at once, or later.
        """
        credentials = self._credentials(incoming)
        if credentials is None or not self._guard.has_asked(credentials, incoming.flow.remote.host):
            # With a nonce that isn't from us nobody is let in, whatever else is right (RFC 7616 §3.3): so
            # nothing is looked up for whom we may never have spoken with.
            uri = incoming.request.to.uri
            user = uri.user if isinstance(uri, SipUri) and uri.user is not None else ""
            agent = incoming.request.headers.get("User-Agent")
            self._note_ban(self._bans.asked(incoming.flow, user, self._server.now(), agent))
            self._challenge(incoming, is_stale=credentials is not None)
            return
        # What is in memory is right, if it fits. What doesn't fit is asked of the database first.
        key = self._keys.known(credentials.username)
        verdict = self._judge(incoming, credentials, key)
        if verdict is not Verdict.REFUSED:
            self._decide(incoming, credentials, key, verdict, admitted)
        elif incoming.key not in self._looking_up and len(self._looking_up) < _LOOKUPS:
            self._looking_up.add(incoming.key)
            self._tasks.create_task(self._look_up(incoming, credentials, admitted))

    async def _look_up(self, incoming: Incoming, credentials: Credentials, admitted: Admitted) -> None:
        def known(key: LineKey) -> None:
            verdict = self._judge(incoming, credentials, key)
            self._decide(incoming, credentials, key, verdict, admitted)

        try:
            await once_known(incoming, self._keys.of(credentials.username), "who it is", known)
        finally:
            self._looking_up.discard(incoming.key)

    def _credentials(self, incoming: Incoming) -> Credentials | None:
        """Those for our realm; there may be some for others that are on the way (§22.3)."""
        for line in incoming.request.headers.under("authorization"):
            try:
                credentials = parse_credentials(line)
            except BadAuthHeader:
                continue
            if credentials.realm == self._guard.realm:
                return credentials
        return None

    def _judge(self, incoming: Incoming, credentials: Credentials, key: LineKey) -> Verdict:
        keys = (key.ha1(credentials.algorithm),)
        source = incoming.flow.remote.host
        return self._guard.judge(credentials, incoming.request.method, keys, time.time(), source).verdict

    def _decide(
        self,
        incoming: Incoming,
        credentials: Credentials,
        key: LineKey,
        verdict: Verdict,
        admitted: Admitted,
    ) -> None:
        flow, now, name = incoming.flow, self._server.now(), credentials.username
        if verdict is Verdict.STALE:
            self._challenge(incoming, is_stale=True)
        elif verdict is Verdict.REFUSED or key.line_id is None:
            logger.info("login refused user=%r source=%s", credentials.username[:40], flow.remote)
            ban = self._bans.failed(flow, credentials.username, now, has_nonce=True)
            self._note_ban(ban)
            self._challenge(incoming)
        elif not self._are_for(incoming, credentials):
            # RFC 7616 §3.4.6. Only who has the password, or stands between, ever hears of it.
            logger.warning("credentials of another request aor=%s source=%s", name, flow.remote)
            incoming.reply(400)
        else:
            self._server.proven.note(flow, now)
            self._bans.succeeded(flow, credentials.username, now)
            admitted(incoming, Caller(key.line_id, credentials.username, key.password_version))

    def _are_for(self, incoming: Incoming, credentials: Credentials) -> bool:
        def is_ours(host: str) -> bool:
            return self._domains.includes(host, incoming.flow)

        return is_for(credentials.uri, incoming.request, is_ours)

    def _challenge(self, incoming: Incoming, *, is_stale: bool = False) -> None:
        response = incoming.response(401)
        agent = incoming.request.headers.get("User-Agent")
        source = incoming.flow.remote.host
        for challenge in self._guard.challenges(time.time(), source, offered(agent), stale=is_stale):
            response.headers.add("WWW-Authenticate", str(challenge))
        incoming.answer(response)
