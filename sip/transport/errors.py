"""What goes wrong with sockets before any message is exchanged."""

from __future__ import annotations

from sip.errors import SipError


class TransportError(SipError):
    """The root of the family."""

    code = "transport"


class CantListen(TransportError):
    """An address that can't be listened on."""

    code = "cant-listen"


class CantConnect(TransportError):
    """A peer that no connection can be made to."""

    code = "cant-connect"
