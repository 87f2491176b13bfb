"""Messages by TCP, over real sockets."""

from __future__ import annotations

import asyncio

import pytest

from sip.bans import Bans
from sip.message.framing import StreamFramer
from sip.transport.errors import CantConnect
from sip.transport.flow import Address, Transport
from sip.transport.limits import TransportLimits
from sip.transport.proven import Proven
from sip.transport.rates import Rates
from sip.transport.sockets import bind
from sip.transport.transport import listening
from tests.sip.message.messages import response
from tests.sip.transport.peers import LOOPBACK, OPTIONS, PATIENCE_S, Remembers

TCP = OPTIONS.replace(b"SIP/2.0/UDP", b"SIP/2.0/TCP")


async def heard(reader: asyncio.StreamReader, count: int = 1) -> list[object]:
    """So many messages from us."""
    framer, found = StreamFramer(), []
    async with asyncio.timeout(PATIENCE_S):
        while len(found) < count:
            data = await reader.read(65536)
            assert data, found
            found += framer.feed(data)
    return found


async def rest(reader: asyncio.StreamReader) -> bytes:
    """All until we close."""
    async with asyncio.timeout(PATIENCE_S):
        return await reader.read()


def tcp_of(transport) -> Address:
    return next(address for kind, address in transport.listeners if kind is Transport.TCP)


@pytest.mark.parametrize("piece", [1, 5, 100_000])
async def test_messages_come_whole_whatever_the_pieces(piece):
    receiver = Remembers()
    async with listening(bind(LOOPBACK), receiver) as transport:
        reader, writer = await asyncio.open_connection(*tcp_of(transport))
        data = TCP * 2
        for at in range(0, len(data), piece):
            writer.write(data[at : at + piece])
            await asyncio.sleep(0)
        first, _ = await heard(reader, 2)
        assert (first.via[0].received, first.via[0].rport) == writer.get_extra_info("sockname")
        one, other = receiver.flows
        assert one is other
        assert one.local == tcp_of(transport)
        assert one.transport.is_reliable
        writer.close()
        await receiver.until("ended")
        assert not one.is_open
        assert not one.send(b"a")


async def test_a_ping_is_answered_and_a_line_end_is_not():
    receiver = Remembers()
    async with listening(bind(LOOPBACK), receiver) as transport:
        reader, writer = await asyncio.open_connection(*tcp_of(transport))
        writer.write(b"\r\n\r\n" + TCP + b"\r\n" + TCP)
        await receiver.until("messages", 2)
        writer.write_eof()
        got = await rest(reader)
        assert got.count(b"SIP/2.0 200 OK\r\n") == 2
        assert len(got) == 2 + 2 * len(bytes(receiver.messages[0].response(200)))
        writer.close()


async def test_half_a_message_is_refused_when_its_time_is_over():
    receiver = Remembers()
    async with listening(bind(LOOPBACK), receiver) as transport:
        reader, writer = await asyncio.open_connection(*tcp_of(transport))
        writer.write(TCP + TCP[:-1])
        await receiver.until("messages")
        now = asyncio.get_running_loop().time()
        transport.sweep(now + 14)
        assert receiver.errors == []
        transport.sweep(now + 16)
        ok, bad = (await rest(reader)).split(b"SIP/2.0 ")[1:]
        assert (ok[:3], bad[:3]) == (b"200", b"400")
        writer.close()
        await receiver.until("ended")


async def test_pieces_don_t_prolong_the_time_for_a_message():
    receiver = Remembers()
    limits = TransportLimits(message_s=0)
    async with listening(bind(LOOPBACK), receiver, limits=limits) as transport:
        reader, writer = await asyncio.open_connection(*tcp_of(transport))
        async with asyncio.timeout(PATIENCE_S):
            while not reader.at_eof():
                writer.write(b"a")
                await asyncio.sleep(0)
                transport.sweep(asyncio.get_running_loop().time())
        writer.close()


async def test_a_connection_that_says_nothing_is_closed_and_one_that_is_kept_is_not():
    receiver = Remembers()
    async with listening(bind(LOOPBACK), receiver) as transport:
        silent, closing = await asyncio.open_connection(*tcp_of(transport))
        pings, pinging = await asyncio.open_connection(*tcp_of(transport))
        kept, keeping = await asyncio.open_connection(*tcp_of(transport))
        keeping.write(TCP)
        await heard(kept)
        transport.keep(receiver.flows[0])
        now = asyncio.get_running_loop().time()
        pinging.write(b"\r\n\r\n")
        assert await pings.readexactly(2) == b"\r\n"
        transport.sweep(now + 21)
        assert await rest(silent) == await rest(pings) == b""
        keeping.write(TCP)
        await heard(kept)
        for writer in (closing, pinging, keeping):
            writer.close()


async def test_a_peer_that_reads_nothing_is_dropped():
    receiver = Remembers(answers=False)
    async with listening(bind(LOOPBACK), receiver) as transport:
        _, writer = await asyncio.open_connection(*tcp_of(transport))
        writer.write(TCP)
        await receiver.until("messages")
        (flow,) = receiver.flows
        sent = 0
        while flow.send(b"a" * 10_000):
            sent += 10_000
            assert sent < 50_000_000
        await receiver.until("ended")
        writer.close()


