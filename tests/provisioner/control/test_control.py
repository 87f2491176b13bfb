"""The control socket: who may speak with the server, and what becomes of it when one of the two goes."""

from __future__ import annotations

import asyncio
import stat
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from db.errors import DatabaseUnavailable
from provisioner.centrex.errors import NotFound
from provisioner.control.client import ask
from provisioner.control.errors import AlreadyServing, NoServer, Refused, ServerGone
from provisioner.control.place import SOCKET
from provisioner.control.server import Control, Said, Say, control_socket


@pytest.fixture
async def control(tmp_path: Path) -> AsyncIterator[Control]:
    async with control_socket(tmp_path) as opened:
        yield opened


async def heard(data_dir: Path, verb: str, **question: Any) -> list[Any]:
    return [each async for each in ask(data_dir, verb, question)]


async def counts(asked: Said, say: Say) -> None:
    for number in range(asked["to"]):
        await say({"number": number})


async def test_a_verb_says_what_it_has_to_say_as_it_comes(control: Control, tmp_path: Path):
    more = asyncio.Event()

    async def waits(asked: Said, say: Say) -> None:
        await say({"first": asked["name"]})
        await more.wait()
        await say({"second": None})

    control.on("waits", waits)
    saying = ask(tmp_path, "waits", {"name": "Zażółć"})
    assert await anext(saying) == {"first": "Zażółć"}
    more.set()
    assert [each async for each in saying] == [{"second": None}]


async def test_many_ask_at_once(control: Control, tmp_path: Path):
    control.on("counts", counts)
    answers = await asyncio.gather(*(heard(tmp_path, "counts", to=count) for count in range(20)))
    assert [len(each) for each in answers] == list(range(20))


async def test_too_many_are_refused_and_the_others_go_on(control: Control, tmp_path: Path):
    gate = asyncio.Event()

    async def waits(asked: Said, say: Say) -> None:
        await say({})
        await gate.wait()

    control.on("waits", waits)
    going = [ask(tmp_path, "waits", {}) for _ in range(64)]
    for each in going:
        await anext(each)
    with pytest.raises(Refused, match="too many"):
        await heard(tmp_path, "waits")
    gate.set()
    assert [[last async for last in each] for each in going] == [[]] * 64
    assert await heard(tmp_path, "waits") == [{}]


async def test_what_a_verb_says_may_be_long(control: Control, tmp_path: Path):
    async def long(asked: Said, say: Say) -> None:
        await say({"text": "x" * 2_000_000})

    control.on("long", long)
    assert len((await heard(tmp_path, "long"))[0]["text"]) == 2_000_000


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (NotFound("there is no device: list it"), "not-found"),
        (DatabaseUnavailable("away"), "unavailable"),
    ],
)
async def test_a_refusal_keeps_its_words_and_its_code(
    control: Control, tmp_path: Path, error: Exception, code: str
):
    async def refuses(asked: Said, say: Say) -> None:
        await say({})
        raise error

    control.on("refuses", refuses)
    saying = ask(tmp_path, "refuses", {})
    assert await anext(saying) == {}
    with pytest.raises(Refused) as refused:
        await anext(saying)
    assert (refused.value.code, str(refused.value)) == (code, str(error))


async def test_a_verb_that_is_not_known_is_refused(control: Control, tmp_path: Path):
    with pytest.raises(Refused, match="does not know 'fly'"):
        await heard(tmp_path, "fly")


async def test_a_verb_is_ended_when_nobody_listens_any_more(control: Control, tmp_path: Path):
    ended = asyncio.Event()

    async def watches(asked: Said, say: Say) -> None:
        try:
            await say({})
            await asyncio.Event().wait()
        finally:
            ended.set()

    control.on("watches", watches)
    saying = ask(tmp_path, "watches", {})
    await anext(saying)
    await saying.aclose()
    async with asyncio.timeout(60):
        await ended.wait()


async def test_a_mistake_in_a_verb_ends_that_verb_alone(control: Control, tmp_path: Path):
    async def fails(asked: Said, say: Say) -> None:
        await say({})
        raise ZeroDivisionError

    control.on("fails", fails)
    control.on("counts", counts)
    saying = ask(tmp_path, "fails", {})
    await anext(saying)
    with pytest.raises(ServerGone):
        await anext(saying)
    assert len(await heard(tmp_path, "counts", to=1)) == 1


async def test_whoever_watches_hears_that_the_server_ends(tmp_path: Path):
    async def watches(asked: Said, say: Say) -> None:
        await say({})
        await asyncio.Event().wait()

    async with control_socket(tmp_path) as control:
        control.on("watches", watches)
        saying = ask(tmp_path, "watches", {})
        await anext(saying)
    with pytest.raises(ServerGone):
        await anext(saying)


async def test_without_a_server_the_command_says_what_to_do(tmp_path: Path):
    for place in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(NoServer, match=f"centralka serve --data-dir {place}"):
            await heard(place, "resync")


async def test_nobody_but_the_owner_may_open_the_socket(control: Control, tmp_path: Path):
    assert stat.S_IMODE((tmp_path / SOCKET).stat().st_mode) == 0o600


async def test_a_directory_may_lie_deeper_than_an_address_is_long(tmp_path: Path):
    deep = tmp_path / ("d" * 100) / ("e" * 100)
    deep.mkdir(parents=True)
    async with control_socket(deep) as control:
        control.on("counts", counts)
        assert len(await heard(deep, "counts", to=2)) == 2


async def test_a_second_server_on_the_same_directory_is_refused_and_the_first_goes_on(
    control: Control, tmp_path: Path
):
    with pytest.raises(AlreadyServing, match="stop it first"):
        async with control_socket(tmp_path):
            pass
    control.on("counts", counts)
    assert len(await heard(tmp_path, "counts", to=1)) == 1


async def test_an_ended_server_leaves_no_socket(tmp_path: Path):
    async with control_socket(tmp_path):
        pass
    assert not (tmp_path / SOCKET).exists()
    with pytest.raises(NoServer):
        await heard(tmp_path, "counts")


_SERVER = """
import asyncio, pathlib, sys
from provisioner.control.server import control_socket
async def run():
    async with control_socket(pathlib.Path(sys.argv[1])):
        print("up", flush=True)
        await asyncio.Event().wait()
asyncio.run(run())
"""


async def test_what_a_killed_server_leaves_is_replaced(tmp_path: Path):
    killed = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _SERVER, tmp_path), stdout=asyncio.subprocess.PIPE
    )
    assert killed.stdout is not None
    assert await killed.stdout.readline() == b"up\n"
    with pytest.raises(AlreadyServing):
        async with control_socket(tmp_path):
            pass
    killed.kill()
    await killed.wait()
    assert (tmp_path / SOCKET).exists()
    with pytest.raises(NoServer):
        await heard(tmp_path, "counts")
    async with control_socket(tmp_path) as control:
        control.on("counts", counts)
        assert len(await heard(tmp_path, "counts", to=1)) == 1
