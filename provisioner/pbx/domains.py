"""Which AORs are ours: a line's number at any name of this server (RFC 3261 §10.3, steps 1 and 5)."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_address

from sip.message.uri import SipUri, Uri, canonical_host, unescape
from sip.transport.flow import Flow


class Domains:
    """The names of this server. What a request has reached us by is one of them."""

    def __init__(self, names: Iterable[str]) -> None:
        """`names`: hosts as URIs write them."""
        self._names = frozenset(canonical_host(name) for name in names)

    @property
    def is_behind(self) -> bool:
        """Whether there may be names that are not known here yet: `catch_up` finds out."""
        return False

    async def catch_up(self) -> None:
        """Knows all names there are. Raises `StorageError`."""

    def line_of(self, uri: Uri, flow: Flow) -> str | None:
        """The number of the line that `uri` names, in a request that came by `flow`; None: it is not ours."""
        if not isinstance(uri, SipUri) or uri.user is None or not self.includes(uri.host, flow):
            return None
        return unescape(uri.user)

    async def has(self, uri: SipUri, flow: Flow) -> bool:
        """Whether the host of `uri` is a name of ours, known here yet or not. Raises `StorageError`."""
        if not self.includes(uri.host, flow) and self.is_behind:
            await self.catch_up()
        return self.includes(uri.host, flow)

    def includes(self, host: str, flow: Flow) -> bool:
        """Whether `host` is a name of ours, in a request that came by `flow`."""
        name = canonical_host(host)
        if name in self._names or name == canonical_host(flow.local.uri_host):
            return True
        return name == "localhost" and ip_address(flow.local.host).is_loopback
