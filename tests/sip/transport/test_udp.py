"""Messages by UDP, over real sockets."""

from __future__ import annotations

import socket

import pytest

from sip.message.message import Request
from sip.transport.errors import CantListen
from sip.transport.flow import Address, Transport
from sip.transport.sockets import bind
from sip.transport.transport import listening
from tests.sip.message.messages import response
from tests.sip.transport.peers import LOOPBACK, OPTIONS, Remembers, peer

V6 = Address("::1", 0)
WITHOUT_RPORT = OPTIONS.replace(b";rport", b"")


async def test_a_request_says_where_it_came_from_and_is_answered_there():
    receiver = Remembers()
    async with listening(bind(LOOPBACK), receiver) as transport:
        (kind, address), _ = transport.listeners
        assert kind is Transport.UDP
        async with peer(address) as phone:
            answer = response(await phone.ask(OPTIONS))
        (via,) = answer.via
        assert (via.received, via.rport) == phone.address
        (flow,) = receiver.flows
        assert (flow.transport, flow.local, flow.remote) == (Transport.UDP, address, phone.address)


async def test_a_flow_is_the_same_whenever_a_message_comes_by_it_and_another_from_another_port():
    receiver = Remembers()
    async with listening(bind(LOOPBACK), receiver) as transport:
        address = transport.listeners[0][1]
        async with peer(address) as phone, peer(address) as other:
            for each in (phone, phone, other):
                await each.ask(OPTIONS)
            first, again, another = receiver.flows
            assert first == again
            assert hash(first) == hash(again)
            assert first != another
            assert transport.flow_to(Transport.UDP, phone.address, address) == first


async def test_udp_and_tcp_have_one_port():
    async with listening(bind(LOOPBACK), Remembers()) as transport:
        (_, datagrams), (_, streams) = transport.listeners
        assert datagrams == streams
        with pytest.raises(CantListen, match="choose another address"):
            bind(datagrams)


async def test_ipv6_and_its_wildcard():
    for bound in (V6, Address("::", 0)):
        receiver = Remembers()
        async with listening(bind(bound), receiver) as transport:
            address = Address("::1", transport.listeners[0][1].port)
            async with peer(address, V6) as phone:
                answer = response(await phone.ask(OPTIONS))
                (via,) = answer.via
                assert (via.received, via.rport) == phone.address
                assert receiver.flows[0].local == address
                assert transport.flow_to(Transport.UDP, phone.address) == receiver.flows[0]
                assert transport.flow_to(Transport.UDP, Address("127.0.0.1", 5060)) is None


async def test_a_wildcard_answers_from_the_address_that_was_asked():
    receiver = Remembers()
    async with listening(bind(Address("0.0.0.0", 0)), receiver) as transport:  # noqa: S104
        port = transport.listeners[0][1].port
        for host in ("127.0.0.1", "127.0.0.2"):
            async with peer(Address(host, port)) as phone:
                phone.send(OPTIONS)
                _, source = await phone.receive()
                assert source == (host, port)
                assert receiver.flows[-1].local == (host, port)
                # So does what we begin ourselves, by the flow that a binding remembers.
                flow = transport.flow_to(Transport.UDP, phone.address, Address(host, port))
                assert flow == receiver.flows[-1]
                flow.send(b"NOTIFY")
                assert await phone.receive() == (b"NOTIFY", (host, port))


@pytest.mark.parametrize("data", [b"\r\n\r\n", b"\r\n", b"\0", b"\0\0\0\0", b" \r\n", b""])
async def test_what_keeps_a_flow_alive_is_no_message(data):
    receiver = Remembers()
    async with listening(bind(LOOPBACK), receiver) as transport, peer(transport.listeners[0][1]) as phone:
        phone.send(data)
        await phone.ask(OPTIONS)
    assert (len(receiver.messages), receiver.errors) == (1, [])


