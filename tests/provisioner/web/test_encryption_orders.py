"""Whatever happens in whatever order: no phone is locked out, and none gets a plain file that has a key."""

from __future__ import annotations

import random
from contextlib import suppress

import pytest

from phone_templates.yealink.boot import BootMachine, Done, Fetch, Outcome
from phone_templates.yealink.models import find_model
from provisioner.app import Running
from provisioner.centrex.actor import COMMAND_LINE
from provisioner.centrex.errors import Conflict
from provisioner.centrex.mac import MacAddress
from provisioner.files.company import read_company_file
from provisioner.operations import claims, device_files, encryption, rollouts
from provisioner.operations.companies import apply
from provisioner.operations.encryption import State
from provisioner.operations.installation import Installation
from provisioner.operations.rollouts import Reach
from provisioner.phones.render import DeviceFile
from tests.provisioner.web.asking import PHONE, STRANGER, T46G, T46S, T54W, VP530P, Reply, ask
from tests.provisioner.web.encrypting import LOGIN, VERSION, standing, tokens_of

FIRMWARE = {
    VP530P: ("VP530P", ["23.70.0.40"]),
    T46G: ("T46G", ["28.73.0.50", "28.80.0.5", "28.81.0.1"]),
    T46S: ("T46S", ["66.81.0.10", "66.86.0.15"]),
    T54W: ("T54W", ["96.86.0.10"]),
}
EVENTS = (
    *("boot",) * 6,
    *("lost", "half", "on", "on", "off", "rotate", "rotate", "claim", "release", "raced", "reset"),
    *("firmware", "roll back", "resume", "rename", "staged on", "staged off", "release all", "take back"),
)


class World:
    """One phone, at its plug in the office, and what its people do."""

    def __init__(self, installation: Installation, running: Running, mac: str) -> None:
        self.installation = installation
        self.running = running
        self.mac = MacAddress(mac)
        name, self.versions = FIRMWARE[mac]
        url = f"{running.provisioning_url}/"
        self.phone = BootMachine(mac, find_model(name), self.versions[0], dhcp_url=url)
        self.is_out = True
        "Released, raced or reset, and not claimed since: it may find nothing."
        self.renamed = 0

    async def happens(self, event: str) -> None:
        installation = self.installation
        match event:
            case "boot":
                await self.boots()
            case "lost" | "half":
                # The power goes while the answers come: after the last of them, or before.
                await self.fetches(all_of_them=event == "lost")
            case "on" | "off" | "staged on" | "staged off":
                wanted = "true" if event.endswith("on") else "false"
                await self.said(f"phone: {{encryption: {wanted}}}", staged=event.startswith("staged"))
            case "rename":
                self.renamed += 1
                await self.said(f"name: Firma {self.renamed}")
            case "rotate":
                # There may be no keys yet.
                with suppress(Conflict):
                    await encryption.rotate(installation, LOGIN, COMMAND_LINE)
            case "claim":
                await claims.claim(installation, self.mac, COMMAND_LINE)
                self.phone.factory_reset()
                self.is_out = False
            case "release":
                await claims.release(installation, self.mac, COMMAND_LINE)
                self.is_out = True
            case "raced":
                await claims.claim(installation, self.mac, COMMAND_LINE)
                for source in (PHONE, STRANGER):
                    await ask(self.running, f"/{self.mac.hex}.cfg", source=source)
                # An older token was in no file of the window, so a phone that has one goes on with it.
                self.is_out = self.is_out or self.phone.stored_url is None
            case "reset":
                self.phone.factory_reset()
                self.is_out = True
            case "firmware":
                at = self.versions.index(self.phone.firmware)
                self.phone.install(self.versions[(at + 1) % len(self.versions)])
            case "roll back" | "resume":
                # The first revisions with the addresses of this server.
                for file, first in ((DeviceFile.MAC, 2), (DeviceFile.MODEL, 1)):
                    number = first if event == "roll back" else None
                    await device_files.roll_back(installation, self.mac, number, COMMAND_LINE, file)
            case "release all" | "take back":
                step = rollouts.release if event == "release all" else rollouts.take_back
                with suppress(Conflict):
                    await step(installation, LOGIN, Reach(), COMMAND_LINE)

    async def said(self, text: str, *, staged: bool = False) -> None:
        file = read_company_file(f"customers: [{{login: {LOGIN}, {text}}}]".encode())
        try:
            await apply(self.installation, file, COMMAND_LINE, staged=staged)
        except Conflict:
            assert staged, "a rollout is open already"

    async def boots(self) -> None:
        """Boots; unless it is out it gets its files, each in the key of the token that it has."""
        tokens = dict(await tokens_of(self.installation, self.mac.hex))
        done, replies = await self.run()
        if self.is_out:
            return
        assert done.outcome in (Outcome.APPLIED, Outcome.UNCHANGED), done
        for path, reply in replies:
            token, _, name = path.lstrip("/").rpartition("/")
            if reply.status == 200 and not name.endswith(".boot"):
                is_plain = reply.body.startswith(VERSION)
                assert is_plain == (not token or tokens[token] is None), path

    async def fetches(self, *, all_of_them: bool) -> None:
        """Asks as in a boot, and takes nothing over."""
        settings, digests = dict(self.phone.memory.settings), dict(self.phone.memory.digests)
        await self.run(until_first=not all_of_them)
        self.phone.memory.settings, self.phone.memory.digests = settings, digests

    async def run(self, *, until_first: bool = False) -> tuple[Done | None, list[tuple[str, Reply]]]:
        replies: list[tuple[str, Reply]] = []
        effects = self.phone.start()
        while effects and isinstance(fetch := effects[-1], Fetch):
            path = fetch.url.removeprefix(self.running.provisioning_url)
            reply = await ask(self.running, path, source=PHONE, agent=self.phone.user_agent)
            replies.append((path, reply))
            if until_first and reply.status == 200:
                return None, replies
            effects = self.phone.answer(fetch.url, reply.status, reply.body)
        done = effects[-1]
        assert isinstance(done, Done)
        return done, replies


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("mac", FIRMWARE)
async def test_no_order_of_events_locks_a_phone_out(
    sample: Installation, running: Running, mac: str, seed: int
):
    world = World(sample, running, mac)
    chance = random.Random(f"{mac} {seed}")  # noqa: S311
    # At the end nothing is held: the words of older firmware may leave newer firmware at its discovery.
    happened = ["claim", *chance.choices(EVENTS, k=30), "resume", "release all"]
    for number, event in enumerate(happened):
        try:
            await world.happens(event)
        except AssertionError as error:
            raise AssertionError(f"after {happened[: number + 1]}: {error}") from error
    if world.is_out:
        await world.happens("claim")
    for _ in range(2):
        await world.happens("boot")
    stands = await standing(sample, mac)
    assert stands.state is (State.ENCRYPTED if stands.wanted else State.PLAIN), (stands, happened)
    ((token, key),) = await tokens_of(sample, mac)
    assert world.phone.stored_url == f"{running.provisioning_url}/{token}/", happened
    assert world.phone.memory.file_key() == key, happened