async def test_who_has_said_all_may_still_wait_for_an_answer():
    receiver = Remembers(answers=False)
    async with listening(bind(LOOPBACK), receiver) as transport:
        reader, writer = await asyncio.open_connection(*tcp_of(transport))
        writer.write(TCP)
        writer.write_eof()
        await receiver.until("messages")
        await asyncio.sleep(0)
        assert receiver.flows[0].send(b"late")
        transport.sweep(asyncio.get_running_loop().time() + 6)
        assert await rest(reader) == b"late"
        writer.close()


async def test_what_can_t_be_understood_any_more_is_answered_and_ends_the_connection():
    receiver = Remembers()
    async with listening(bind(LOOPBACK), receiver) as transport:
        reader, writer = await asyncio.open_connection(*tcp_of(transport))
        # More than is read at once comes after it: it must not take the answer with it.
        writer.write(TCP.replace(b"Content-Length: 0", b"Content-Length: -1") + b"a" * 200_000)
        assert response(await rest(reader)).status == 400
        assert len(receiver.errors) == 1
        writer.close()
        await receiver.until("ended")


async def test_the_connection_of_a_peer_is_found_and_used_again():
    receiver = Remembers()
    async with listening(bind(LOOPBACK), receiver) as transport:
        reader, writer = await asyncio.open_connection(*tcp_of(transport))
        writer.write(TCP)
        await heard(reader)
        remote = Address(*writer.get_extra_info("sockname"))
        flow = transport.flow_to(Transport.TCP, remote)
        assert flow is receiver.flows[0]
        assert await transport.connect(Transport.TCP, remote) is flow
        writer.close()
        await receiver.until("ended")
        assert transport.flow_to(Transport.TCP, remote) is None


async def test_we_connect_once_to_a_peer_however_many_ask_for_it():
    theirs, ours = Remembers(), Remembers()
    async with listening(bind(LOOPBACK), theirs) as phone, listening(bind(LOOPBACK), ours) as transport:
        flows = await asyncio.gather(*(transport.connect(Transport.TCP, tcp_of(phone)) for _ in range(3)))
        assert len(set(flows)) == 1
        assert flows[0].remote == tcp_of(phone)
        flows[0].send(TCP)
        await ours.until("messages")
        assert response(bytes(ours.messages[0])).status == 200


async def test_who_can_t_be_reached_is_an_error_with_a_name():
    async with listening(bind(LOOPBACK), Remembers()) as transport:
        udp, tcp = bind(LOOPBACK)
        nobody = udp.local
        udp.socket.close()
        tcp.socket.close()
        with pytest.raises(CantConnect):
            await transport.connect(Transport.TCP, nobody)
        with pytest.raises(CantConnect):
            await transport.connect(Transport.TLS, nobody)


async def test_a_firehose_lets_others_have_their_turn():
    receiver = Remembers()
    async with listening(bind(LOOPBACK), receiver) as transport:
        _, hose = await asyncio.open_connection(*tcp_of(transport))
        reader, writer = await asyncio.open_connection(*tcp_of(transport))
        receiver.answers = False
        hose.write(TCP * 2000)
        await receiver.until("messages", 100)
        writer.write(TCP)
        own = Address(*writer.get_extra_info("sockname"))
        async with asyncio.timeout(PATIENCE_S):
            while all(flow.remote != own for flow in receiver.flows):
                await receiver.until("messages", len(receiver.messages) + 1)
        assert len(receiver.messages) < 1500
        hose.close()
        writer.close()
        assert reader


async def test_a_source_has_its_share_of_connections_and_no_more():
    receiver = Remembers()
    limits = TransportLimits(connections_per_source=2)
    async with listening(bind(LOOPBACK), receiver, limits=limits) as transport:
        opened = [await asyncio.open_connection(*tcp_of(transport)) for _ in range(3)]
        assert await rest(opened[2][0]) == b""
        opened[0][1].write(TCP)
        await heard(opened[0][0])
        for _, writer in opened:
            writer.close()


async def test_with_too_many_connections_those_that_nobody_keeps_give_way():
    receiver = Remembers()
    limits = TransportLimits(connections=2)
    async with listening(bind(LOOPBACK), receiver, limits=limits) as transport:
        kept, keeping = await asyncio.open_connection(*tcp_of(transport))
        keeping.write(TCP)
        await heard(kept)
        transport.keep(receiver.flows[0])
        silent, closing = await asyncio.open_connection(*tcp_of(transport))
        late, coming = await asyncio.open_connection(*tcp_of(transport))
        assert await rest(silent) == b""
        for reader, writer in ((kept, keeping), (late, coming)):
            writer.write(TCP)
            await heard(reader)
        for writer in (keeping, closing, coming):
            writer.close()