async def test_what_can_t_be_read_is_refused_and_the_next_message_is_served():
    receiver = Remembers()
    async with listening(bind(LOOPBACK), receiver) as transport, peer(transport.listeners[0][1]) as phone:
        phone.send(b"what is this?")
        answer = response(await phone.ask(OPTIONS.replace(b"tag=1", b"tag=1\r\nContent-Length: -1")))
        assert answer.status == 400
        assert answer.via[0].rport == phone.address.port
        assert response(await phone.ask(OPTIONS)).status == 200
    assert len(receiver.errors) == 2


async def test_a_receiver_that_fails_over_a_message_gets_the_next_one():
    class Fails(Remembers):
        def received(self, message, flow):
            super().received(message, flow)
            if len(self.messages) == 1:
                raise RuntimeError("a mistake of ours")

    receiver = Fails()
    async with listening(bind(LOOPBACK), receiver) as transport, peer(transport.listeners[0][1]) as phone:
        await phone.ask(OPTIONS)
        await phone.ask(OPTIONS)
    assert len(receiver.messages) == 2


async def test_without_rport_the_answer_goes_to_the_port_that_the_via_says_at_the_address_it_came_from():
    receiver = Remembers(answers=False)
    async with listening(bind(LOOPBACK), receiver) as transport:
        address = transport.listeners[0][1]
        async with peer(address) as phone, peer(address) as other:
            asked = WITHOUT_RPORT.replace(b"192.168.1.20:5062", f"192.0.2.1:{other.address.port}".encode())
            phone.send(asked)
            await receiver.until("messages")
            (request,) = receiver.messages
            assert isinstance(request, Request)
            assert request.via[0].received == "127.0.0.1"
            transport.answer_flow(request, receiver.flows[0]).send(b"answer")
            assert await other.receive() == (b"answer", address)


async def test_a_via_without_a_port_means_5060_and_maddr_is_not_followed():
    receiver = Remembers(answers=False)
    async with listening(bind(LOOPBACK), receiver) as transport, peer(transport.listeners[0][1]) as phone:
        via = b"127.0.0.1;maddr=192.0.2.1;received=192.0.2.2"
        phone.send(WITHOUT_RPORT.replace(b"192.168.1.20:5062", via))
        await receiver.until("messages")
        (request,) = receiver.messages
        assert isinstance(request, Request)
        assert request.via[0].received is None
        assert transport.answer_flow(request, receiver.flows[0]).remote == ("127.0.0.1", 5060)


async def test_a_flow_begins_where_it_began_before_if_we_still_listen_there():
    async with listening((*bind(LOOPBACK), *bind(LOOPBACK)), Remembers()) as transport:
        first, second = (address for kind, address in transport.listeners if kind is Transport.UDP)
        remote = Address("127.0.0.1", 5060)
        for local in (first, second):
            flow = transport.flow_to(Transport.UDP, remote, local)
            assert flow is not None
            assert flow.local == local
        moved = transport.flow_to(Transport.UDP, remote, Address("192.0.2.1", 5060))
        assert moved is not None
        assert moved.local == first


async def test_there_is_no_flow_to_a_name_which_would_have_to_be_looked_up():
    async with listening(bind(LOOPBACK), Remembers()) as transport:
        assert transport.flow_to(Transport.UDP, Address("localhost", 5060)) is None


async def test_what_can_t_be_sent_is_lost_and_counted():
    async with listening(bind(LOOPBACK), Remembers()) as transport, peer(transport.listeners[0][1]) as phone:
        flow = transport.flow_to(Transport.UDP, phone.address)
        assert flow is not None
        assert not flow.send(b"a" * 70_000)
        assert flow.send(b"a")
        assert transport.lost == 1
    assert not flow.is_open
    assert not flow.send(b"a")


async def test_a_socket_of_ours_asks_for_room_for_thousands_of_datagrams():
    listener, _ = bind(LOOPBACK)
    async with listening((listener,), Remembers()):
        assert listener.socket.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) > 200_000
