"""Connections at the door: real sockets on both event loops, time by the test's clock."""

from __future__ import annotations

import asyncio
import os
import socket
from contextlib import AsyncExitStack, closing, suppress
from itertools import islice

import pytest

from provisioner.settings import Limits
from provisioner.web.sockets import CantListen, bind, bound_address, room_for
from tests.provisioner.web.door.doors import GET, LONG, Open, opened, small_window

SLOW = 2_000 if os.environ.get("CENTRALKA_PROVE") else 200
PARTS = [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: x\r\n", b"GET / HTTP/1.1\r\nHost: x\r\nX: "]


async def response(reader: asyncio.StreamReader, ending: bytes = b"good\n") -> bytes:
    return await asyncio.wait_for(reader.readuntil(ending), 60)


async def ended(reader: asyncio.StreamReader) -> None:
    """The server has ended the connection without a word."""
    # Over bytes that it had not read yet, the kernel resets.
    with suppress(ConnectionResetError):
        assert await asyncio.wait_for(reader.read(), 60) == b""


@pytest.mark.parametrize("part", PARTS)
async def test_a_client_that_sends_no_whole_header_is_dropped(part: bytes):
    async with opened() as door:
        reader, writer = await door.connect()
        writer.write(part)
        await door.until(lambda keeper: keeper.taken == 1)
        door.sweep_after(9)
        assert door.keeper.taken == 1
        door.sweep_after(1)
        await ended(reader)
        assert door.keeper.taken == 0
        writer.close()


async def test_bytes_that_trickle_in_don_t_prolong_the_time_for_a_header():
    async with opened() as door:
        reader, writer = await door.connect()
        for byte in islice(GET, 10):
            writer.write(bytes([byte]))
            await writer.drain()
            door.sweep_after(1)
        await ended(reader)
        writer.close()


async def test_the_time_for_a_following_request_runs_from_its_first_byte():
    async with opened(idle_s=60) as door:
        reader, writer = await door.connect()
        for _ in range(2):
            writer.write(GET)
            await response(reader)
            door.sweep_after(30)
        writer.write(GET[:10])
        await door.until(lambda keeper: bool(keeper._headerless))
        door.sweep_after(9)
        assert door.keeper.taken == 1
        door.sweep_after(1)
        await ended(reader)
        writer.close()


async def test_an_idle_connection_is_ended():
    async with opened() as door:
        reader, writer = await door.connect()
        writer.write(GET)
        await response(reader)
        await door.until(lambda keeper: bool(keeper._idle))
        door.sweep_after(10)
        await ended(reader)
        writer.close()


async def test_requests_that_are_sent_before_their_turn_are_answered():
    async with opened() as door:
        reader, writer = await door.connect()
        writer.write(GET * 3 + GET[:5])
        for _ in range(3):
            await response(reader)
        door.sweep_after(10)
        await ended(reader)
        assert door.keeper.taken == 0
        writer.close()


@pytest.mark.parametrize("request_bytes", [b"\x16\x03\x01\r\n\r\n", b"GET / HTTP/1.1\r\nHost x\r\n\r\n"])
async def test_what_can_t_be_read_gets_a_plain_answer_that_names_no_software(request_bytes: bytes):
    async with opened() as door:
        reader, writer = await door.connect()
        writer.write(request_bytes)
        answer = await reader.read()
        head, _, body = answer.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.0 400 Bad Request\r\n")
        assert b"\r\nServer: centralka\r\n" in head
        assert body == b"Bad request.\n"
        assert not any(word in answer.lower() for word in (b"aiohttp", b"python", b"header"))
        writer.close()


async def test_an_error_of_ours_is_not_told():
    async with opened() as door:
        reader, writer = await door.connect()
        writer.write(GET.replace(b"/ ", b"/broken "))
        answer = await reader.read()
        assert answer.startswith(b"HTTP/1.1 500 ")
        assert b"\r\nServer: centralka\r\n" in answer
        assert b"reason" not in answer
        assert b"ZeroDivision" not in answer
        writer.close()


async def test_a_body_that_is_refused_holds_no_connection():
    async with opened() as door:
        reader, writer = await door.connect()
        writer.write(b"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\nbegins")
        # The client would send for ever; the server doesn't wait for it.
        assert b"413" in await asyncio.wait_for(reader.read(), 60)
        assert door.keeper.taken == 0
        writer.close()


async def test_a_client_that_takes_nothing_of_an_answer_is_dropped():
    async with opened(stalled_s=1) as door:
        with closing(small_window(door.port)) as client:
            client.sendall(GET.replace(b"/ ", b"/long "))
            await door.until(lambda keeper: keeper.taken == 1)
            await asyncio.wait_for(door.until(lambda keeper: keeper.taken == 0), 60)


async def test_a_client_that_takes_an_answer_slowly_gets_all_of_it():
    async with opened(stalled_s=1) as door:
        with closing(small_window(door.port)) as client:
            client.sendall(GET.replace(b"/ ", b"/long "))
            received = await asyncio.to_thread(_slowly, client)
            assert received > LONG


def _slowly(client: socket.socket) -> int:
    received = 0
    client.settimeout(60)
    while received < LONG:
        piece = client.recv(2**14)
        assert piece, f"dropped after {received} bytes"
        received += len(piece)
    return received


async def test_a_source_that_has_its_share_takes_nothing_from_others():
    async with opened(connections_per_source=10) as door, AsyncExitStack() as stack:
        for _ in range(20):
            _, writer = await door.connect("127.0.0.7")
            stack.callback(writer.close)
        await door.until(lambda keeper: keeper.turned_away == 10)
        assert door.keeper.taken == 10
        reader, writer = await door.connect("127.0.0.7")
        writer.write(GET)
        await response(reader)
        writer.close()


@pytest.mark.parametrize("beside", ["elsewhere", "the same address"])
async def test_slow_connections_don_t_shut_out_a_good_phone(beside: str):
    places = {"connections": SLOW // 2, "connections_per_source": SLOW // 2}
    async with opened(**places) as door, AsyncExitStack() as stack:
        await slow_connections(door, stack, "127.0.0.1" if beside == "the same address" else "")
        await door.until(lambda keeper: keeper.turned_away == SLOW - SLOW // 2)
        for _ in range(5):
            reader, writer = await door.connect()
            writer.write(GET)
            await response(reader)
            writer.close()
        assert door.keeper.taken <= SLOW // 2


async def slow_connections(door: Open, stack: AsyncExitStack, source: str) -> None:
    for number in range(SLOW):
        _, writer = await door.connect(source or f"127.0.{number % 200 + 1}.{number // 200 + 1}")
        stack.callback(writer.close)
        writer.write(PARTS[number % len(PARTS)])


async def test_a_site_of_200_phones_behind_one_address_boots_at_once():
    async with opened(**Limits().model_dump()) as door:

        async def phone() -> int:
            for _ in range(2):
                made = [await door.connect("127.0.0.9") for _ in range(3)]
                for reader, writer in made:
                    writer.write(GET)
                    await response(reader)
                for _, writer in made:
                    writer.close()
            return 6

        served = await asyncio.gather(*(phone() for _ in range(200)))
        assert sum(served) == 1200
        assert door.keeper.turned_away == 0


def test_a_socket_is_bound_before_anything_answers_there():
    with closing(bind("127.0.0.1:0")) as listening:
        assert bound_address("127.0.0.1:0", listening) == f"127.0.0.1:{listening.getsockname()[1]}"
        with socket.create_connection(listening.getsockname()):
            pass
        with pytest.raises(CantListen, match="choose another address"):
            bind(f"127.0.0.1:{listening.getsockname()[1]}")


def test_an_ipv6_socket_leaves_the_ipv4_port_to_others():
    with closing(bind("[::]:0")) as six:
        port = six.getsockname()[1]
        assert bound_address("[::]:0", six) == f"[::]:{port}"
        bind(f"127.0.0.1:{port}").close()


def test_no_more_connections_are_promised_than_files_may_be_open(caplog: pytest.LogCaptureFixture):
    assert room_for(100) == 100
    assert room_for(10**9) < 10**9
    assert "open files" in caplog.text
