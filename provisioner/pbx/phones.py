"""The phones that are registered, as those see them who have something to tell them."""

from __future__ import annotations

from collections.abc import Callable

from provisioner.pbx.parted import Parted
from sip.binding import Binding, ChangeKind
from sip.location import Location
from sip.message.message import Request, Response
from sip.message.uri import SipUri
from sip.server import SipServer
from sip.transport.flow import Address, Flow, Transport
from sip.transport.transport import SipTransport
from sip.watch import Watch

_SIP_PORT = 5060


class Phones:
    """Where they are, and the way there."""

    def __init__(
        self, server: SipServer, transport: SipTransport, location: Location, parted: Parted
    ) -> None:
        self._server = server
        self._transport = transport
        self._location = location
        self._parted = parted

    def bindings(self, line: str) -> tuple[Binding, ...]:
        """Where phones of a line are; none that has lapsed."""
        return self._location.bindings(line, self._server.now())

    def parted(self, device_id: int) -> tuple[str, Binding] | None:
        """The line and the place of a phone that is not registered any more by a change of ours."""
        return self._parted.of(device_id, self._server.now())

    def flow_of(self, binding: Binding) -> Flow | None:
        """The way by which it registered, if that is still there."""
        return self._transport.flow_to(binding.transport, binding.remote, binding.local)

    def flow_to_gateway(self, gateway: SipUri) -> Flow | None:
        """The way to a gateway that is named by its address."""
        port = _SIP_PORT if gateway.port is None else gateway.port
        return self._transport.flow_to(Transport.UDP, Address(gateway.host.strip("[]"), port))

    async def fitting(self, flow: Flow, size: int) -> Flow:
        """The way for a request of so many bytes: by a connection where that is too much for UDP."""
        return await self._transport.fitting(flow, size)

    def watch(self, wake: Callable[[], None], kinds: frozenset[ChangeKind]) -> Watch:
        """Tells of what happens to bindings from now on."""
        return self._location.subscribe(None, wake, kinds)

    async def ask(self, request: Request, flow: Flow) -> Response | None:
        """The final response to a request; None: there was none in time."""
        return await self._server.ask(request, flow)
