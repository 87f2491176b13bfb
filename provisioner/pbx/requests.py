"""What phones ask of this server, each after it has been made out who asks (RFC 3261 §10, §11)."""

from __future__ import annotations

import asyncio
from typing import Protocol

from provisioner.pbx.authentication import Authentication, Caller
from provisioner.pbx.domains import Domains
from provisioner.pbx.lookups import once_known
from sip.message.uri import SipUri
from sip.server import Incoming, SipServer
from sip.transport.transport import SipTransport


class Registrar(Protocol):
    """Who keeps registrations (see `provisioner.pbx.registrations.Registrations`)."""

    @property
    def is_full(self) -> bool:
        """Whether nobody else should begin to register."""

    def put(self, incoming: Incoming, caller: Caller) -> None:
        """Takes a REGISTER of a line that has proved who it is, and answers it. Raises `SipError`."""


class Requests:
    """The handlers, one a method."""

    def __init__(
        self,
        server: SipServer,
        transport: SipTransport,
        authentication: Authentication,
        domains: Domains,
        registrations: Registrar,
        tasks: asyncio.TaskGroup,
    ) -> None:
        self._server = server
        self._transport = transport
        self._authentication = authentication
        self._domains = domains
        self._registrations = registrations
        self._tasks = tasks
        server.on("REGISTER", self._register)
        server.on("OPTIONS", self._options)

    def _register(self, incoming: Incoming) -> None:
        if self._registrations.is_full:
            # Before anything is computed for it (§21.5.4).
            incoming.reply(503, [("Retry-After", "5")])
        elif not isinstance(incoming.request.to.uri, SipUri):
            # Whoever it is: by no password is anybody registered there (RFC 4475 §3.3.4).
            incoming.reply(400)
        else:
            self._authentication.admit(incoming, self._registers)

    def _registers(self, incoming: Incoming, caller: Caller) -> None:
        incoming.serve()
        if self._line_of(incoming) is None and self._domains.is_behind:
            self._tasks.create_task(self._catch_up(incoming, caller))
        else:
            self._put(incoming, caller)

    async def _catch_up(self, incoming: Incoming, caller: Caller) -> None:
        """Perhaps its phone has just been told to come by that name."""
        await once_known(
            incoming, self._domains.catch_up(), "which names are ours", lambda _: self._put(incoming, caller)
        )

    def _line_of(self, incoming: Incoming) -> str | None:
        return self._domains.line_of(incoming.request.to.uri, incoming.flow)

    def _put(self, incoming: Incoming, caller: Caller) -> None:
        line = self._line_of(incoming)
        if line is None:
            # §10.3, step 5.
            incoming.reply(404)
        elif line != caller.number:
            # §10.3, step 4: nobody changes where another line is.
            incoming.reply(403)
        else:
            self._transport.keep(incoming.flow)
            self._registrations.put(incoming, caller)

    def _options(self, incoming: Incoming) -> None:
        # Phones keep their way through a NAT open by it, and bring no credentials.
        if self._server.proven.has_proved(incoming.flow, self._server.now()):
            self._asks(incoming)
        else:
            self._authentication.admit(incoming, lambda each, _: self._asks(each))

    def _asks(self, incoming: Incoming) -> None:
        if self._is_to_us(incoming) or not self._domains.is_behind:
            self._tell(incoming)
        else:
            caught_up = self._domains.catch_up()
            tell = once_known(incoming, caught_up, "which names are ours", lambda _: self._tell(incoming))
            self._tasks.create_task(tell)

    def _tell(self, incoming: Incoming) -> None:
        """§11.2: as an INVITE there would be answered, so 404 where the host is none of ours."""
        if self._is_to_us(incoming):
            self._capabilities(incoming)
        else:
            incoming.reply(404)

    def _is_to_us(self, incoming: Incoming) -> bool:
        uri = incoming.uri
        return isinstance(uri, SipUri) and self._domains.includes(uri.host, incoming.flow)

    def _capabilities(self, incoming: Incoming) -> None:
        """§11.2."""
        incoming.reply(
            200,
            [
                ("Allow", self._server.allowed),
                ("Accept", "application/sdp"),
                ("Supported", "path, outbound, timer"),
            ],
        )
