"""`centralka test-call`: a verdict for people and for programs, and what can't be tested said plainly."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from lxml import etree

from provisioner.app import serving
from provisioner.cli import main
from provisioner.operations.installation import Installation
from provisioner.pbx.routing import Routing
from tests.e2e.conftest import Run
from tests.e2e.test_registrations_command import inside, shop

__all__ = ["shop"]
CUSTOMER = ("--customer", "nowyklienttestowy", "--speed", "10")

Asks = Callable[..., Awaitable[tuple[int, str, str]]]


@pytest.fixture
def asks(
    shop: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Asks:
    """Runs `centralka test-call` beside a server in this process: its exit code, output and errors."""

    def run(*arguments: str) -> tuple[int, str, str]:
        argv = ["centralka", "test-call", *arguments, "--data-dir", str(tmp_path / "d")]
        monkeypatch.setattr("sys.argv", argv)
        with pytest.raises(SystemExit) as ended:
            main()
        return (int(ended.value.code or 0), *capsys.readouterr())

    return lambda *arguments: asyncio.to_thread(run, *arguments)


def with_server(tmp_path: Path, work: Callable[[], Awaitable[None]]) -> None:
    async def run(installation: Installation) -> None:
        async with serving(installation, lambda _: None):
            await work()

    inside(tmp_path, run)


def test_a_number_that_rings_as_configured_is_told_for_people_and_programs(asks: Asks, tmp_path: Path):
    async def work() -> None:
        code, table, errors = await asks("101", *CUSTOMER)
        assert (code, errors) == (0, "")
        for word in ("101 Recepcja", "The phone answers", "Nobody answers", "as configured"):
            assert word in table
        assert table.splitlines()[-1].startswith("101 rings as configured (")
        code, said, errors = await asks("601", *CUSTOMER, "--calls", "2", "--json")
        assert (code, errors) == (0, "")
        proof = json.loads(said)
        assert (proof["number"], proof["passed"], proof["speed"]) == ("601", True, 10)
        assert len(proof["calls"]) == 2
        for call in proof["calls"]:
            assert [each["extension"] for each in call["rung"]] == ["101", "104"]
            assert (call["answered_by"], call["passed"], call["findings"]) == ("101", True, [])
            assert {each["shown_name"] for each in call["rung"]} == {"Test"}

    with_server(tmp_path, work)


def test_one_that_does_not_ends_with_one_and_names_the_setting(
    asks: Asks, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    ordered = Routing._ordered
    monkeypatch.setattr(Routing, "_ordered", lambda *asked: ordered(*asked)[::-1])

    async def work() -> None:
        code, table, errors = await asks("603", *CUSTOMER, "--calls", "1")
        assert (code, errors) == (1, "")
        assert "wrong" in table
        assert table.splitlines()[-1].startswith("603 does not ring as configured (1 calls, ")
        code, said, _ = await asks("603", *CUSTOMER, "--calls", "1", "--json")
        assert code == 1
        (call,) = json.loads(said)["calls"]
        assert {each["blames"]["of"] for each in call["findings"]} == {"603"}

    with_server(tmp_path, work)


def test_a_report_for_people_and_one_for_ci_are_written(
    asks: Asks, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    ordered = Routing._ordered
    monkeypatch.setattr(Routing, "_ordered", lambda *asked: ordered(*asked)[::-1])
    page, cases = tmp_path / "report.html", tmp_path / "junit.xml"

    async def work() -> None:
        files = ("--report", str(page), "--junit", str(cases), "--language", "en")
        code, table, errors = await asks("603", *CUSTOMER, "--calls", "1", *files)
        assert (code, errors) == (1, "")
        assert "only one gets the call: Wrong order: 104 Sala konferencyjna." in table
        assert "To blame: the strategy of group 603 (" in table
        code, _, errors = await asks("101", *CUSTOMER, "--calls", "1", "--report", str(tmp_path))
        assert code == 1
        assert "give another file" in errors

    with_server(tmp_path, work)
    assert "603 does not ring as it is configured." in page.read_text()
    assert "the strategy of group 603" in page.read_text()
    suite = etree.parse(cases).getroot()
    assert (suite.get("tests"), suite.get("failures")) == ("1", "1")


def test_people_s_phones_ring_only_where_somebody_says_so(asks: Asks, tmp_path: Path):
    async def work() -> None:
        live = ("601", "--customer", "nowyklienttestowy", "--live")
        code, out, errors = await asks(*live)
        assert (code, out) == (1, "")
        for words in ("This rings people's phones", "101 Recepcja (0 registered)", "add --yes"):
            assert words in errors
        code, said, errors = await asks(*live, "--yes", "--json")
        proof = json.loads(said)
        assert (code, errors, proof["live"], proof["passed"]) == (0, "", True, True)
        assert (proof["calls"][0]["rung"], proof["calls"][0]["status"]) == ([], 480)

    with_server(tmp_path, work)


def test_what_can_not_be_tested_is_said_in_plain_words(asks: Asks, tmp_path: Path):
    async def work() -> None:
        for arguments, words in (
            (("777", *CUSTOMER), "nobody of the company has 777"),
            (("112", *CUSTOMER), "112 is an emergency number"),
            (("600", "--customer", "nobody"), "there is no customer 'nobody'"),
            (("600", *CUSTOMER, "--report", "/nonesuch/x"), "no directory /nonesuch: give another file"),
        ):
            code, out, errors = await asks(*arguments)
            assert (code, out) == (1, "")
            assert words in errors

    with_server(tmp_path, work)
    code, out, errors = asyncio.run(_ended(asks("600", *CUSTOMER)))
    assert (code, out) == (1, "")
    assert "no server runs on" in errors


async def _ended(asked: Awaitable[tuple[int, str, str]]) -> tuple[int, str, str]:
    return await asked
