"""What the references of files stand for today, and how often each secret was set."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from urllib.parse import unquote

from sqlalchemy.ext.asyncio import AsyncSession

from db.queries import secrets as queries
from db.queries.serving import Serving
from db.schema import SettingRow
from db.vault import Vault
from provisioner.centrex import secret_names as names
from provisioner.store.customers import Stored


def versions_of(stored: Stored, vendor_settings: Sequence[SettingRow]) -> dict[str, int]:
    """The version of every secret that the files of the customer's phones may refer to."""
    row = stored.row
    versions = {names.line_password(line.number): line.password_version for line in row.lines}
    for device in row.devices:
        versions[names.device_token(device.mac)] = device.tokens[-1].version
        versions[names.service_token(device.mac)] = device.service_token_version
        versions[names.admin_password(device.mac)] = device.admin_password_version
        versions[names.user_password(device.mac)] = device.user_password_version
    sites = {site.id: site.name for site in row.sites}
    macs = {device.id: device.mac for device in row.devices}
    for setting in (*stored.settings, *vendor_settings):
        if setting.value_sealed is None:
            continue
        if setting.level == "vendor":
            subject = names.vendor_subject(setting.vendor or "")
        elif setting.level == "model":
            subject = names.model_subject(setting.model or "")
        elif setting.level == "customer":
            subject = names.customer_subject(row.login)
        elif setting.level == "site":
            subject = names.site_subject(row.login, sites[setting.site_id or 0])
        else:
            subject = names.device_subject(macs[setting.device_id or 0])
        versions[names.secret_setting(subject, setting.name)] = setting.version
    return versions


class SecretsBeside(Mapping[str, str]):
    """The secrets that came with a look for a device's file, by reference; each is opened when asked for."""

    def __init__(self, serving: Serving, vault: Vault) -> None:
        mac = serving.mac
        sealed = {
            names.device_token(mac): serving.newest_token_sealed,
            names.service_token(mac): serving.service_token_sealed,
            names.admin_password(mac): serving.admin_password_sealed,
            names.user_password(mac): serving.user_password_sealed,
        }
        if serving.newest_encryption_key_sealed is not None:
            sealed[names.encryption_key(mac)] = serving.newest_encryption_key_sealed
        for number, password in serving.line_passwords_sealed.items():
            sealed[names.line_password(number)] = password
        self._sealed = sealed
        self._vault = vault

    def __getitem__(self, ref: str) -> str:
        return self._vault.open(self._sealed[names.without_version(ref)])

    def __iter__(self) -> Iterator[str]:
        return iter(self._sealed)

    def __len__(self) -> int:
        return len(self._sealed)


async def open_secrets(session: AsyncSession, vault: Vault, refs: Iterable[str]) -> dict[str, str]:
    """Today's values of the references, whatever version they name. What is gone is left out."""
    sealed: dict[str, bytes] = {}
    numbers: dict[str, str] = {}
    for ref in sorted(refs):
        kind, *rest = names.without_version(ref).split("/", 2)
        if kind == "line":
            numbers[ref] = rest[0]
        elif kind == "device":
            value = await _of_device(session, rest[0], rest[1])
            if value is not None:
                sealed[ref] = value
        else:
            # setting/LEVEL:SUBJECT/NAME, where a site's subject holds a slash of its own.
            subject, _, name = "/".join(rest).rpartition("/")
            level, _, quoted = subject.partition(":")
            row = await queries.setting(session, level, [unquote(part) for part in quoted.split("/")], name)
            if row is not None and row.value_sealed is not None:
                sealed[ref] = row.value_sealed
    if numbers:
        passwords = await queries.line_passwords(session, sorted(set(numbers.values())))
        sealed |= {ref: passwords[number] for ref, number in numbers.items() if number in passwords}
    return {ref: vault.open(value) for ref, value in sealed.items()}


async def _of_device(session: AsyncSession, mac: str, secret: str) -> bytes | None:
    device = await queries.device(session, mac)
    if device is None:
        return None
    if secret in ("token", "encryption-key"):
        # Always of one and the same token: a phone is told both, and uses them together.
        token = await queries.newest_token(session, device.id)
        if token is None or secret == "token":  # noqa: S105  # the name of a secret, not one
            return token.token_sealed if token else None
        return token.encryption_key.key_sealed if token.encryption_key else None
    return {
        "service-token": device.service_token_sealed,
        "admin-password": device.admin_password_sealed,
        "user-password": device.user_password_sealed,
    }.get(secret)
