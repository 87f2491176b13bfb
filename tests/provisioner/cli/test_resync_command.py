"""`centralka devices resync`, with a server that says what the test wants it to say."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from provisioner.cli import main
from provisioner.control.server import Said, Say, control_socket

MAC = "00:15:65:4a:a9:37"
ASKED: dict[str, Any] = {"step": "asked", "may_reboot": False}
TOLD: dict[str, Any] = {"step": "told", "attempt": 1, "contact": "sip:1@192.0.2.7"}
DONE: dict[str, Any] = {"step": "done", "outcome": "fetched", "revision": 7}
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs the command on `tmp_path`; gives how it ended, and what it printed of both kinds."""

    def command(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(
            "sys.argv", ["centralka", "devices", "resync", *arguments, "--data-dir", str(tmp_path)]
        )
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return command


@contextmanager
def server(data_dir: Path, *steps: dict[str, Any], goes_on: bool = False) -> Iterator[list[Said]]:
    """A server of which the verb `resync` says these steps; yields what it was asked."""
    asked: list[Said] = []
    loop, up, ending = asyncio.new_event_loop(), threading.Event(), asyncio.Event()

    async def resync(question: Said, say: Say) -> None:
        asked.append(question)
        for step in steps:
            await say(step)
        if goes_on:
            await asyncio.Event().wait()

    async def serve() -> None:
        async with control_socket(data_dir) as control:
            control.on("resync", resync)
            up.set()
            await ending.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=[serve()])
    thread.start()
    try:
        assert up.wait(60)
        yield asked
    finally:
        loop.call_soon_threadsafe(ending.set)
        thread.join()
        loop.close()


def test_a_person_sees_each_step_until_the_phone_has_fetched(run: Run, tmp_path: Path):
    again = TOLD | {"attempt": 2}
    with server(tmp_path, ASKED, TOLD, again, {"step": "answered", "status": 200}, DONE) as asked:
        code, said, _ = run(MAC.upper().replace(":", "-"))
    assert (code, said.splitlines()) == (
        0,
        [
            "asked",
            "told at sip:1@192.0.2.7",
            "told at sip:1@192.0.2.7 (attempt 2)",
            "answered 200",
            "fetched revision 7",
        ],
    )
    assert asked == [{"mac": MAC, "kind": "resync"}]


def test_a_reboot_is_asked_for_by_name(run: Run, tmp_path: Path):
    with server(tmp_path, ASKED | {"may_reboot": True}, DONE) as asked:
        code, said, _ = run(MAC, "--reboot")
    assert (code, said.splitlines()[0], asked[0]["kind"]) == (0, "asked; the phone may start anew", "reboot")


def test_programs_get_a_line_of_json_for_each_step(run: Run, tmp_path: Path):
    with server(tmp_path, ASKED, TOLD, DONE):
        _, said, _ = run(MAC, "--json")
    assert [json.loads(line) for line in said.splitlines()] == [ASKED, TOLD, DONE]


@pytest.mark.parametrize(
    ("outcome", "advice"),
    [("timeout", "devices show"), ("refused", "by hand"), ("unregistered", "its network")],
)
def test_what_did_not_work_is_an_error_with_advice(run: Run, tmp_path: Path, outcome: str, advice: str):
    with server(tmp_path, ASKED, TOLD, {"step": "done", "outcome": outcome}):
        code, said, errors = run(MAC)
    assert code == 1
    assert said.splitlines()[-1] == outcome
    assert advice in errors


def test_who_has_waited_long_enough_leaves_and_the_server_goes_on(run: Run, tmp_path: Path):
    with server(tmp_path, ASKED, {"step": "waits", "why": "not-registered"}, goes_on=True):
        code, said, errors = run(MAC, "--wait", "1")
    assert (code, said.splitlines()[-1]) == (1, "not registered: it is told when it registers")
    assert "the server goes on" in errors


def test_without_a_server_nothing_is_started(run: Run, tmp_path: Path):
    code, _, errors = run(MAC)
    assert code == 1
    assert "centralka serve --data-dir" in errors
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_mac_is_refused_before_anybody_is_asked(run: Run, tmp_path: Path):
    code, _, errors = run("reception")
    assert code == 1
    assert "is not a MAC address" in errors
