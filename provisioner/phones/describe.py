"""A listed device, with all that it inherits, as the description that its files are written from."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote, unquote

from phone_templates import spec
from phone_templates.catalogue import Generation, Sensitivity
from phone_templates.errors import PhoneTemplatesError
from phone_templates.values import Joined, Secret, Text
from phone_templates.yealink.encryption import key_length
from phone_templates.yealink.models import Model, find_model
from phone_templates.yealink.parameters import catalogue
from provisioner.centrex.addresses import PublicAddresses
from provisioner.centrex.customer import Customer, FeatureCodes
from provisioner.centrex.devices import Device, DeviceAccount, Key, PhoneOptions, VendorLevel
from provisioner.centrex.errors import BadValue, NotFound
from provisioner.centrex.secret_names import (
    admin_password,
    device_token,
    encryption_key,
    line_password,
    secret_setting,
    service_token,
    user_password,
)
from provisioner.phones.firmware import offered_firmware
from provisioner.phones.levels import Level, effective_options, levels_of
from provisioner.phones.managed import check_not_managed
from provisioner.phones.secrets import Versions, referred
from provisioner.phones.zones import posix_rule

PHONE_BOOK = "phonebook.xml"
BROWSER_PAGES = ("menu", "directory", "phone")
"XML browser pages that a key may name by a single word."
_SERVER_URLS = ("auto_provision.server.url", "static.auto_provision.server.url")
# A value from a person holds no control character, so what follows the end of a reference is ours.
_MEDIA_TOLD = re.compile("\x03/media/([^/\\s]+)")
_RESYNC_MINUTES = 10
"How long a phone's own slot of the resync window is."


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a phone's files depend on beside its customer."""

    vendor: VendorLevel
    public: PublicAddresses
    versions: Versions
    encryption_keys: Mapping[int, int] = field(default_factory=dict)
    "The customer's newest AES keys: the number of each row, by how many characters the key has."
    told_keys: Collection[str] = frozenset()
    "The MACs of phones that have been told a key."


class BadSetting(BadValue):
    """A parameter of a device itself that the phone can't take."""

    def __init__(self, device: Device, name: str, why: PhoneTemplatesError) -> None:
        self.name = name
        super().__init__(f"device {device.mac}: {why}")


def generation_of(device: Device) -> tuple[Model, Generation]:
    """The model and the generation of firmware that the phone has, as far as it is known."""
    model = find_model(device.model)
    return model, model.generation(device.firmware_seen)


def describe(device: Device, customer: Customer, around: Surroundings) -> spec.Phone:
    """Everything that is true of the phone. Raises `BadValue` or `PhoneTemplatesError` for what can't be."""
    model, generation = generation_of(device)
    levels = levels_of(device, customer, around.vendor)
    options = effective_options(levels)
    firmware = offered_firmware(model, levels, device.firmware_seen)
    # The token is no password for a server that is not ours, which may ask for it in plain words.
    logs_in = options.http_auth is True and _fetches_here(levels)
    mac = device.mac.hex
    urls = _Urls(mac, around)
    centrex = customer.centrex
    return spec.Phone(
        mac=mac,
        model=model.name,
        generation=generation,
        clock=clock_of(options, customer),
        language=spec.Language(options.language or customer.language),
        admin_password=referred(admin_password(mac), around.versions),
        user_password=referred(user_password(mac), around.versions),
        provisioning_url=urls.login() if logs_in else urls.provisioning(),
        provisioning_login=_login(mac, around) if logs_in else None,
        file_key=_file_key(mac, generation, around) if is_encrypted(levels) else None,
        forget_file_key=mac in around.told_keys and _fetches_here(levels),
        accounts=tuple(_account(account, customer, options, around) for account in device.accounts),
        keys=tuple(_key(key, urls) for key in device.keys),
        modules=device.modules,
        codes=_codes(customer),
        distinctive_ring=centrex.distinctive_ring,
        network=spec.Network(
            vlan_id=options.vlan_id,
            vlan_priority=options.vlan_priority,
            pc_vlan_id=options.pc_vlan_id,
            lldp=options.lldp,
            sip_dscp=options.sip_dscp,
            rtp_dscp=options.rtp_dscp,
        ),
        syslog=_syslog(options),
        phone_books=(spec.PhoneBook(customer.name, urls.service(PHONE_BOOK)),),
        ringtones=tuple(urls.service(f"media/{quote(name)}") for name in options.ringtones or ()),
        logo=urls.service(f"media/{quote(options.logo)}") if options.logo else None,
        firmware_url=urls.service(f"firmware/{quote(firmware)}") if firmware else None,
        resync=_resync(mac, options),
        action_url_base=urls.service("action") if options.action_urls else None,
        backup_url=urls.service("") if options.backups else None,
        browser_url=urls.service("browser/menu.xml"),
        settings=_settings(device, customer, around),
    )


