"""A small company to change, and what the tests look at afterwards."""

from __future__ import annotations

from typing import Any

import yaml
from sqlalchemy import select

from db.schema import AuditRow, metadata
from phone_templates import cfg
from provisioner.centrex.actor import COMMAND_LINE, Actor
from provisioner.centrex.mac import MacAddress
from provisioner.files.company import read_company_file
from provisioner.operations import device_files
from provisioner.operations.companies import apply
from provisioner.operations.customer_step import Plan
from provisioner.operations.installation import Installation
from provisioner.phones.render import DeviceFile

ONE, TWO = "48221110001", "48221110002"
"The lines."
DESK, HALL = MacAddress.parse("001565000001"), MacAddress.parse("001565000002")
"The phones: a T46S on line ONE and a VP530P on line TWO."


def line(number: str, **more: Any) -> dict[str, Any]:
    return {"number": number, "product": "telefonia-ip-plus", **more}


def phone(mac: MacAddress, model: str, *lines: str, **more: Any) -> dict[str, Any]:
    accounts = [{"account": number, "line": each} for number, each in enumerate(lines, start=1)]
    return {"mac": str(mac), "model": model, "accounts": accounts, **more}


def small(login: str = "firma", **changes: Any) -> dict[str, Any]:
    """The company, with some of its keys said otherwise."""
    company = {
        "login": login,
        "name": "Firma",
        "lines": [line(ONE), line(TWO)],
        "extensions": [
            {"number": "101", "line": ONE, "name": "Recepcja", "published": True},
            {"number": "102", "line": TWO, "name": "Biuro", "published": True},
        ],
        "hunt_groups": [
            {"number": "600", "name": "Sprzedaż", "members": [{"extension": "101"}, {"extension": "102"}]}
        ],
        "devices": [phone(DESK, "T46S", ONE), phone(HALL, "VP530P", TWO)],
    }
    return company | changes


def other(login: str = "inna", **changes: Any) -> dict[str, Any]:
    """Another company, which shares nothing with the small one."""
    company = {"login": login, "name": "Inna", "lines": [line("48333000001")]}
    return company | changes


def written(*customers: dict[str, Any], **more: Any) -> str:
    """A company file."""
    said = {"customers": list(customers), **more} if customers else more
    return yaml.dump(said, Dumper=_Dumper, allow_unicode=True, sort_keys=False)


class _Dumper(yaml.SafeDumper):
    """Writes what is there twice twice: company files know no anchors."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


async def put(
    installation: Installation,
    *customers: dict[str, Any],
    actor: Actor = COMMAND_LINE,
    dry_run: bool = False,
    staged: bool = False,
    **more: Any,
) -> Plan:
    """Applies a company file."""
    file = read_company_file(written(*customers, **more).encode(), "test.yaml")
    return await apply(installation, file, actor, dry_run=dry_run, staged=staged)


async def just(installation: Installation, **changes: Any) -> Plan:
    """Applies a file that says only these keys of the small company."""
    return await put(installation, {"login": "firma", **changes})


async def exact(
    installation: Installation, mac: MacAddress = DESK, file: DeviceFile = DeviceFile.MAC
) -> dict[str, str]:
    """The settings that the phone gets, secrets and all."""
    return dict(cfg.parse(await device_files.render_device(installation, mac, file)))


def phones(plan: Plan) -> set[str]:
    """The phones that get new bytes."""
    return {file.owner for file in plan.files if ":" in file.owner}


def said(plan: Plan) -> list[str]:
    """The changes in words."""
    return [str(change) for change in plan.changes]


async def dump(installation: Installation) -> dict[str, list[str]]:
    """Everything that the database holds, table by table."""
    async with installation.database.read() as session:
        return {
            table.name: sorted(repr(tuple(row)) for row in await session.execute(select(table)))
            for table in metadata.sorted_tables
        }


async def audits(installation: Installation) -> list[AuditRow]:
    """All entries of the audit, the oldest first."""
    async with installation.database.read() as session:
        return list(await session.scalars(select(AuditRow).order_by(AuditRow.id)))
