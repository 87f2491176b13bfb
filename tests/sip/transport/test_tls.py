"""TLS, with a certificate that the test makes."""

from __future__ import annotations

import asyncio
import datetime
import socket
import ssl
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from sip.transport.errors import CantConnect
from sip.transport.flow import Address, Transport
from sip.transport.limits import TransportLimits
from sip.transport.sockets import bind_tls
from sip.transport.transport import listening
from tests.sip.transport.peers import LOOPBACK, OPTIONS, Remembers, connections
from tests.sip.transport.test_stream import heard, rest

TLS = OPTIONS.replace(b"SIP/2.0/UDP", b"SIP/2.0/TLS")


def certificate(folder: Path, name: str) -> ssl.SSLContext:
    """A server's context, with a new key and a certificate that says `name`."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    begins = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(begins + datetime.timedelta(days=36500))
        .sign(key, hashes.SHA256())
    )
    file = folder / f"{name}.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


@pytest.fixture
def trusting() -> ssl.SSLContext:
    """A phone's context, which takes any certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def name_of(writer: asyncio.StreamWriter) -> str:
    """Whom the server says that it is."""
    der = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    (name,) = x509.load_der_x509_certificate(der).subject
    return str(name.value)


async def test_messages_come_by_tls_and_are_answered(tmp_path, trusting):
    receiver = Remembers()
    context = certificate(tmp_path, "one")
    async with listening([bind_tls(LOOPBACK)], receiver, certificate=lambda: context) as transport:
        ((kind, address),) = transport.listeners
        assert kind is Transport.TLS
        reader, writer = await asyncio.open_connection(*address, ssl=trusting)
        for at in range(0, len(TLS), 50):
            writer.write(TLS[at : at + 50])
            await writer.drain()
        await heard(reader)
        (flow,) = receiver.flows
        remote = Address(*writer.get_extra_info("sockname"))
        assert (flow.transport, flow.local, flow.remote) == (Transport.TLS, address, remote)
        assert transport.flow_to(Transport.TLS, remote) is flow
        assert transport.flow_to(Transport.TCP, remote) is None
        writer.write(b"\r\n\r\n")
        assert await reader.readexactly(2) == b"\r\n"
        writer.close()
        await receiver.until("ended")


async def test_a_new_certificate_holds_for_the_next_connection(tmp_path, trusting):
    held = [certificate(tmp_path, "one")]
    async with listening([bind_tls(LOOPBACK)], Remembers(), certificate=lambda: held[0]) as transport:
        ((_, address),) = transport.listeners
        first, one = await asyncio.open_connection(*address, ssl=trusting)
        held[0] = certificate(tmp_path, "two")
        second, two = await asyncio.open_connection(*address, ssl=trusting)
        assert (name_of(one), name_of(two)) == ("one", "two")
        for reader, writer in ((first, one), (second, two)):
            writer.write(TLS)
            await heard(reader)
            writer.close()


async def test_who_speaks_no_tls_is_hung_up_on_and_the_next_one_is_served(tmp_path, trusting):
    receiver = Remembers()
    context = certificate(tmp_path, "one")
    async with listening([bind_tls(LOOPBACK)], receiver, certificate=lambda: context) as transport:
        ((_, address),) = transport.listeners
        plain, writer = await asyncio.open_connection(*address)
        writer.write(TLS)
        assert b"SIP" not in await rest(plain)
        writer.close()
        reader, writer = await asyncio.open_connection(*address, ssl=trusting)
        writer.write(TLS)
        await heard(reader)
        writer.close()
        assert receiver.errors == []


async def test_a_handshake_that_takes_too_long_is_given_up(tmp_path):
    context = certificate(tmp_path, "one")
    limits = TransportLimits(handshake_s=0.05)
    async with listening(
        [bind_tls(LOOPBACK)], Remembers(), limits=limits, certificate=lambda: context
    ) as transport:
        ((_, address),) = transport.listeners
        reader, writer = await asyncio.open_connection(*address)
        assert await rest(reader) == b""
        assert transport.connections == 0
        writer.close()


async def test_so_many_handshakes_are_under_way_at_once(tmp_path, trusting):
    context = certificate(tmp_path, "one")
    limits = TransportLimits(handshakes=2)
    async with listening(
        [bind_tls(LOOPBACK)], Remembers(), limits=limits, certificate=lambda: context
    ) as transport:
        ((_, address),) = transport.listeners
        silent = [await asyncio.open_connection(*address) for _ in range(2)]
        with pytest.raises(OSError):  # noqa: PT011
            await asyncio.open_connection(*address, ssl=trusting)
        silent[0][1].close()
        await connections(transport, 1)
        reader, writer = await asyncio.open_connection(*address, ssl=trusting)
        writer.write(TLS)
        await heard(reader)
        for _, each in (*silent, (reader, writer)):
            each.close()


async def test_the_end_does_not_wait_for_handshakes(tmp_path):
    context = certificate(tmp_path, "one")
    with socket.socket() as silent:
        async with listening([bind_tls(LOOPBACK)], Remembers(), certificate=lambda: context) as transport:
            ((_, address),) = transport.listeners
            silent.connect(address)
            await connections(transport, 1)


async def test_a_connection_is_made_over_tls_where_a_context_says_whom_to_trust(
    tmp_path: Path, trusting: ssl.SSLContext
):
    server, phone = Remembers(), Remembers()
    context = certificate(tmp_path, "one")
    async with (
        listening([bind_tls(LOOPBACK)], server, certificate=lambda: context) as there,
        listening([], phone, secure=trusting) as here,
    ):
        ((_, address),) = there.listeners
        flow = await here.connect(Transport.TLS, address)
        assert (flow.transport, flow.remote) == (Transport.TLS, address)
        assert await here.connect(Transport.TLS, address) is flow
        flow.send(TLS)
        await phone.until("messages")


@pytest.mark.parametrize("secure", [None, ssl.create_default_context()])
async def test_no_connection_is_made_over_tls_to_whom_nobody_trusts(
    tmp_path: Path, secure: ssl.SSLContext | None
):
    context = certificate(tmp_path, "one")
    async with (
        listening([bind_tls(LOOPBACK)], Remembers(), certificate=lambda: context) as there,
        listening([], Remembers(), secure=secure) as here,
    ):
        ((_, address),) = there.listeners
        with pytest.raises(CantConnect):
            await here.connect(Transport.TLS, address)
        assert here.connections == 0
