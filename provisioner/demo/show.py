"""What `centralka demo` does: it sets up the sample company, boots its phones and says what each got."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from importlib.resources import files
from ipaddress import ip_address
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from phone_templates.yealink.boot import BootMachine, Outcome
from phone_templates.yealink.models import find_model
from provisioner.app import Running, serving
from provisioner.centrex.actor import COMMAND_LINE
from provisioner.centrex.errors import BadValue
from provisioner.centrex.mac import MacAddress
from provisioner.demo.test_calls import show_test_calls
from provisioner.files.company import read_company_file
from provisioner.operations import claims, companies, device_files, devices
from provisioner.operations.event_tail import event_tail
from provisioner.operations.events import LineKind, Wanted
from provisioner.operations.installation import Installation, initialise, opened
from provisioner.operations.ladder import Rung
from provisioner.settings import Listen, Settings, split_address
from provisioner.virtual_phones.booting import Boot, boot
from provisioner.virtual_phones.generations import FIRMWARE
from provisioner.virtual_phones.phone import SipPhone, registered

_LONGEST_S = 30.0
"What has not been seen by then has failed."
_STRANGER = "127.0.0.99"
_CHANGE = """
customers:
  - login: nowyklienttestowy
    extensions:
      - {number: "101"}
      - {number: "102", name: Anna Żółkiewska-Nowak}
      - {number: "103"}
      - {number: "104"}
      - {number: "105"}
      - {number: "106"}
"""


@dataclass(slots=True)
class _Verdict:
    """Collects what was expected and did not happen."""

    console: Console
    passed: bool = True

    def expect(self, met: bool, what: str) -> None:
        if met:
            self.console.print(f"  [green]passed[/green] {escape(what)}")
        else:
            self.passed = False
            self.console.print(f"  [bold red]FAILED[/bold red] {escape(what)}")


async def run_demo(settings: Settings, console: Console, until: Callable[[], Awaitable[None]] | None) -> bool:
    """Runs the demonstration; True if all that it shows has passed. With `until` it stays until that returns.

    Raises `BadValue` for an address that is not loopback: the demonstration is for this machine alone.
    """
    for address in _addresses(settings.listen):
        if not _is_loopback(split_address(address)[0]):
            raise BadValue(f"the demo listens on this machine alone: {address} is not a loopback address")
    with tempfile.TemporaryDirectory(prefix="centralka-demo-") as folder:
        data_dir = Path(folder)
        password = await initialise(data_dir, settings)
        async with opened(data_dir, settings) as installation:
            console.rule("The sample company")
            sample = files("provisioner.demo").joinpath("company.yaml").read_bytes()
            plan = await companies.apply(
                installation, read_company_file(sample, "company.yaml"), COMMAND_LINE
            )
            console.print(
                f"applied company.yaml: {len(plan.changes)} changes, {len(plan.files)} files written"
            )
            console.rule("The server")
            async with serving(installation, console.print) as running, AsyncExitStack() as on_line:
                verdict = _Verdict(console)
                await _show(installation, running, on_line, console, verdict)
                console.rule("Everything passed" if verdict.passed else "Something failed")
                if until is not None:
                    console.print(f"Portal: {running.portal_url}   login: operator   password: {password}")
                    console.print(f"Data directory: {data_dir}   Ctrl-C ends the demo.")
                    await until()
                return verdict.passed


def _addresses(listen: Listen) -> list[str]:
    """Everything that `serve` would listen on."""
    each = listen.portal, listen.provisioning, listen.sip, listen.sips, listen.provisioning_tls
    more = listen.provisioning_certificates, listen.provisioning_legacy_tls
    return [address for address in (*each, *more) if address is not None]


def _is_loopback(host: str) -> bool:
    """A name may lead anywhere tomorrow."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


async def _show(
    installation: Installation,
    running: Running,
    on_line: AsyncExitStack,
    console: Console,
    verdict: _Verdict,
) -> None:
    """Every phone, then a change. What is registered stays so until `on_line` ends."""
    phones: dict[str, SipPhone] = {}
    for number, device in enumerate(await devices.list_devices(installation)):
        machine, source = _phone(device, running), f"127.0.0.{10 + number}"
        console.rule(f"{device.model} {device.mac} {escape(device.name)}")
        console.print(f"firmware {machine.firmware} ({machine.generation}), at {source}", highlight=False)
        stranger = await boot(_phone(device, running), _STRANGER)
        verdict.expect(
            _got_no_secret(stranger, device.mac),
            "before its claim, nobody gets its file: " + _summary(stranger),
        )
        await claims.claim(installation, MacAddress.parse(device.mac), COMMAND_LINE)
        await _show_boots(machine, source, console, verdict)
        # What it has fetched is known before it registers: it needn't be told of that.
        await running.settled()
        phone = phones[device.mac] = await on_line.enter_async_context(registered(machine, source))
        for each in phone.registrations:
            console.print(f"  account {each.account.number}: {each.account.aor}", highlight=False)
        verdict.expect(phone.is_registered, "it registers each of its accounts")
        rungs = await _rungs(installation, device.mac)
        verdict.expect(
            {Rung.CURRENT, Rung.REGISTERED} <= set(rungs), f"the server knows: {', '.join(rungs)}"
        )
    console.rule("The server asks the phones whether they are there")
    for mac in phones:
        verdict.expect(await _is_reached(installation, mac), f"{mac} is reachable")
    await _show_change(installation, running, phones, console, verdict)
    console.rule("Test calls: phones that are not ours call and ring in a copy of the switchboard")
    await show_test_calls(installation.data_dir, verdict.expect)
    for mac in phones:
        verdict.expect(Rung.PROVEN in await _rungs(installation, mac), f"{mac} is proven")
    console.rule("How far each phone came")
    table = Table("MAC", "model", "name", "came as far as", "firmware")
    for summary in await devices.list_devices(installation):
        table.add_row(summary.mac, summary.model, summary.name, summary.rung, summary.firmware or "")
    console.print(table)


