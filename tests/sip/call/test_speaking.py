"""From where a phone is believed to speak in its call: others may know the tags of a dialog."""

from __future__ import annotations

import pytest

from sip.call.ringing import Caller, Target
from sip.message.uri import SipUri
from sip.transport.flow import Address, Transport
from tests.sip.call.phones import SERVER, Everybody, Switchboard, connected
from tests.sip.transaction.messages import Way

ELSEWHERE = Way(Transport.UDP, SERVER, Address("203.0.113.9", 5060))


class ToGateway(Everybody):
    """Rings a gateway, which is at an address of its own."""

    def __init__(self) -> None:
        super().__init__("112")
        self._targets = [Target("112", Caller("101"), uri=SipUri("198.51.100.2", "112"))]


@pytest.fixture
def board() -> Switchboard:
    return Switchboard()


def test_a_phone_speaks_from_where_it_has_spoken_and_nobody_from_elsewhere(board):
    caller, callee = board.phone("101"), board.phone("102")
    for talk in connected(board, caller, callee):
        info = talk.dialog.request("INFO")
        assert board.calls.knows(info, talk.phone.way)
        assert not board.calls.knows(info, ELSEWHERE)
        # Another port of its address may be another phone behind the same router.
        host, port = talk.phone.way.remote
        assert not board.calls.knows(info, Way(Transport.UDP, SERVER, Address(host, port + 1)))
        assert board.calls.line_of(info) == talk.phone.line


def test_a_phone_speaks_from_where_its_line_is_registered_now(board):
    caller, callee = board.phone("101"), board.phone("102")
    talk, _ = connected(board, caller, callee)
    caller.is_registered = False
    moved = board.phone("101")
    assert board.calls.knows(talk.dialog.request("INFO"), moved.way)


def test_a_gateway_has_no_password_and_speaks_from_any_port_of_its_address(board):
    caller, gateway = board.phone("101"), board.phone("112")
    board.routes["112"] = ToGateway
    _, talk = connected(board, caller, gateway)
    bye = talk.dialog.request("BYE")
    host, port = gateway.way.remote
    assert board.calls.knows(bye, Way(Transport.UDP, SERVER, Address(host, port + 1)))
    assert not board.calls.knows(bye, ELSEWHERE)
    assert board.calls.line_of(bye) is None
