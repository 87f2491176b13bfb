"""A whole server in this process, and phones that get their files from it."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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
from provisioner.virtual_phones.account import Account, accounts
from provisioner.virtual_phones.booting import boot
from sip.transport.flow import Address, Transport
from tests.e2e.softphones.certificate import Certificate
from tests.e2e.softphones.loopback import free, own_network
from tests.provisioner.web.streams import get, token_for


@dataclass(frozen=True, slots=True)
class Phone:
    """A phone of a test's company, with a line of its own."""

    mac: str
    model: str
    firmware: str
    line: str
    options: Mapping[str, object]
    "What stands under its `phone:`."
    services: str = ""
    "What else the file says of its line, as `dnd: true`."

    def extension(self, number: str, name: str, more: str = "") -> str:
        """An extension that rings it, as an entry in a company file."""
        return f'{{number: "{number}", line: "{self.line}", name: "{name}"{more}}}'

    @property
    def device(self) -> str:
        """Its entry in a company file."""
        options = ", ".join(f"{name}: {value}" for name, value in self.options.items())
        return (
            f'{{mac: "{self.mac}", model: {self.model}, phone: {{{options}}},'
            f' accounts: [{{account: 1, line: "{self.line}"}}]}}'
        )


_MODELS = {
    Transport.UDP: ("VP530P", "23.70.0.40"),
    Transport.TCP: ("T23G", "44.80.0.60"),
    Transport.TLS: ("T54W", "96.86.0.70"),
}
"What the phones of a test are: each transport is told to another generation."


@dataclass(frozen=True)
class Site:
    """Loopback addresses of one test: the server's, and those of its phones."""

    network: str
    "The first three bytes."
    sip: Address
    sips: Address

    @classmethod
    def make(cls) -> Site:
        """Addresses and ports that nobody has."""
        network = own_network()
        return cls(network, free(f"{network}.1"), free(f"{network}.1"))

    def host(self, number: int) -> str:
        """Where phone `number`, which counts from 2, is."""
        return f"{self.network}.{number}"

    def phone(self, number: int, transport: Transport = Transport.UDP, services: str = "") -> Phone:
        """Phone `number`, which is told to register by `transport` at this site."""
        model, firmware = _MODELS[transport]
        server = self.sips if transport is Transport.TLS else self.sip
        return Phone(
            mac=f"80:5e:c0:00:00:{number:02x}",
            model=model,
            firmware=firmware,
            line=f"482255500{number:02}",
            options={
                "sip_host": server.host,
                "sip_port": server.port,
                "sip_transport": transport,
                "register_expires_s": 60,
            },
            services=services,
        )


@dataclass(frozen=True)
class Exchange:
    """A server that is up."""

    site: Site
    installation: Installation
    running: Running
    certificate: Certificate
    token: str
    "A program's, that may see everything."

    async def account(self, phone: Phone) -> Account:
        """What `phone` has on its first account, when it has been claimed and has booted."""
        return accounts(await self.boots(phone))[0]

    async def boots(self, phone: Phone) -> BootMachine:
        """Claims `phone`, and gives it as it is when it has booted."""
        mac = MacAddress.parse(phone.mac)
        await claims.claim(self.installation, mac, COMMAND_LINE)
        url = f"{self.running.provisioning_url}/"
        model = find_model(phone.model)
        machine = BootMachine(mac.hex, model, phone.firmware, name=phone.model, dhcp_url=url)
        booted = await boot(machine, "127.0.0.1")
        assert booted.applied is not None, booted.asked
        return machine

    def host(self, phone: Phone) -> str:
        """Where `phone` is."""
        return self.site.host(int(phone.mac[-2:], 16))

    async def registrations(self, phone: Phone) -> list[dict[str, Any]]:
        """What `/api/v1/registrations` says of its line."""
        path = f"/registrations?line={phone.line}&state=all"
        async with get(self.running, path, self.token) as response:
            assert response.status == 200, await response.text()
            return list((await response.json())["registrations"])


@asynccontextmanager
async def exchange(
    folder: Path, template: Path, site: Site, phones: Sequence[Phone], tables: str = "", company: str = ""
) -> AsyncIterator[Exchange]:
    """A server at `site` that has `phones`, with a data directory in `folder`.

    `template` is a migrated database to copy; `tables` are further ones of the configuration file, and
    `company` is what else the company file says of the customer.
    """
    certificate = Certificate.make(folder, site.sips.host)
    data_dir = folder / "data"
    for each in (data_dir, data_dir / FIRMWARE_DIR, data_dir / MEDIA_DIR):
        each.mkdir()
    config = data_dir / "centralka.toml"
    config.write_text(
        '[listen]\nportal = "127.0.0.1:0"\nprovisioning = "127.0.0.1:0"\n'
        f'sip = "{site.sip}"\nsips = "{site.sips}"\n'
        f'[tls]\ncertificate = "{certificate.chain}"\nprivate_key = "{certificate.key}"\n{tables}'
    )
    database = data_dir / "centralka.db"
    shutil.copyfile(template, database)
    database.chmod(0o600)
    opened = await Database.open(f"sqlite:///{database}")
    try:
        vault = Vault.create(data_dir / KEY_FILE)
        installation = Installation(data_dir, read_settings(config), opened, vault)
        wanted = read_company_file(_company(phones, company).encode())
        await companies.apply(installation, wanted, COMMAND_LINE)
        token = await token_for(installation)
        async with serving(installation, lambda _: None) as running:
            yield Exchange(site, installation, running, certificate, token)
    finally:
        await opened.close()


def _company(phones: Sequence[Phone], more: str) -> str:
    services = {each.line: f", {each.services}" if each.services else "" for each in phones}
    lines = "".join(
        f'\n      - {{number: "{line}", product: telefonia-ip-plus{said}}}' for line, said in services.items()
    )
    devices = "".join(f"\n      - {each.device}" for each in phones)
    return (
        "customers:\n  - login: firma\n    name: Firma\n    language: pl\n    time_zone: Europe/Warsaw\n"
        f"    lines:{lines}\n    devices:{devices}\n{more}"
    )
