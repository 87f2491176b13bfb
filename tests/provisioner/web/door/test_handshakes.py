"""TLS at the door: handshakes that begin late, wait for each other, and never end."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from provisioner.web.tls import Certificate
from tests.provisioner.web.door.doors import GET, Open, opened
from tests.provisioner.web.door.test_door import SLOW, ended, response
from tests.provisioner.web.test_tls import make_certificate


@pytest.fixture
def certificate(tmp_path: Path) -> Certificate:
    return Certificate(*make_certificate(tmp_path, "server"))


@pytest.fixture
def trusting(certificate: Certificate, tmp_path: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(tmp_path / "server.pem"))


def hello(trusting: ssl.SSLContext) -> bytes:
    """A real ClientHello."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = trusting.wrap_bio(incoming, outgoing, server_hostname="127.0.0.1")
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    return outgoing.read()


async def good_phone(door: Open, trusting: ssl.SSLContext, source: str = "127.0.0.1") -> bytes:
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", door.port, ssl=trusting, server_hostname="127.0.0.1", local_addr=(source, 0)
    )
    writer.write(GET)
    answer = await response(reader)
    writer.close()
    return answer


async def test_a_phone_is_served_over_tls(certificate: Certificate, trusting: ssl.SSLContext):
    async with opened(certificate) as door:
        assert b"200 OK" in await good_phone(door, trusting)
        await door.until(lambda keeper: keeper.taken == 0)


@pytest.mark.parametrize("length", [0, 1, 4, 5, 100])
async def test_who_sends_no_whole_client_hello_is_dropped_and_takes_no_handshakes_place(
    certificate: Certificate, trusting: ssl.SSLContext, length: int
):
    async with opened(certificate, handshakes=1) as door:
        reader, writer = await door.connect()
        writer.write(hello(trusting)[:length])
        await door.until(lambda keeper: keeper.taken == 1)
        assert b"200 OK" in await good_phone(door, trusting)
        door.sweep_after(10)
        await ended(reader)
        assert door.keeper.taken == 0
        writer.close()


async def test_a_client_hello_may_come_in_pieces(certificate: Certificate, trusting: ssl.SSLContext):
    async with opened(certificate) as door:
        reader, writer = await door.connect()
        said = hello(trusting)
        for piece in (said[:3], said[3:50], said[50:]):
            writer.write(piece)
            await writer.drain()
            # Another connection comes and goes meanwhile, so the piece has been seen.
            await good_phone(door, trusting)
        assert (await asyncio.wait_for(reader.readexactly(1), 60))[0] == 22
        writer.close()


@pytest.mark.parametrize("garbage", [GET, b"\x00" * 100, b"\x16\x03\x01\xff\xff" + b"x" * 100])
async def test_what_is_no_tls_is_hung_up_on_at_once(certificate: Certificate, garbage: bytes):
    async with opened(certificate) as door:
        reader, writer = await door.connect()
        writer.write(garbage)
        await ended(reader)
        assert door.keeper.taken == 0
        writer.close()


async def test_garbage_in_a_record_of_its_own_ends_that_connection_alone(
    certificate: Certificate, trusting: ssl.SSLContext
):
    async with opened(certificate) as door:
        reader, writer = await door.connect()
        writer.write(b"\x16\x03\x01\x00\x40" + b"x" * 64)
        await asyncio.wait_for(reader.read(), 60)
        await door.until(lambda keeper: keeper.taken == 0)
        assert b"200 OK" in await good_phone(door, trusting)
        writer.close()


async def test_who_hangs_up_within_a_client_hello_is_gone(certificate: Certificate, trusting: ssl.SSLContext):
    async with opened(certificate) as door:
        reader, writer = await door.connect()
        writer.write(hello(trusting)[:50])
        await door.until(lambda keeper: keeper.taken == 1)
        writer.write_eof()
        await ended(reader)
        assert door.keeper.taken == 0
        writer.close()


@pytest.fixture
async def half_way(
    certificate: Certificate, trusting: ssl.SSLContext
) -> AsyncIterator[tuple[Open, list[asyncio.StreamReader]]]:
    """A door with three handshakes' places, and three clients that began one and go no further."""
    async with opened(certificate, handshakes=3) as door, AsyncExitStack() as stack:
        readers = []
        for _ in range(3):
            reader, writer = await door.connect("127.0.0.8")
            stack.callback(writer.close)
            writer.write(hello(trusting))
            await reader.readexactly(1)
            readers.append(reader)
        yield door, readers


async def test_a_handshake_that_never_ends_is_dropped_after_its_time(
    half_way: tuple[Open, list[asyncio.StreamReader]],
):
    door, readers = half_way
    door.sweep_after(4)
    assert door.keeper.taken == 3
    door.sweep_after(1)
    for reader in readers:
        await asyncio.wait_for(_gone(reader), 60)
    assert door.keeper.taken == 0


async def test_phones_wait_while_all_handshakes_are_taken_and_then_get_their_turn(
    half_way: tuple[Open, list[asyncio.StreamReader]], trusting: ssl.SSLContext
):
    door, _ = half_way
    async with asyncio.TaskGroup() as tasks:
        waiting = [tasks.create_task(good_phone(door, trusting)) for _ in range(20)]
        await door.until(lambda keeper: keeper.taken == 23)
        # Those that wait for us have no deadline.
        door.sweep_after(4)
        assert not any(task.done() for task in waiting)
        door.sweep_after(1)
    assert all(b"200 OK" in task.result() for task in waiting)


async def test_handshakes_that_take_long_give_way_to_the_next_one(
    half_way: tuple[Open, list[asyncio.StreamReader]], trusting: ssl.SSLContext
):
    door, readers = half_way
    door.clock.now += 2
    assert b"200 OK" in await good_phone(door, trusting)
    await asyncio.wait_for(_gone(readers[0]), 60)
    assert door.keeper.turned_away == 1


async def test_no_connection_of_a_boot_storm_is_lost(certificate: Certificate, trusting: ssl.SSLContext):
    phones = SLOW
    async with opened(certificate, handshakes=20, connections_per_source=10_000) as door:
        answers = await asyncio.gather(*(good_phone(door, trusting) for _ in range(phones)))
        assert len(answers) == phones
        assert door.keeper.turned_away == 0


async def test_slow_connections_don_t_shut_out_a_good_phone_that_speaks_tls(
    certificate: Certificate, trusting: ssl.SSLContext
):
    said = hello(trusting)
    async with opened(certificate, connections=SLOW // 2) as door, AsyncExitStack() as stack:
        for number in range(SLOW):
            _, writer = await door.connect(f"127.0.{number % 200 + 1}.{number // 200 + 1}")
            stack.callback(writer.close)
            # Silent, in the middle of a ClientHello, behind it.
            writer.write([b"", said[:5], said][number % 3])
        for _ in range(5):
            assert b"200 OK" in await good_phone(door, trusting, "127.0.0.9")


async def test_a_new_certificate_holds_for_the_next_handshake(certificate: Certificate, tmp_path: Path):
    async with opened(certificate) as door:
        make_certificate(tmp_path, "other")
        (tmp_path / "server.pem").write_bytes((tmp_path / "other.pem").read_bytes())
        (tmp_path / "server.key").write_bytes((tmp_path / "other.key").read_bytes())
        assert certificate.reload_if_changed()
        await good_phone(door, ssl.create_default_context(cafile=str(tmp_path / "other.pem")))


async def _gone(reader: asyncio.StreamReader) -> None:
    """What was sent before is read over."""
    try:
        await reader.read()
    except ConnectionResetError:
        return
