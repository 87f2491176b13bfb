"""The sockets of `--sip` and `--sips`, bound before anything is up."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from provisioner.centrex.errors import CentralkaError
from provisioner.control.server import Said, Say, Verb
from provisioner.settings import Listen, split_address
from sip.transport import sockets
from sip.transport.errors import CantListen
from sip.transport.flow import Address
from sip.transport.sockets import Listener


class CantListenForSip(CentralkaError):
    """An address that SIP can't be listened on."""

    code = "cant-listen"


@contextmanager
def bound(listen: Listen) -> Iterator[list[Listener]]:
    """The listeners that are configured, UDP first; closed at the end. Raises `CantListenForSip`."""
    made: list[Listener] = []
    try:
        try:
            made += sockets.bind(Address(*split_address(listen.sip)))
            if listen.sips is not None:
                made.append(sockets.bind_tls(Address(*split_address(listen.sips))))
        except CantListen as error:
            raise CantListenForSip(str(error)) from error
        yield made
    finally:
        for listener in made:
            listener.socket.close()


def addresses_verb(doors: Mapping[str, str], listeners: Sequence[Listener]) -> Verb:
    """`addresses`: says once where the server listens, wildcards as they are, and which process it is.

    `doors` are the URLs for phones by the options that they are said with.
    """

    async def addresses(_: Said, say: Say) -> None:
        sip = [(each.transport, *each.local) for each in listeners]
        await say({"pid": os.getpid(), "provisioning": dict(doors), "sip": sip})

    return addresses
