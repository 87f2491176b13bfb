"""Listening to all messages."""

from __future__ import annotations

from sip.message.parser import AnyMessage, parse_datagram
from sip.overhearing import Ears
from tests.sip.test_server import a_request


class Listener:
    def __init__(self) -> None:
        self.heard: list[AnyMessage | bytes] = []

    def came(self, message: AnyMessage) -> None:
        self.heard.append(message)

    def sent(self, data: bytes) -> None:
        self.heard.append(data)


class Broken:
    def came(self, message: AnyMessage) -> None:
        raise ValueError("deaf")

    def sent(self, data: bytes) -> None:
        raise ValueError("deaf")


def test_who_listens_hears_all_while_he_does_whatever_befalls_others():
    ears, first, second = Ears(), Listener(), Listener()
    message = parse_datagram(a_request())
    assert message is not None
    with ears.heard_by(Broken()), ears.heard_by(first):
        with ears.heard_by(second):
            ears.came(message)
        ears.sent(b"data")
    ears.sent(b"more")
    assert (first.heard, second.heard, ears.there) == ([message, b"data"], [message], ())
