"""Phone options and parameters as rows of the settings table."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from db.schema import SettingRow
from db.vault import Vault
from provisioner.centrex.devices import FirmwareTarget, PhoneOptions, ResyncWindow

IsSecret = Callable[[str], bool]
"Whether a parameter of that name is kept sealed."


@dataclass(frozen=True, slots=True)
class Said:
    """What one level says."""

    phone: PhoneOptions
    settings: Mapping[str, str]


def read_level(rows: Iterable[SettingRow], vault: Vault) -> Said:
    """The rows of one level as the domain has them; sealed values are opened."""
    options: dict[str, Any] = {}
    parameters: dict[str, str] = {}
    for row in rows:
        value = vault.open(row.value_sealed) if row.value_sealed is not None else row.value or ""
        if row.kind == "option":
            options[row.name] = option_from_json(row.name, value)
        else:
            parameters[row.name] = value
    return Said(PhoneOptions(**options), parameters)


def write_level(
    session: AsyncSession,
    vault: Vault,
    there: Sequence[SettingRow],
    said: Said,
    is_secret: IsSecret,
    **subject: Any,
) -> None:
    """Makes the rows of one level what it says; `subject` is `level` and the column that names it.

    A value that changes gets a higher version; what is not said any more loses its row.
    """
    wanted = {("option", name): _to_json(value) for name, value in _said_options(said.phone)}
    wanted |= {("parameter", name): value for name, value in said.settings.items()}
    rows = {(row.kind, row.name): row for row in there}
    for key in rows.keys() - wanted.keys():
        session.sync_session.delete(rows[key])
    for (kind, name), value in sorted(wanted.items()):
        row = rows.get((kind, name))
        secret = kind == "parameter" and is_secret(name)
        if row is None:
            row = SettingRow(kind=kind, name=name, version=1, **subject)
            session.add(row)
        elif (vault.open(row.value_sealed) if row.value_sealed is not None else row.value) == value:
            continue
        else:
            row.version += 1
        row.value, row.value_sealed = (None, vault.seal(value)) if secret else (value, None)


def _said_options(phone: PhoneOptions) -> list[tuple[str, Any]]:
    return [
        (field.name, value) for field in fields(phone) if (value := getattr(phone, field.name)) is not None
    ]


def _to_json(value: Any) -> str:
    if isinstance(value, ResyncWindow):
        value = asdict(value)
    elif isinstance(value, tuple) and value and isinstance(value[0], FirmwareTarget):
        value = {target.model: target.file for target in value}
    return json.dumps(value, ensure_ascii=False)


def option_from_json(name: str, text: str) -> Any:
    """The value of a phone option, as its row has it."""
    value = json.loads(text)
    if name == "resync":
        return ResyncWindow(**value)
    if isinstance(value, dict):
        return tuple(FirmwareTarget(model, file) for model, file in value.items())
    return tuple(value) if isinstance(value, list) else value
