"""Keys that watch colleagues and groups (BLF): what their lamps are told, and what a press does."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from provisioner.virtual_phones.account import Account
from tests.e2e.features.stage import Stage, hung_up, named, rings_alone
from tests.e2e.softphones import scenes, sipp
from tests.e2e.softphones.loopback import free
from tests.e2e.softphones.program import LONGEST_S
from tests.provisioner.pbx.dialog_info import checked, shown

_BODY = r"<dialog-info [^>]*/>|<dialog-info [^>]*[^/]>.*?</dialog-info>"
COMPANY = """\
    hunt_groups:
      - {number: "600", name: Biuro, members: [{extension: "102", ring_time: 50}]}
"""


async def a_lamp_follows_a_phone_and_its_key_takes_over_what_rings(stage: Stage) -> None:
    """Of a phone and of a group; the press is an INVITE with Replaces (RFC 3891)."""
    caller, callee = stage["104"], stage.linphone("102")
    key = await stage.served.account(stage.devices["106"])

    async def plays(name: str, steps: Iterable[str]) -> None:
        trusted = stage.served.certificate.chain
        listens = free(stage.served.host(stage.devices["106"]))
        await sipp.plays(steps, name, key, stage.folder, listens, trusted=trusted)

    async with asyncio.TaskGroup() as tasks:
        lamps = [Lamp(stage.folder / f"lamp{number}.messages") for number in ("102", "600")]
        watching = [
            tasks.create_task(plays(lamp.told.stem, _watches(key, number)))
            for lamp, number in zip(lamps, ("102", "600"), strict=True)
        ]

        async def show(state: str) -> None:
            await asyncio.gather(*(each.shows(state) for each in lamps))

        await asyncio.gather(*(sipp.written(each.told, 'version="0"') for each in lamps))
        await caller.dials("600")
        await rings_alone(stage, "102", shows=named("104"))
        await show("early")
        await callee.accepts()
        await asyncio.gather(caller.talks(), callee.talks())
        await show("confirmed")
        await hung_up(stage, "104", "102")
        await show("terminated")
        await caller.dials("102")
        await rings_alone(stage, "102", shows=named("104"))
        await lamps[0].shows("early")
        names = ("call-id", "local-tag", "remote-tag")
        dialog = ".*?".join(f'{name}="([^"]+)"' for name in names)
        ringing = await sipp.written(lamps[0].told, f">terminated<.*{dialog}[^>]*><state>early<")
        press = tasks.create_task(plays("press", _picks_up(key, "102", ringing)))
        await asyncio.gather(caller.talks(), callee.is_hung_up())
        await lamps[0].shows("terminated")
        await caller.hangs_up()
        await press
        for each in watching:
            each.cancel()
    states = ["early", "confirmed", "terminated"]
    assert [each.states() for each in lamps] == [[*states, "early", "terminated"], states]
    assert "Call completed elsewhere" in callee.log()


@dataclass(frozen=True)
class Lamp:
    """What a key is told."""

    told: Path

    def states(self) -> list[str]:
        """In which it was, one after another. What is said again is the same."""
        bodies = [each[0].encode() for each in re.finditer(_BODY, sipp.text_of(self.told), re.DOTALL)]
        by_version = {int(str(checked(body).get("version"))): shown(body) for body in bodies}
        assert list(by_version) == list(range(len(by_version)))
        # One call at a time.
        return [state for state, _ in groupby(lit[0][0] for lit in by_version.values() if lit)]

    async def shows(self, state: str) -> None:
        """Returns when it is in this one."""
        async with asyncio.timeout(LONGEST_S):
            while self.states()[-1:] != [state]:  # noqa: ASYNC110 - nobody tells of it
                await asyncio.sleep(sipp.LOOK_S)


def _watches(account: Account, number: str) -> list[str]:
    """A lamp, until it is taken away."""
    watcher = scenes.Caller(account, number)
    accepts = ("Event: dialog", "Accept: application/dialog-info+xml", "Expires: 600")
    return [
        *watcher.begins("SUBSCRIBE", *accepts),
        scenes.waits_for(200, is_first=True),
        scenes.again_and_again(scenes.gets("NOTIFY"), scenes.answers("200 OK")),
    ]


def _picks_up(account: Account, number: str, dialog: re.Match[str]) -> list[str]:
    """Takes a call that rings over, and talks until the other one hangs up."""
    key = scenes.Caller(account, number)
    replaces = f"Replaces: {dialog[1]};to-tag={dialog[2]};from-tag={dialog[3]};early-only"
    return [
        *key.begins("INVITE", "Require: replaces", replaces, body=scenes.session(30300)),
        scenes.may_get(100),
        scenes.waits_for(200, is_first=True),
        key.says("ACK", 2),
        # Two have offered something: it is told what the other one has when it is there.
        scenes.gets("INVITE", scenes.body_has("m=audio [1-9]")),
        scenes.answers("200 OK", body=scenes.session(30300)),
        scenes.gets("ACK"),
        scenes.gets("BYE"),
        scenes.answers("200 OK"),
    ]


SCENES = (a_lamp_follows_a_phone_and_its_key_takes_over_what_rings,)
