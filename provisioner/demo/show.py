"""What `centralka demo` does: it sets up the sample company, boots its phones and says what each got."""

from __future__ import annotations

import tempfile
from collections.abc import Awaitable, Callable
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
from provisioner.demo.phone import Boot, boot
from provisioner.files.company import read_company_file
from provisioner.operations import claims, companies, devices
from provisioner.operations.installation import Installation, initialise, opened
from provisioner.operations.ladder import Rung
from provisioner.settings import Listen, Settings, split_address

FIRMWARE = {
    "VP530P": "23.70.0.40",
    "T46G": "28.72.0.1",
    "T23G": "44.80.0.60",
    "T46S": "66.85.0.5",
    "T54W": "96.86.0.70",
}
"What the sample phones have installed: one of each generation."

_STRANGER = "127.0.0.99"
_CHANGE = """
customers:
  - login: nowyklienttestowy
    extensions:
      - {number: "101", name: Recepcja i centrala}
      - {number: "102"}
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
            async with serving(installation, console.print) as running:
                verdict = _Verdict(console)
                await _show(installation, running, console, verdict)
                console.rule("Everything passed" if verdict.passed else "Something failed")
                if until is not None:
                    console.print(f"Data directory: {data_dir}   operator password: {password}")
                    console.print(f"Portal: {running.portal_url}/healthz   Ctrl-C ends the demo.")
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


async def _show(installation: Installation, running: Running, console: Console, verdict: _Verdict) -> None:
    listed = await devices.list_devices(installation)
    phones = {device.mac: _phone(device, running) for device in listed}
    sources = {device.mac: f"127.0.0.{10 + number}" for number, device in enumerate(listed)}
    for device in listed:
        phone, source = phones[device.mac], sources[device.mac]
        console.rule(f"{device.model} {device.mac} {escape(device.name)}")
        console.print(f"firmware {phone.firmware} ({phone.generation}), at {source}", highlight=False)
        stranger = await boot(_phone(device, running), _STRANGER)
        verdict.expect(
            _got_no_secret(stranger, device.mac),
            "before its claim, nobody gets its file: " + _summary(stranger),
        )
        await claims.claim(installation, MacAddress.parse(device.mac), COMMAND_LINE)
        first = await boot(phone, source)
        _print_boot(console, "first boot", first)
        verdict.expect(first.done.outcome is Outcome.APPLIED, "the first boot after the claim gets its file")
        verdict.expect(not phone.discovers, "discovery is off: the phone comes back to its own address")
        second = await boot(phone, source)
        _print_boot(console, "second boot", second)
        verdict.expect(
            second.done.server_url == phone.stored_url and second.done.outcome is not Outcome.FAILED,
            "the second boot reaches the phone's own address",
        )
        for account, line in _accounts(phone):
            console.print(f"  account {account}: {line}", highlight=False)
        await running.settled()
        details = await devices.show_device(installation, MacAddress.parse(device.mac))
        verdict.expect(
            Rung.CURRENT in details.summary.rungs, f"the server knows: {details.summary.rung}"
        )
    await _show_change(installation, phones, sources, console, verdict)
    console.rule("How far each phone came")
    table = Table("MAC", "model", "name", "came as far as", "firmware")
    for summary in await devices.list_devices(installation):
        table.add_row(summary.mac, summary.model, summary.name, summary.rung, summary.firmware or "")
    console.print(table)


async def _show_change(
    installation: Installation,
    phones: dict[str, BootMachine],
    sources: dict[str, str],
    console: Console,
    verdict: _Verdict,
) -> None:
    console.rule("A change: extension 101 gets another name")
    change = read_company_file(_CHANGE.encode("utf-8"), "change.yaml")
    foreseen = await companies.apply(installation, change, COMMAND_LINE, dry_run=True)
    touched = sorted({file.owner for file in foreseen.files if ":" in file.owner})
    console.print(f"a dry run says that these phones get new bytes: {', '.join(touched)}", highlight=False)
    await companies.apply(installation, change, COMMAND_LINE)
    behind = [
        device.mac
        for device in await devices.list_devices(installation)
        if Rung.CURRENT not in device.rungs
    ]
    verdict.expect(sorted(behind) == touched and bool(touched), "exactly these are no longer current")
    for mac in phones:
        again = await boot(phones[mac], sources[mac])
        expected = Outcome.APPLIED if mac in touched else Outcome.UNCHANGED
        verdict.expect(again.done.outcome is expected, f"{mac} asks again: {again.done.outcome}")
    console.print(
        escape(await devices.diff_device(installation, MacAddress.parse(touched[0]))), highlight=False
    )


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


def _accounts(phone: BootMachine) -> list[tuple[int, str]]:
    """The accounts that the phone has now, as its own settings say."""
    kept = phone.memory.settings
    found = []
    for number in range(1, phone.model.accounts + 1):
        if kept.get(f"account.{number}.enable") == "1":
            server = kept.get(f"account.{number}.sip_server.1.address") or kept.get(
                f"account.{number}.sip_server_host"
            )
            user, label = kept.get(f"account.{number}.user_name"), kept.get(f"account.{number}.label")
            found.append((number, f"{user} ({label}) at {server}"))
    return found