async def test_a_large_request_goes_by_a_connection_if_the_peer_takes_one():
    theirs, ours = Remembers(), Remembers()
    async with listening(bind(LOOPBACK), theirs) as phone, listening(bind(LOOPBACK), ours) as transport:
        by_udp = transport.flow_to(Transport.UDP, tcp_of(phone))
        assert by_udp is not None
        assert await transport.fitting(by_udp, 1300) is by_udp
        by_tcp = await transport.fitting(by_udp, 1301)
        assert (by_tcp.transport, by_tcp.remote) == (Transport.TCP, tcp_of(phone))
        assert await transport.fitting(by_udp, 1301) is by_tcp


async def test_a_large_request_goes_by_udp_where_no_connection_is_taken():
    async with listening(bind(LOOPBACK), Remembers()) as transport:
        udp, tcp = bind(LOOPBACK)
        tcp.socket.close()
        flow = transport.flow_to(Transport.UDP, udp.local)
        assert flow is not None
        assert await transport.fitting(flow, 5000) is flow
        # Not even tried a second time.
        assert await transport.fitting(flow, 5000) is flow
        assert transport.connections == 0
        udp.socket.close()


async def test_a_large_request_does_not_wait_long_for_a_connection(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("sip.transport.transport._PATIENCE_S", 0.0)
    theirs, ours = Remembers(), Remembers()
    async with listening(bind(LOOPBACK), theirs) as phone, listening(bind(LOOPBACK), ours) as transport:
        flow = transport.flow_to(Transport.UDP, tcp_of(phone))
        assert flow is not None
        assert await transport.fitting(flow, 5000) is flow


async def test_who_is_banned_gets_no_connection_and_loses_those_that_it_has():
    receiver, proven = Remembers(), Proven()
    bans = Bans(proven)
    async with listening(bind(LOOPBACK), receiver, proven=proven, bans=bans) as transport:
        phone, registering = await asyncio.open_connection(*tcp_of(transport))
        registering.write(TCP)
        await heard(phone)
        proven.note(receiver.flows[0], 0)
        guesses, guessing = await asyncio.open_connection(*tcp_of(transport))
        guessing.write(TCP)
        await heard(guesses)
        now = asyncio.get_running_loop().time()
        for number in range(50):
            bans.failed(receiver.flows[1], str(number), now, has_nonce=False)
        guessing.write(TCP)
        assert await rest(guesses) == b""
        again, knocking = await asyncio.open_connection(*tcp_of(transport))
        assert await rest(again) == b""
        # The phone's own connection is none of theirs.
        registering.write(TCP)
        await heard(phone)
        for writer in (registering, guessing, knocking):
            writer.close()


async def test_a_source_that_is_slowed_is_read_a_little_at_a_time():
    receiver, proven = Remembers(), Proven()
    bans = Bans(proven)
    async with listening(bind(LOOPBACK), receiver, proven=proven, bans=bans) as transport:
        reader, writer = await asyncio.open_connection(*tcp_of(transport))
        writer.write(TCP)
        await heard(reader)
        for number in range(15):
            bans.failed(receiver.flows[0], str(number), asyncio.get_running_loop().time(), has_nonce=False)
        writer.write(TCP * 100)
        await receiver.until("messages", 2)
        await asyncio.sleep(0.01)
        assert len(receiver.messages) < 5
        writer.close()


async def test_a_source_that_sends_too_much_is_read_on_in_the_next_second(monkeypatch: pytest.MonkeyPatch):
    receiver, rates, has_room = Remembers(), [], asyncio.Event()

    class Full(Rates):
        """Has room for the first piece, and then not before the test says so."""

        def has_room(self, host: str, now: float) -> bool:
            return not rates or has_room.is_set()

        def note(self, host: str, messages: int = 1) -> None:
            rates.append((host, messages))

    monkeypatch.setattr("sip.transport.transport.Rates", Full)
    async with listening(bind(LOOPBACK), receiver) as transport:
        reader, writer = await asyncio.open_connection(*tcp_of(transport))
        writer.write(TCP * 40)
        await receiver.until("messages")
        await asyncio.sleep(0.05)
        (first,) = rates
        assert first == ("127.0.0.1", len(receiver.messages))
        assert len(receiver.messages) < 20
        has_room.set()
        await heard(reader, 40)
        assert sum(messages for _, messages in rates) == 40
        writer.close()


async def test_what_comes_from_who_has_logged_in_is_not_counted(monkeypatch: pytest.MonkeyPatch):
    receiver, proven, counted = Remembers(), Proven(), []
    monkeypatch.setattr(Rates, "note", lambda self, host, messages=1: counted.append(messages))
    async with listening(bind(LOOPBACK), receiver, proven=proven) as transport:
        reader, writer = await asyncio.open_connection(*tcp_of(transport))
        writer.write(TCP)
        await heard(reader)
        proven.note(receiver.flows[0], asyncio.get_running_loop().time())
        writer.write(TCP * 40)
        await heard(reader, 40)
        assert counted == [1]
        writer.close()


async def test_ipv6():
    receiver = Remembers()
    async with listening(bind(Address("::1", 0)), receiver) as transport:
        reader, writer = await asyncio.open_connection(*tcp_of(transport))
        writer.write(TCP)
        (answer,) = await heard(reader)
        assert (answer.via[0].received, answer.via[0].rport) == writer.get_extra_info("sockname")[:2]
        writer.close()