async def _show_boots(machine: BootMachine, source: str, console: Console, verdict: _Verdict) -> None:
    first = await boot(machine, source)
    _print_boot(console, "first boot", first)
    verdict.expect(first.done.outcome is Outcome.APPLIED, "the first boot after the claim gets its file")
    verdict.expect(not machine.discovers, "discovery is off: the phone comes back to its own address")
    second = await boot(machine, source)
    _print_boot(console, "second boot", second)
    verdict.expect(
        second.done.server_url == machine.stored_url and second.done.outcome is not Outcome.FAILED,
        "the second boot reaches the phone's own address",
    )


async def _show_change(
    installation: Installation,
    running: Running,
    phones: dict[str, SipPhone],
    console: Console,
    verdict: _Verdict,
) -> None:
    console.rule("A change: extension 102 gets another name")
    change = read_company_file(_CHANGE.encode("utf-8"), "change.yaml")
    foreseen = await companies.apply(installation, change, COMMAND_LINE, dry_run=True)
    touched = sorted({file.owner for file in foreseen.files if ":" in file.owner})
    console.print(f"a dry run says that these phones get new bytes: {', '.join(touched)}", highlight=False)
    verdict.expect(bool(touched), "the change touches somebody")
    await companies.apply(installation, change, COMMAND_LINE)
    for mac in touched:
        told = await _fetched(phones[mac])
        verdict.expect(
            told is not None and told.done.outcome is Outcome.APPLIED,
            f"{mac} is told (NOTIFY check-sync) and fetches by itself",
        )
        await running.settled()
        verdict.expect(Rung.CURRENT in await _rungs(installation, mac), "the server knows: current")
    told_macs = [mac for mac, phone in phones.items() if phone.times_told]
    verdict.expect(told_macs == touched, "no other phone is told")
    console.print(
        escape(await device_files.diff_device(installation, MacAddress.parse(touched[0]))), highlight=False
    )


async def _rungs(installation: Installation, mac: str) -> tuple[Rung, ...]:
    return (await devices.show_device(installation, MacAddress.parse(mac))).summary.rungs


async def _is_reached(installation: Installation, mac: str) -> bool:
    """Waits until the server has had an answer from a phone; False: it took too long."""
    try:
        async with (
            asyncio.timeout(_LONGEST_S),
            event_tail(installation.database) as tail,
            tail.subscribed(Wanted(kinds=frozenset({LineKind.REACHABLE}))) as news,
        ):
            while Rung.REACHABLE not in await _rungs(installation, mac):
                await news.next()
    except TimeoutError:
        return False
    return True


async def _fetched(phone: SipPhone) -> Boot | None:
    """Waits until a phone has fetched because it was told to; None: it took too long."""
    try:
        async with asyncio.timeout(_LONGEST_S):
            return await phone.fetched.get()
    except TimeoutError:
        return None


def _phone(device: devices.Summary, running: Running) -> BootMachine:
    mac = MacAddress.parse(device.mac).hex
    return BootMachine(
        mac, find_model(device.model), FIRMWARE[device.model], dhcp_url=f"{running.provisioning_url}/"
    )


def _got_no_secret(tried: Boot, mac: str) -> bool:
    own = f"{MacAddress.parse(mac).hex}.cfg"
    return all(asked.status == 404 for asked in tried.asked if asked.url.endswith(own))


def _summary(tried: Boot) -> str:
    return ", ".join(f"{asked.url.rpartition('/')[2]} {asked.status}" for asked in tried.asked)


def _print_boot(console: Console, name: str, tried: Boot) -> None:
    applied = f", {len(tried.applied.settings)} settings" if tried.applied else ""
    console.print(f"  {name}: {tried.done.outcome}{applied}", highlight=False)
    for asked in tried.asked:
        console.print(f"    {asked.status}  {_without_token(asked.url)}", highlight=False, markup=False)


def _without_token(url: str) -> str:
    """The URL as it may be shown: tokens are secrets."""
    scheme, _, rest = url.partition("://")
    host, *path = rest.split("/")
    return f"{scheme}://" + "/".join([host, *("…" if len(part) == 32 else part for part in path)])
