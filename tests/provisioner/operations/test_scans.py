"""MAC scans are noticed within twenty misses, on both databases, by chance that a scanner can't count on."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from db.engine import Database
from db.errors import DatabaseBusy
from db.freshness import watching
from db.schema import AlarmRow, AuditRow, BanRow, DeviceRow, MissRow
from phone_templates.yealink.files import classify
from provisioner.centrex.actor import COMMAND_LINE
from provisioner.centrex.errors import BadValue, NotFound
from provisioner.operations import scan_guard, scans
from provisioner.operations.alarms import AlarmKind
from provisioner.operations.bans import Ban, Bans, Verdict, add_ban, lift_ban, list_bans
from provisioner.operations.installation import Installation, utc_now
from provisioner.operations.kept_answers import KeptAnswers
from provisioner.operations.scan_guard import ScanGuard, guarding
from provisioner.operations.scans import Miss, Noticed, decide, judge, note_misses
from provisioner.operations.sources import counted_source, is_within, parse_source
from provisioner.settings import Security

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
SCANNER, OTHER = "192.0.2.7", "192.0.2.8"


def late() -> float:
    """Chance that lets a scanner have all that there is."""
    return 0.999


def early() -> float:
    """Chance that stops it as soon as may be."""
    return 0.0


def macs(count: int, first: int = 0) -> list[str]:
    return [f"001565{number:06x}" for number in range(first, first + count)]


async def asked(
    installation: Installation,
    address: str,
    wanted: Iterable[str],
    now: datetime = NOON,
    draw: Callable[[], float] = late,
) -> Noticed | None:
    """Notes that `address` asked for all of these in vain, with one commit, and judges what is noticed."""
    misses = [Miss(address, mac, now) for mac in wanted]
    security = installation.settings.security
    while True:
        # An append gives up early where another one holds its row, as the writer of traces knows, too.
        with suppress(DatabaseBusy):
            noticed = await installation.database.appended(
                lambda writer: note_misses(writer, misses, security, now, draw)
            )
            break
    if noticed is not None:
        await judge(installation, noticed, now)
    return noticed


async def misses_until(installation: Installation, verdict: Verdict, draw: Callable[[], float]) -> int:
    """How many misses, one by one, the scanner can make until it has that."""
    for count, mac in enumerate(macs(100), 1):
        await asked(installation, SCANNER, [mac], draw=draw)
        if await known(installation, SCANNER) in (verdict, Verdict.BANNED):
            return count
    raise AssertionError("never")


async def known(installation: Installation, address: str, now: datetime = NOON) -> Verdict:
    """What a process that has just been started does with the address."""
    return await Bans(installation).of(address, now)


async def alarms(installation: Installation) -> list[AlarmRow]:
    async with installation.database.read() as session:
        return list(await session.scalars(select(AlarmRow).order_by(AlarmRow.id)))


async def count_misses(installation: Installation) -> int:
    async with installation.database.read() as session:
        return await session.scalar(select(func.count()).select_from(MissRow)) or 0


def with_security(installation: Installation, **values: object) -> Installation:
    security = Security.model_validate(values)
    settings = installation.settings.model_copy(update={"security": security})
    return replace(installation, settings=settings)


@pytest.mark.parametrize(("draw", "slowed", "banned"), [(early, 6, 10), (late, 10, 20)])
async def test_a_scanner_is_slowed_and_banned_within_twenty_misses(
    installation: Installation, draw: Callable[[], float], slowed: int, banned: int
):
    assert await misses_until(installation, Verdict.SLOWED, draw) == slowed
    assert await known(installation, SCANNER) is Verdict.SLOWED
    rest = 0
    while await known(installation, SCANNER) is Verdict.SLOWED:
        rest += 1
        await asked(installation, SCANNER, macs(1, 1000 + rest), draw=draw)
    assert slowed + rest == banned
    assert await known(installation, OTHER) is Verdict.FREE


async def test_a_scan_in_one_batch_is_noticed_as_well_and_keeps_no_more_than_counts(
    installation: Installation,
):
    await asked(installation, SCANNER, macs(5000))
    (ban,) = await list_bans(installation, NOON)
    assert (ban.source, ban.verdict, ban.misses, ban.times) == (SCANNER, Verdict.BANNED, 20, 1)
    assert (ban.since, ban.until, ban.actor) == (NOON, NOON + HOUR, "system")
    assert await count_misses(installation) == 0


async def test_a_scan_by_hundreds_of_sources_at_once_bans_all_and_alarms_a_few_times(
    installation: Installation,
):
    sources = [f"198.51.{number // 250}.{number % 250}" for number in range(450)]
    misses = [Miss(source, mac, NOON) for source in sources for mac in macs(20)]
    security = installation.settings.security
    noticed = await installation.database.appended(
        lambda writer: note_misses(writer, misses, security, NOON, late)
    )
    assert noticed is not None
    await judge(installation, noticed, NOON)
    assert {ban.source for ban in await list_bans(installation, NOON)} == set(sources)
    kinds = Counter(alarm.kind for alarm in await alarms(installation))
    assert kinds == {AlarmKind.SCAN: 20, AlarmKind.SPREAD_SCAN: 1}


async def test_asking_again_and_again_for_five_unlisted_phones_is_no_scan(installation: Installation):
    for number in range(50):
        await asked(installation, SCANNER, macs(5), NOON + number * 5 * MINUTE, early)
    assert await known(installation, SCANNER) is Verdict.FREE
    assert await alarms(installation) == []


def test_the_limit_is_anywhere_between_half_and_all_with_the_same_chance():
    chance = random.Random(1)  # noqa: S311
    found: Counter[int] = Counter()
    for _ in range(11_000):
        found[next(n for n in range(1, 21) if decide(n - 1, n, 20, chance.random) is Verdict.BANNED)] += 1
    assert set(found) == set(range(10, 21))
    assert max(found.values()) < 1.2 * min(found.values())


@pytest.mark.parametrize("most", [1, 2, 3, 5, 20, 1000])
def test_any_limit_ends_with_a_ban(most: int):
    for draw in (early, late):
        assert decide(0, most, most, draw) is Verdict.BANNED
        assert decide(most, most, most, draw) is Verdict.BANNED
        assert decide(0, most // 4, most, draw) is Verdict.FREE


def test_a_batch_that_jumps_over_a_limit_reaches_it():
    assert decide(3, 19, 20, early) is Verdict.BANNED
    assert decide(3, 12, 20, late) is Verdict.SLOWED


async def test_an_alarm_tells_once_who_scans_and_what_to_do(installation: Installation):
    for first in range(0, 300, 30):
        await asked(installation, SCANNER, macs(30, first))
    (alarm,) = await alarms(installation)
    assert (alarm.kind, alarm.source, alarm.at) == ("mac-scan", SCANNER, NOON)
    assert f"{SCANNER} asked for 20 MACs" in alarm.text
    assert f"centralka bans lift {SCANNER}" in alarm.text
    assert "2026-03-02 13:00:00 UTC" in alarm.text


async def test_a_ban_ends_and_each_further_one_is_longer(installation: Installation):
    now, lasted = NOON, []
    for number in range(7):
        await asked(installation, SCANNER, macs(20, 100 * number), now)
        (ban,) = await list_bans(installation, now)
        lasted.append((ban.until - ban.since) / HOUR)
        assert await known(installation, SCANNER, ban.until - MINUTE) is Verdict.BANNED
        assert await known(installation, SCANNER, ban.until) is Verdict.FREE
        now = ban.until + MINUTE
    assert lasted == [1, 2, 4, 8, 16, 24, 24]
    await asked(installation, SCANNER, macs(20), now + 3 * DAY)
    (ban,) = await list_bans(installation, now + 3 * DAY)
    assert (ban.until - ban.since, ban.times) == (HOUR, 1)


async def test_misses_of_yesterday_are_forgotten_and_those_of_hours_ago_are_not(installation: Installation):
    await asked(installation, SCANNER, macs(19), NOON)
    await asked(installation, OTHER, macs(19), NOON)
    await asked(installation, OTHER, macs(1, 50), NOON + 23 * HOUR)
    await asked(installation, SCANNER, macs(5, 50), NOON + DAY)
    assert await known(installation, SCANNER, NOON + DAY) is Verdict.FREE
    assert await known(installation, OTHER, NOON + 23 * HOUR) is Verdict.BANNED


async def test_a_phone_that_was_listed_meanwhile_counts_no_more(sample: Installation):
    async with sample.database.read() as session:
        listed = list(await session.scalars(select(DeviceRow.mac)))
    # They were not listed when they were asked for.
    await asked(sample, SCANNER, [*macs(14), *listed])
    await asked(sample, SCANNER, macs(1, 50))
    assert await count_misses(sample) == 15
    assert await known(sample, SCANNER) is Verdict.SLOWED


async def test_many_sources_with_few_misses_each_are_noticed_once_and_none_is_banned(
    installation: Installation,
):
    for number in range(60):
        await asked(installation, f"198.51.100.{number}", macs(5, 5 * number), NOON + number * MINUTE / 2)
    assert await list_bans(installation, NOON) == []
    (alarm,) = await alarms(installation)
    assert (alarm.kind, alarm.source) == ("mac-scan-spread", None)
    assert "many addresses" in alarm.text
    later = NOON + 3 * HOUR
    for number in range(60):
        await asked(installation, f"203.0.113.{number}", macs(5, 5 * number), later)
    (again,) = await alarms(installation)
    assert (again.kind, again.at >= later) == ("mac-scan-spread", True), "in the place of the one before"


async def test_the_tables_are_bounded(installation: Installation, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(scans, "_MOST_MISSES", 100)
    monkeypatch.setattr(scans, "_MOST_BANS", 10)
    for number in range(40):
        await asked(installation, f"198.51.100.{number}", macs(5))
    assert await count_misses(installation) <= 105
    for number in range(40):
        await asked(installation, f"203.0.113.{number}", macs(30), NOON + number * MINUTE)
    assert len(await list_bans(installation, NOON)) == 10
    await asked(installation, OTHER, macs(30), NOON + 3 * DAY)
    async with installation.database.read() as session:
        assert [row.source for row in await session.scalars(select(BanRow))] == [OTHER]


async def test_a_network_that_is_never_banned_is_reported(installation: Installation):
    proxied = with_security(installation, never_banned=["192.0.2.0/29"])
    for first in range(0, 100, 5):
        await asked(proxied, SCANNER, macs(5, first))
    assert await known(proxied, SCANNER) is Verdict.FREE
    (alarm,) = await alarms(proxied)
    assert (alarm.kind, alarm.source) == ("mac-scan", SCANNER)
    assert "never_banned" in alarm.text
    with pytest.raises(BadValue, match="never_banned"):
        await add_ban(proxied, SCANNER, None, COMMAND_LINE, NOON)
    # Set when the ban is there already, it counts from the next start on.
    await asked(installation, "192.0.2.6", macs(20))
    assert await known(installation, "192.0.2.6") is Verdict.BANNED
    assert await known(proxied, "192.0.2.6") is Verdict.FREE


async def test_scans_are_not_looked_for_when_that_is_turned_off(installation: Installation):
    relaxed = with_security(installation, scan_misses=0)
    assert await asked(relaxed, SCANNER, macs(500)) is None
    assert await count_misses(relaxed) == 0


async def test_two_workers_that_count_at_once_miss_nothing(installation: Installation, database_url: str):
    second = await Database.open(database_url)
    try:
        workers = (installation, replace(installation, database=second))
        async with asyncio.TaskGroup() as tasks:
            for number, mac in enumerate(macs(20)):
                tasks.create_task(asked(workers[number % 2], SCANNER, [mac]))
        (ban,) = await list_bans(installation, NOON)
        assert (ban.verdict, ban.misses) == (Verdict.BANNED, 20)
        assert len(await alarms(installation)) == 1
    finally:
        await second.close()


async def test_another_process_knows_of_a_ban_and_of_its_end_at_once(
    installation: Installation, database_url: str
):
    second = await Database.open(database_url)
    try:
        other = replace(installation, database=second)
        async with watching(second) as watcher:
            memory, bans = KeptAnswers(watcher, 1000), Bans(other)
            memory.on_news(bans.hear)

            async def verdict() -> Verdict:
                memory.find(None, classify(""))
                return await bans.of(SCANNER, NOON)

            assert await verdict() is Verdict.FREE
            await asked(installation, SCANNER, macs(20))
            assert await verdict() is Verdict.BANNED
            await lift_ban(installation, SCANNER, COMMAND_LINE, NOON)
            assert await verdict() is Verdict.FREE
            await add_ban(installation, SCANNER, 5, COMMAND_LINE, NOON)
            assert await verdict() is Verdict.BANNED
    finally:
        await second.close()


async def test_a_lifted_ban_is_forgotten_with_its_misses_and_alarm(installation: Installation):
    await asked(installation, SCANNER, macs(20))
    await asked(installation, OTHER, macs(20))
    await lift_ban(installation, SCANNER, COMMAND_LINE, NOON)
    assert [ban.source for ban in await list_bans(installation, NOON)] == [OTHER]
    seen = {alarm.source: alarm.acknowledged_at for alarm in await alarms(installation)}
    assert seen == {SCANNER: NOON, OTHER: None}
    await asked(installation, SCANNER, macs(5))
    assert await known(installation, SCANNER) is Verdict.FREE
    with pytest.raises(NotFound, match="bans list"):
        await lift_ban(installation, SCANNER, COMMAND_LINE, NOON)
    async with installation.database.read() as session:
        (entry,) = await session.scalars(select(AuditRow))
    assert (entry.verb, entry.subject, entry.actor) == ("bans.lift", SCANNER, "cli")


async def test_the_alarm_of_a_ban_that_ended_by_itself_can_be_seen_to(installation: Installation):
    await asked(installation, SCANNER, macs(20))
    later = NOON + 30 * DAY
    await asked(installation, OTHER, macs(20), later)
    assert [ban.source for ban in await list_bans(installation, later)] == [OTHER]
    await lift_ban(installation, SCANNER, COMMAND_LINE, later)
    assert [alarm.acknowledged_at for alarm in await alarms(installation)] == [later, None]


async def test_an_operator_may_ban_a_source_for_as_long_as_need_be(installation: Installation):
    added = await add_ban(installation, "2001:db8::7", 90, COMMAND_LINE, NOON)
    assert added == Ban("2001:db8::/64", Verdict.BANNED, NOON, NOON + 90 * MINUTE, 0, 0, "cli")
    assert await list_bans(installation, NOON) == [added]
    assert await known(installation, "2001:db8::9999") is Verdict.BANNED
    assert await known(installation, "2001:db8:0:1::7") is Verdict.FREE
    again = await add_ban(installation, "2001:db8::/64", None, COMMAND_LINE, NOON)
    assert again.until == NOON + HOUR
    for wrong in ("192.0.2.0/24", "2001:db8::/48", "phone", ""):
        with pytest.raises(BadValue, match="not a source"):
            await add_ban(installation, wrong, None, COMMAND_LINE, NOON)
    with pytest.raises(BadValue, match="minutes"):
        await add_ban(installation, OTHER, 10**9, COMMAND_LINE, NOON)


async def test_an_ipv6_network_counts_as_one_and_a_mapped_address_as_ipv4(installation: Installation):
    for number, mac in enumerate(macs(20)):
        await asked(installation, f"2001:db8::{number}:1", [mac])
    for prefix, mac in zip(("::ffff:", "") * 10, macs(20), strict=True):
        await asked(installation, f"{prefix}{SCANNER}", [mac])
    banned = {ban.source for ban in await list_bans(installation, NOON)}
    assert banned == {"2001:db8::/64", SCANNER}


@pytest.mark.parametrize(
    ("address", "source"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:0:0:ffff::1", "2001:db8::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::1", "::/64"),
    ],
)
def test_who_is_counted_together(address: str, source: str):
    assert counted_source(address) == source
    assert parse_source(address) == source
    assert parse_source(source) == source


def test_a_proxy_in_a_larger_network_spares_the_network_that_it_is_counted_with():
    networks = Security(never_banned=("2001:db8::1/128", "10.0.0.0/8")).spared()
    assert is_within("2001:db8::/64", networks)
    assert is_within("10.1.2.3", networks)
    assert not is_within("11.1.2.3", networks)
    assert not is_within("", networks)


async def test_while_the_database_is_away_what_was_known_last_holds(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
):
    await asked(installation, SCANNER, macs(20))
    bans = Bans(installation)
    assert await bans.of(SCANNER, NOON) is Verdict.BANNED
    monkeypatch.setattr(bans, "_read", _unavailable)
    bans.hear(["bans"])
    assert await bans.of(SCANNER, NOON) is Verdict.BANNED
    assert await bans.of(OTHER, NOON) is Verdict.FREE
    monkeypatch.undo()
    await lift_ban(installation, SCANNER, COMMAND_LINE, NOON)
    monkeypatch.setattr(bans, "_next_look", 0.0)
    assert await bans.of(SCANNER, NOON) is Verdict.FREE


async def _unavailable() -> None:
    raise TimeoutError


async def test_news_of_something_else_costs_no_look(installation: Installation):
    bans = Bans(installation)
    assert await bans.of(SCANNER, NOON) is Verdict.FREE
    await asked(installation, SCANNER, macs(20))
    bans.hear(["device:1", "customer:2", "models"])
    assert await bans.of(SCANNER, NOON) is Verdict.FREE
    bans.hear(["device:1", "all"])
    assert await bans.of(SCANNER, NOON) is Verdict.BANNED


async def test_delayed_answers_are_bounded_and_the_others_are_not_delayed(installation: Installation):
    await add_ban(installation, SCANNER, None, COMMAND_LINE, NOON)
    guard = ScanGuard(installation, delay_s=3600)
    assert await guard.admits(OTHER, NOON)
    # The second time shows that those who left made room.
    for _ in range(2):
        waiting = {asyncio.ensure_future(guard.admits(SCANNER, NOON)) for _ in range(10)}
        answered = set()
        while len(answered) < 6:
            done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            answered |= done
        assert [each.result() for each in answered] == [False] * 6
        assert len(waiting) == 4
        for each in waiting:
            each.cancel()
        await asyncio.wait(waiting)


async def test_what_the_writer_tells_is_judged_before_the_server_ends(installation: Installation):
    misses = [Miss(SCANNER, mac, NOON) for mac in macs(20)]
    security = installation.settings.security
    noticed = await installation.database.appended(lambda writer: note_misses(writer, misses, security, NOON))
    async with guarding(installation) as guard:
        guard.tell(noticed)
    (ban,) = await list_bans(installation, NOON)
    assert ban.source == SCANNER


async def test_what_is_wrong_with_one_scan_ends_nothing(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
):
    async def fails(*_: object) -> None:
        raise ValueError

    async with guarding(installation) as guard:
        with monkeypatch.context() as patched:
            patched.setattr(scan_guard, "judge", fails)
            guard.tell(Noticed({SCANNER: Verdict.BANNED}, spread=False))
            await guard.settled()
        guard.tell(Noticed({OTHER: Verdict.BANNED}, spread=False))
    assert await known(installation, OTHER, utc_now()) is Verdict.BANNED
    assert await known(installation, SCANNER, utc_now()) is Verdict.FREE
