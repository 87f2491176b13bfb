"""A whole server in this process, and phones that get their files from it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from db.engine import Database
from db.vault import Vault
from phone_templates.yealink.boot import BootMachine
from phone_templates.yealink.models import find_model
from provisioner.app import Running, serving
from provisioner.centrex.actor import COMMAND_LINE
from provisioner.centrex.mac import MacAddress
from provisioner.files.company import read_company_file
from provisioner.operations import claims, companies
from provisioner.operations.installation import FIRMWARE_DIR, KEY_FILE, MEDIA_DIR, Installation
from provisioner.settings import read_settings
from tests.e2e.softphones.account import Account, booted


@dataclass(frozen=True, slots=True)
class Phone:
    """A phone of a test's company, with a line of its own."""

    mac: str
    model: str
    firmware: str
    line: str
    options: Mapping[str, object]
    "What stands under its `phone:`."

    @property
    def device(self) -> str:
        """Its entry in a company file."""
        options = ", ".join(f"{name}: {value}" for name, value in self.options.items())
        return (
            f'{{mac: "{self.mac}", model: {self.model}, phone: {{{options}}},'
            f' accounts: [{{account: 1, line: "{self.line}"}}]}}'
        )


@dataclass(frozen=True)
class Exchange:
    """A server that is up."""

    installation: Installation
    running: Running

    async def account(self, phone: Phone) -> Account:
        """What `phone` has on its first account, when it has been claimed and has booted."""
        mac = MacAddress.parse(phone.mac)
        await claims.claim(self.installation, mac, COMMAND_LINE)
        url = f"{self.running.provisioning_url}/"
        model = find_model(phone.model)
        machine = BootMachine(mac.hex, model, phone.firmware, name=phone.model, dhcp_url=url)
        return (await booted(machine))[0]


@asynccontextmanager
async def exchange(
    data_dir: Path, database: Path, tables: str, phones: list[Phone]
) -> AsyncIterator[Exchange]:
    """A server with `phones`; `tables` is its configuration file, `database` a migrated one of its own."""
    config = data_dir / "centralka.toml"
    config.write_text(f'[listen]\nportal = "127.0.0.1:0"\nprovisioning = "127.0.0.1:0"\n{tables}')
    for folder in (FIRMWARE_DIR, MEDIA_DIR):
        (data_dir / folder).mkdir()
    opened = await Database.open(f"sqlite:///{database}")
    try:
        vault = Vault.create(data_dir / KEY_FILE)
        installation = Installation(data_dir, read_settings(config), opened, vault)
        file = read_company_file(_company(phones).encode(), "company.yaml")
        await companies.apply(installation, file, COMMAND_LINE)
        async with serving(installation, lambda _: None) as running:
            yield Exchange(installation, running)
    finally:
        await opened.close()


def _company(phones: list[Phone]) -> str:
    lines = "".join(
        f'\n      - {{number: "{line}", product: telefonia-ip-plus}}'
        for line in dict.fromkeys(each.line for each in phones)
    )
    devices = "".join(f"\n      - {each.device}" for each in phones)
    return (
        "customers:\n  - login: firma\n    name: Firma\n    language: pl\n    time_zone: Europe/Warsaw\n"
        f"    lines:{lines}\n    devices:{devices}\n"
    )