def is_encrypted(levels: Iterable[Level]) -> bool:
    """Whether a phone's files are to be encrypted.

    A phone that is told another provisioning server gets no key: it would use it for what that one sends, or
    for our files under the token that it has.
    """
    return bool(effective_options(tuple(levels)).encryption) and _fetches_here(levels)


def _fetches_here(levels: Iterable[Level]) -> bool:
    return not any(name in level.settings for level in levels for name in _SERVER_URLS)


def _file_key(mac: str, generation: Generation, around: Surroundings) -> spec.FileKey:
    characters = key_length(generation)
    # Without a key yet: its files are being tried out before any is stored.
    number = around.encryption_keys.get(characters, 0)
    return spec.FileKey(characters, Secret(f"{encryption_key(mac)}@{number}"))


def clock_of(options: PhoneOptions, customer: Customer | None = None) -> spec.Clock:
    """The clock of a phone: its own zone, else the customer's."""
    zone = options.time_zone or (customer.time_zone if customer else "Europe/Warsaw")
    return spec.Clock(rule=posix_rule(zone), ntp_servers=options.ntp_servers or ())


def media_told(content: str) -> frozenset[str]:
    """The media files that a phone's file names under the phone's own service token."""
    return frozenset(unquote(name) for name in _MEDIA_TOLD.findall(content))


class _Urls:
    """The addresses that one phone is told, its tokens by reference."""

    def __init__(self, mac: str, around: Surroundings) -> None:
        self._base = f"{around.public.provisioning_url}/"
        self._token = referred(device_token(mac), around.versions)
        self._service = referred(service_token(mac), around.versions)

    def provisioning(self) -> Text:
        return Joined((self._base, self._token, "/"))

    def login(self) -> Text:
        return f"{self._base}auth/"

    def service(self, path: str) -> Text:
        return Joined((self._base, self._service, f"/{path}"))


def _login(mac: str, around: Surroundings) -> spec.ProvisioningLogin:
    return spec.ProvisioningLogin(mac, referred(device_token(mac), around.versions))


def _account(
    account: DeviceAccount, customer: Customer, options: PhoneOptions, around: Surroundings
) -> spec.Account:
    if account.line not in customer.line_numbers:
        raise NotFound(
            f"the line {account.line} of account {account.account} is not a line of this customer:"
            " give one that is"
        )
    extension = customer.first_extensions.get(account.line)
    shown = account.label or (extension and (extension.name or extension.number)) or account.line
    said = {
        "expires_s": options.register_expires_s,
        "nat_keepalive_s": options.nat_keepalive_s,
        "srtp": options.srtp and spec.Srtp(options.srtp),
        "codecs": options.codecs and tuple(spec.Codec(codec) for codec in options.codecs),
        "dtmf": options.dtmf and spec.Dtmf(options.dtmf),
        "caller_id_source": options.caller_id_source and spec.CallerIdSource(options.caller_id_source),
        "voice_mail": options.voice_mail,
    }
    return spec.Account(
        number=account.account,
        user_name=account.line,
        password=referred(line_password(account.line), around.versions),
        server_host=options.sip_host or around.public.sip_host,
        server_port=options.sip_port or around.public.sip_port,
        transport=spec.Transport(options.sip_transport or around.public.sip_transport),
        label=shown,
        display_name=shown,
        outbound_proxy=_proxy(options.outbound_proxy) if options.outbound_proxy else None,
        **{name: value for name, value in said.items() if value is not None},  # type: ignore[arg-type]
    )


