"""`centralka calls`: lists, the story of one, and what the living server tells of them."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from uuid import uuid4

from provisioner.app import serving
from provisioner.operations.installation import Installation
from provisioner.pbx.recorder import Recorder
from tests.e2e.conftest import Run
from tests.e2e.test_registrations_command import inside, shop
from tests.provisioner.pbx.called import hunted, missed, record
from tests.provisioner.pbx.story import ANNA, SALES, Story

__all__ = ["shop"]


def test_calls_are_listed_and_one_is_told_as_a_story(shop: Run, tmp_path: Path):
    calls: list[str] = []

    async def call(installation: Installation) -> None:
        calls.extend(map(str, await record(installation, hunted, missed)))

    assert "There are no calls." in shop("calls")
    inside(tmp_path, call)
    table = shop("calls")
    for word in ("101 Recepcja", "600", "102 Anna Żółkiewska", "0:19", "1:01", "nobody answered", calls[0]):
        assert word in table
    story = shop("calls", "show", calls[0]).splitlines()
    assert story[0].endswith("101 Recepcja calls 600")
    assert story[1:] == [
        "  +0:00 104 Sala konferencyjna (group 600): was not registered",
        "  +0:00 103 Dział sprzedaży (group 600): rang 0:15, did not answer",
        "  +0:15 102 Anna Żółkiewska (group 600 > 601): rang 0:04, answered",
        "answered after 0:19, talked 1:01",
        "callee hung up",
    ]
    assert "nobody answered (480)" in shop("calls", "show", calls[1])
    listed = json.loads(shop("calls", "--json", "--customer", "nowyklienttestowy"))
    assert [each["id"] for each in listed] == calls[::-1]
    assert json.loads(shop("calls", "show", calls[0], "--json")) == listed[1]
    assert json.loads(shop("calls", "--group", "601", "--json")) == [listed[1]]
    assert json.loads(shop("calls", "--live", "--json")) == []
    why = shop("calls", "why", calls[0], "--at", "104", "--language", "pl").splitlines()
    assert why[0].startswith("Żaden telefon numeru 104 Sala konferencyjna nie był wtedy")
    assert len(why) == 3
    assert json.loads(shop("calls", "why", calls[0], "--at", "102", "--json"))["reason"] == "answered"
    assert "has no extension '999'" in shop("calls", "why", calls[0], "--at", "999", code=1)
    for wrong in ("x", str(uuid4())):
        for verb in (("show", wrong), ("why", wrong, "--at", "102")):
            refused = shop("calls", *verb, code=1)
            assert "there is no call" in refused
            assert refused.endswith("`centralka calls` and /api/v1/calls list what is kept\n")
    assert "there is no customer 'x'" in shop("calls", "--customer", "x", code=1)
    for verb in (("--watch",), ("hangup", calls[0])):
        assert "no server runs on" in shop("calls", *verb, code=1)


def test_what_happens_to_calls_is_told_as_it_happens(shop: Run, tmp_path: Path):
    inside(tmp_path, _watched)


async def _watched(shop: Installation) -> None:
    async with serving(shop, lambda _: None):
        recorder = Recorder(shop, lambda: 1000.0)
        story = Story(recorder.tell).begins(SALES, "102").rings(ANNA)
        await recorder.close()
        watch = await _command(shop, "calls", "--watch", "--json")

        async def told() -> tuple[str, list[str | None], str | None]:
            assert watch.stdout is not None
            async with asyncio.timeout(30):
                call = json.loads(await watch.stdout.readline())
            return call["id"], [leg["reason"] for leg in call["legs"]], call["end"]

        try:
            assert await told() == (str(story.id), [None], None)
            story.after(3).answers(ANNA)
            await recorder.close()
            assert await told() == (str(story.id), ["answered"], None)
            await _is_refused(shop, str(story.id))
            story.ends()
            await recorder.close()
            assert await told() == (str(story.id), ["answered"], "caller")
        finally:
            watch.kill()
            await watch.wait()


async def _is_refused(shop: Installation, call: str) -> None:
    """No call of this server: nobody can end it."""
    command = await _command(shop, "calls", "hangup", call)
    _, said = await command.communicate()
    assert (command.returncode, b"has ended already" in said) == (1, True), said


async def _command(shop: Installation, *arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", "from provisioner.cli import main; main()"),
        *(*arguments, "--data-dir", str(shop.data_dir)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
