"""A listed phone: its model, its accounts, its keys and the options that shape its files. Plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from provisioner.centrex.mac import MacAddress


class KeyType(StrEnum):
    """What a programmable key does, in the company file's words."""

    LINE = "line"
    BLF = "blf"
    SPEED_DIAL = "speed_dial"
    PARK = "park"
    RETRIEVE = "retrieve"
    INTERCOM = "intercom"
    PICKUP = "pickup"
    GROUP_PICKUP = "group_pickup"
    PAGING = "paging"
    URL = "url"
    XML_BROWSER = "xml_browser"
    VOICE_MAIL = "voice_mail"


@dataclass(frozen=True, slots=True)
class Key:
    """One programmable key. Without a place it takes the next free one of its phone."""

    type: KeyType
    value: str = ""
    label: str = ""
    account: int = 1
    "The account (`account.N`) that the key uses, from 1."
    key: int | None = None
    "Line key N; together with `module`, key N of that expansion module."
    memory: int | None = None
    "Memory key N (V70 phones)."
    module: int | None = None
    "Expansion module M."


@dataclass(frozen=True, slots=True)
class DeviceAccount:
    """A line on one account of a phone."""

    account: int
    line: str
    label: str | None = None


@dataclass(frozen=True, slots=True)
class ResyncWindow:
    """When phones ask for new files: each at its own minute between the two (local time, `HH:MM`)."""

    start: str = "02:00"
    end: str = "05:00"


@dataclass(frozen=True, slots=True)
class FirmwareTarget:
    """The firmware that the phones of one model shall have."""

    model: str
    file: str
    "Name of a firmware file; an empty text turns an inherited one off."


@dataclass(frozen=True, slots=True)
class PhoneOptions:
    """What a level (vendor, model, customer, site, device) says about its phones. None: not said here."""

    language: str | None = None
    "pl | en"
    time_zone: str | None = None
    "A zone of the IANA database, such as Europe/Warsaw."
    ntp_servers: tuple[str, ...] | None = None
    sip_host: str | None = None
    "Overrides `[public] sip_host` for these phones; so do the next two."
    sip_port: int | None = None
    sip_transport: str | None = None
    "udp | tcp | tls | dns_srv"
    register_expires_s: int | None = None
    outbound_proxy: str | None = None
    "host or host:port; an empty text turns an inherited one off."
    nat_keepalive_s: int | None = None
    "Seconds between keep-alives; 0 turns them off."
    srtp: str | None = None
    "off | optional | compulsory"
    codecs: tuple[str, ...] | None = None
    "In order of preference: pcma pcmu g722 g729 opus ilbc g723 g726 (bit rates by the template)."
    dtmf: str | None = None
    "inband | rfc2833 | info | auto"
    caller_id_source: str | None = None
    "from | pai | pai_from | rpid_pai_from | pai_rpid_from | rpid_from"
    voice_mail: str | None = None
    "The number that listens to messages."
    syslog_server: str | None = None
    syslog_level: int | None = None
    "0 to 7, 3 is errors."
    vlan_id: int | None = None
    "0 turns tagging off."
    vlan_priority: int | None = None
    pc_vlan_id: int | None = None
    lldp: bool | None = None
    sip_dscp: int | None = None
    rtp_dscp: int | None = None
    ringtones: tuple[str, ...] | None = None
    "Media file names."
    logo: str | None = None
    "Media file name; an empty text turns an inherited one off."
    firmware: str | tuple[FirmwareTarget, ...] | None = None
    """Firmware file name, for the phones whose model it fits; or one for each of some models.

    Which level wins depends on the model: ask `phones.firmware`.
    """
    firmware_downgrade: bool | None = None
    "Give this level's firmware to phones that have a newer one, too; off unless said."
    boot_mode: bool | None = None
    "Serve boot files (V81 and later); off unless said."
    encryption: bool | None = None
    "Encrypt configuration files with the customer's key; off unless said."
    http_auth: bool | None = None
    "Prove itself by HTTP Digest, with no token in a URL of configuration files; off unless said."
    resync: ResyncWindow | None = None
    action_urls: bool | None = None
    "Report events to us by action URL."
    backups: bool | None = None
    "Bring us what users change on the phone, contacts, call log and logs (V81 and later); off unless said."


@dataclass(frozen=True, slots=True)
class Device:
    """A listed phone."""

    mac: MacAddress
    model: str
    "The model's own name, such as T46S."
    site: str | None = None
    name: str = ""
    accounts: tuple[DeviceAccount, ...] = ()
    keys: tuple[Key, ...] = ()
    modules: int = 0
    "Expansion modules attached."
    firmware_seen: str | None = None
    "What an authorised request of the phone said last; it decides the generation of the files."
    phone: PhoneOptions = field(default_factory=PhoneOptions)
    settings: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class ModelLevel:
    """What is said for every phone of one model."""

    model: str
    phone: PhoneOptions = field(default_factory=PhoneOptions)
    settings: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class VendorLevel:
    """What is said for every phone of one vendor (`yealink`)."""

    vendor: str
    phone: PhoneOptions = field(default_factory=PhoneOptions)
    settings: Mapping[str, str] = field(default_factory=dict, repr=False)
    models: tuple[ModelLevel, ...] = ()