def _proxy(text: str) -> spec.OutboundProxy:
    host, _, port = text.rpartition(":") if text.count(":") == 1 or text.startswith("[") else (text, "", "")
    return spec.OutboundProxy(host, int(port)) if host and port.isdigit() else spec.OutboundProxy(text)


def _key(key: Key, urls: _Urls) -> spec.Key:
    value: Text = key.value
    if key.type == "xml_browser" and key.value in BROWSER_PAGES:
        value = urls.service(f"browser/{key.value}.xml")
    return spec.Key(
        type=spec.KeyType(key.type),
        value=value,
        label=key.label,
        account=key.account,
        key=key.key,
        memory=key.memory,
        module=key.module,
    )


def _codes(customer: Customer) -> spec.Codes:
    centrex, codes = customer.centrex, customer.centrex.codes
    return spec.Codes(
        pickup=centrex.pickup_prefix,
        intercom=centrex.intercom_prefix,
        park=centrex.park.prefix if centrex.park else None,
        retrieve=centrex.park.retrieve_prefix if centrex.park else None,
        **{name: getattr(codes, name) for name in _PHONE_CODES},
    )


_PHONE_CODES = tuple(
    name for name in FeatureCodes.__dataclass_fields__ if name in spec.Codes.__dataclass_fields__
)


def _syslog(options: PhoneOptions) -> spec.Syslog | None:
    if not options.syslog_server:
        return None
    level = options.syslog_level
    return spec.Syslog(options.syslog_server) if level is None else spec.Syslog(options.syslog_server, level)


def _resync(mac: str, options: PhoneOptions) -> spec.Resync | None:
    """The phone's own minutes of the window, spread by its MAC so that no two sites wake as one."""
    if options.resync is None:
        return None
    begin, end = _minute(options.resync.start), _minute(options.resync.end)
    minutes = (end - begin) % (24 * 60) or 24 * 60
    spread = int.from_bytes(hashlib.sha256(mac.encode("ascii")).digest()[:4], "big")
    slot = (begin + spread % max(1, minutes - _RESYNC_MINUTES)) % (24 * 60)
    # A slot may not pass midnight: the phone compares minutes of one day. A window may.
    last = 24 * 60 - 1 - _RESYNC_MINUTES
    if slot > last:
        slot = last if begin <= last else 0
    return spec.Resync(begin_minute=slot, end_minute=slot + _RESYNC_MINUTES)


def _minute(clock: str) -> int:
    hours, minutes = clock.split(":")
    return int(hours) * 60 + int(minutes)


def _settings(device: Device, customer: Customer, around: Surroundings) -> Mapping[str, Text]:
    """The raw parameters of all levels that the phone's generation knows; the nearest level wins.

    A parameter of the device itself must be known; one of a wider level is for the phones that know it.
    """
    model, generation = generation_of(device)
    merged: dict[str, Text] = {}
    own = device.settings
    for level in levels_of(device, customer, around.vendor):
        for name, value in level.settings.items():
            try:
                check_not_managed(name)
                checked = catalogue().check(name, value, generation, model)
            except PhoneTemplatesError as error:
                if level.settings is own:
                    raise BadSetting(device, name, error) from error
                continue
            parameter = catalogue().find(name, generation)
            if parameter and parameter.sensitivity is Sensitivity.SECRET:
                merged[name] = referred(secret_setting(level.subject, name), around.versions)
            else:
                merged[name] = checked
    return merged
