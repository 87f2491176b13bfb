"""Files kept in memory are never stale, and go out when the database can't be asked."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta

import pytest

from db.errors import DatabaseUnavailable
from db.freshness import Watcher, watching
from provisioner.centrex.actor import COMMAND_LINE
from provisioner.centrex.mac import MacAddress
from provisioner.operations import claims, provisioning
from provisioner.operations.asking import Answer, Ask, Reason
from provisioner.operations.installation import Installation, utc_now
from provisioner.operations.kept_answers import Kept, KeptAnswers
from provisioner.operations.memory import Memory, fresh_memory
from provisioner.operations.provisioning import answer
from provisioner.operations.scan_guard import ScanGuard
from tests.provisioner.conftest import SAMPLE, apply_text

MAC = MacAddress.parse("80:5e:c0:12:34:56")
RENAMED = """
customers:
  - login: nowyklienttestowy
    devices:
      - {mac: "80:5e:c0:12:34:56", settings: {local_time.date_format: "%d"}}
"""
REMOVED = """
customers:
  - login: nowyklienttestowy
    devices: []
"""


class Phone:
    """Asks for its own file under its token."""

    def __init__(self, installation: Installation, memory: Memory) -> None:
        self.installation = installation
        self.memory = memory
        self.token: str | None = None

    async def ask(
        self, *, agent: str = "", source: str = "127.0.0.1", path: str = f"{MAC.hex}.cfg"
    ) -> Answer:
        ask = Ask(self.token, path, source, agent, clear_text=True)
        return await answer(self.installation, ask, utc_now(), self.memory)

    async def boot_after_claim(self) -> None:
        await claims.claim(self.installation, MAC, COMMAND_LINE)
        first = await self.ask()
        assert first.content is not None
        line = next(line for line in first.content.decode().splitlines() if "server.url" in line)
        self.token = line.rstrip("/").rpartition("/")[2]
        assert (await self.ask()).content == first.content


@pytest.fixture
async def memory(sample: Installation) -> AsyncIterator[Memory]:
    async with watching(sample.database) as watcher:
        yield fresh_memory(sample, watcher, 2**20, ScanGuard(sample))


@pytest.fixture
async def phone(sample: Installation, memory: Memory) -> Phone:
    made = Phone(sample, memory)
    await made.boot_after_claim()
    return made


@pytest.fixture
def database_looks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths that were decided by the database and not from memory."""
    looks: list[str] = []
    decide = provisioning._decide

    async def counted(installation: Installation, ask: Ask, *rest: object) -> Answer:
        looks.append(ask.path)
        return await decide(installation, ask, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(provisioning, "_decide", counted)
    return looks


async def test_a_phone_that_asks_again_costs_no_look_into_the_database(
    phone: Phone, database_looks: list[str]
):
    first = await phone.ask()
    for _ in range(5):
        assert (await phone.ask()).content == first.content
    assert len(database_looks) == 1


async def test_after_a_change_nobody_gets_the_old_file(phone: Phone):
    before = await phone.ask()
    for number in range(10):
        await apply_text(phone.installation, RENAMED.replace("%d", str(number % 2)))
        after = await phone.ask()
        assert after.revision_id != before.revision_id
        assert f"local_time.date_format = {number % 2}\n".encode() in (after.content or b"")
        before = after


async def test_a_removed_phone_gets_nothing_from_memory(phone: Phone):
    assert (await phone.ask()).content is not None
    await apply_text(phone.installation, REMOVED)
    assert (await phone.ask()).is_closed


async def test_a_released_phone_gets_nothing_from_memory(phone: Phone):
    assert (await phone.ask()).content is not None
    await claims.release(phone.installation, MAC, COMMAND_LINE)
    assert (await phone.ask()).is_closed


async def test_another_source_is_checked_before_memory_answers(phone: Phone):
    assert (await phone.ask()).content is not None
    assert (await phone.ask(source="198.51.100.7")).reason == Reason.CLEAR_TEXT


async def test_another_phones_name_is_checked_before_memory_answers(phone: Phone):
    assert (await phone.ask()).content is not None
    assert (await phone.ask(path="0015654aa937.cfg")).reason == Reason.OTHER_DEVICE


async def test_a_phone_with_other_firmware_is_decided_anew(phone: Phone):
    old = await phone.ask(agent="Yealink SIP-T46S 66.86.0.15 80:5e:c0:12:34:56")
    new = await phone.ask(agent="Yealink SIP-T46S 66.81.0.15 80:5e:c0:12:34:56")
    assert new.revision_id != old.revision_id


async def test_a_phone_with_its_certificate_gets_its_own_file_once_it_is_listed(
    sample: Installation, memory: Memory
):
    async def asked() -> Answer:
        ask = Ask(None, "y000000000066.cfg", "127.0.0.1", "", clear_text=False, certificate=MAC.hex)
        return await answer(sample, ask, utc_now(), memory)

    await apply_text(sample, REMOVED)
    assert (await asked()).reason == Reason.FIRST_CONTACT_FILE
    await apply_text(sample, SAMPLE.read_text(encoding="utf-8"), SAMPLE.name)
    assert (await asked()).reason == Reason.CERTIFICATE


async def test_a_window_that_has_lapsed_is_closed_without_a_look_into_the_database(
    sample: Installation, memory: Memory, monkeypatch: pytest.MonkeyPatch
):
    claimed = await claims.claim(sample, MAC, COMMAND_LINE)
    assert await memory.windows.has(MAC.hex, utc_now())
    ask = Ask(None, f"{MAC.hex}.cfg", "127.0.0.1", "", clear_text=True)
    await answer(sample, ask, utc_now() + timedelta(days=9), memory)

    def looked() -> None:
        raise AssertionError("a look")

    monkeypatch.setattr(sample.database, "change", looked)
    assert (await answer(sample, ask, claimed.expires_at, memory)).reason == claims.Entry.CLOSED


async def test_without_a_database_what_is_kept_goes_out_and_says_so(
    phone: Phone, monkeypatch: pytest.MonkeyPatch
):
    kept = await phone.ask()

    async def unavailable(*_: object) -> Answer:
        raise DatabaseUnavailable("the database is away")

    monkeypatch.setattr(provisioning, "_decide", unavailable)
    monkeypatch.setattr(KeptAnswers, "trusts", False)
    stale = await phone.ask()
    assert (stale.content, stale.reason) == (kept.content, Reason.KEPT)
    with pytest.raises(DatabaseUnavailable):
        await phone.ask(path="y000000000066.cfg")


class SaidBefore(Watcher):
    """A watcher whose news the test writes."""

    trusts = True

    def __init__(self) -> None:
        self.pending: list[str] = []

    def news(self) -> Sequence[str]:
        pending, self.pending = self.pending, []
        return pending


def _kept(device_id: int, content: bytes = b"x") -> Kept:
    return Kept(Answer(Reason.CURRENT, content=content, device_id=device_id), None)


def test_an_answer_that_was_read_before_a_change_is_not_kept():
    watcher = SaidBefore()
    memory = KeptAnswers(watcher, 10_000)
    name = provisioning.classify(f"{MAC.hex}.cfg")
    moment = memory.moment
    watcher.pending.append("device:1")
    memory.keep(moment, "token", name, _kept(1))
    assert memory.find("token", name) is None


def test_only_the_phones_that_a_change_names_are_forgotten():
    watcher = SaidBefore()
    memory = KeptAnswers(watcher, 10_000)
    name = provisioning.classify(f"{MAC.hex}.cfg")
    memory.keep(memory.moment, "one", name, _kept(1))
    memory.keep(memory.moment, "two", name, _kept(2))
    watcher.pending.append("device:1")
    assert memory.find("one", name) is None
    assert memory.find("two", name) is not None
    watcher.pending.append("all")
    assert memory.find("two", name) is None


def test_what_has_changed_is_asked_after_a_request_has_come():
    watcher = SaidBefore()
    memory = KeptAnswers(watcher, 10_000)
    name = provisioning.classify(f"{MAC.hex}.cfg")
    memory.keep(memory.moment, "token", name, _kept(1))
    before = time.monotonic()
    assert memory.find("token", name) is not None
    watcher.pending.append("device:1")
    # It had come before the last look: a change that was acknowledged since is none of its past.
    assert memory.find("token", name, before) is not None
    assert memory.find("token", name, time.monotonic()) is None


def test_an_answer_of_before_a_change_is_kept_from_whoever_came_after_it():
    watcher = SaidBefore()
    memory = KeptAnswers(watcher, 10_000)
    name = provisioning.classify(f"{MAC.hex}.cfg")
    came = time.monotonic()
    assert memory.find("token", name) is None
    # Read from the database for the first request, and then changed.
    memory.keep(memory.moment, "token", name, _kept(1))
    watcher.pending.append("device:1")
    assert memory.find("token", name, came) is not None
    assert memory.find("token", name, time.monotonic()) is None


def test_memory_is_bounded_and_forgets_what_was_asked_for_least_recently():
    memory = KeptAnswers(SaidBefore(), 5_000)
    name = provisioning.classify(f"{MAC.hex}.cfg")
    for device in range(4):
        memory.keep(memory.moment, str(device), name, _kept(device, b"x" * 500))
        memory.find("0", name)
    assert [memory.find(str(device), name) is not None for device in range(4)] == [True, False, True, True]
