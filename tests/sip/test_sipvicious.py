"""Scanners of Debian's `sipvicious` against a server: they find no user, and are banned."""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from sip.bans import BanLimits, Bans
from sip.digest import Algorithm, ha1, parse_credentials
from sip.digest_guard import Guard
from sip.digest_guard import Verdict as Judged
from sip.message.uri import SipUri
from sip.nonces import Nonces
from sip.server import Incoming, SipServer
from sip.transport.flow import Address, Transport
from sip.transport.sockets import bind
from sip.transport.transport import SipTransport, listening
from tests.sip.message.messages import response
from tests.sip.test_torture_on_the_wire import PHONE, address_of
from tests.sip.transport.peers import LOOPBACK, peer

REALM, USER, PASSWORD = "pbx.example.com", "100", "4cz47mDGPpXgk4vyAG9m"
PATIENCE_S = 60.0
SCANNER, ELSEWHERE = "127.0.0.1", Address("127.46.0.1", 0)
"The scanners take no other address, whatever they are told."


def own_port() -> tuple[str, str]:
    """Where a scanner begins to look for a port that is free at all addresses: from 5060 on otherwise.

    Those belong to phones of other tests; nobody else is given one of these.
    """
    return "-P", str(31_000 + secrets.randbelow(1000))


class Site:
    """A server with one line, which tells bans what happens."""

    def __init__(self, *, hears_agents: bool) -> None:
        self.server = SipServer()
        # Slowed, it would take half a minute to be banned.
        self.bans = Bans(self.server.proven, BanLimits(slowed_to=1000))
        self.transport: SipTransport | None = None
        self._guard = Guard(REALM, Nonces(b"secret"))
        self.hears_agents = hears_agents
        for method in ("REGISTER", "OPTIONS", "INVITE"):
            self.server.on(method, self._take)

    def _take(self, incoming: Incoming) -> None:
        request, flow, now = incoming.request, incoming.flow, self.server.now()
        lines = request.headers.all("Authorization")
        if lines:
            credentials = parse_credentials(lines[0])
            keys = [ha1(credentials.algorithm, USER, REALM, PASSWORD)]
            judged = self._guard.judge(credentials, request.method, keys, time.time(), flow.remote.host)
            assert judged.verdict is not Judged.GRANTED
            self.bans.failed(flow, credentials.username, now, has_nonce=True)
        else:
            user = request.to.uri.user if isinstance(request.to.uri, SipUri) else None
            agent = request.headers.get("User-Agent") if self.hears_agents else None
            self.bans.asked(flow, user or "", now, agent)
        # The scanners know nothing but MD5.
        challenges = self._guard.challenges(time.time(), flow.remote.host, [Algorithm.MD5])
        incoming.reply(401, [("WWW-Authenticate", str(challenge)) for challenge in challenges])

    @property
    def address(self) -> Address:
        assert self.transport is not None
        return address_of(self.transport, Transport.UDP)


@asynccontextmanager
async def up(*, hears_agents: bool) -> AsyncIterator[Site]:
    site = Site(hears_agents=hears_agents)
    server = site.server
    async with listening(bind(LOOPBACK), server, proven=server.proven, bans=site.bans) as transport:
        server.use(transport)
        site.transport = transport
        yield site
        server.close()


@asynccontextmanager
async def scanning(folder: Path, command: str, *options: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """A scanner at work."""
    if shutil.which(command) is None:
        if "CI" in os.environ:
            pytest.fail(f"{command} is missing: install Debian's sipvicious")
        pytest.skip(f"no {command} here: it is in Debian's sipvicious")
    process = await asyncio.create_subprocess_exec(
        command,
        *own_port(),
        *options,
        cwd=folder,
        env={**os.environ, "HOME": str(folder)},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        async with asyncio.timeout(PATIENCE_S):
            yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def scan(folder: Path, command: str, *options: str) -> str:
    """What a scanner says when it has ended."""
    async with scanning(folder, command, *options) as process:
        out, _ = await process.communicate()
    return out.decode()


def is_banned(site: Site) -> bool:
    """Whether the scanner, by whichever port, or its whole source is."""
    site.bans.timer(site.server.now() + 6)
    return any(ban.who.startswith(SCANNER) for ban in site.bans.listed(site.server.now()))


async def test_svmap_and_svwar_find_a_server_and_no_user_and_are_banned(tmp_path):
    async with up(hears_agents=True) as site:
        port = str(site.address.port)
        mapped, users = await asyncio.gather(
            scan(tmp_path, "svmap", "-p", port, "127.0.0.1"),
            scan(tmp_path, "svwar", "-p", port, "--force", "-e", "95-120", "127.0.0.1"),
        )
        assert "127.0.0.1" in mapped
        assert "found nothing" in users
        assert is_banned(site)


@pytest.mark.parametrize("hears_agents", [True, False], ids=["known by name", "known by what it does"])
async def test_svcrack_is_banned_and_phones_are_not(hears_agents, tmp_path):
    async with (
        up(hears_agents=hears_agents) as site,
        peer(site.address) as phone,
        peer(site.address, ELSEWHERE) as other,
    ):
        assert site.transport is not None
        flow = site.transport.flow_to(Transport.UDP, phone.address)
        assert flow is not None
        site.server.proven.note(flow, site.server.now())
        options = "-p", str(site.address.port), "-u", USER, "-r", "1-9999", "127.0.0.1"
        async with scanning(tmp_path, "svcrack", *options):
            while not is_banned(site):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            for each in (phone, other):
                assert response(await each.ask(PHONE)).status == 401
