"""What a phone's files are written from: everything that is true of one phone, in no vendor's words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from phone_templates.catalogue import Generation
from phone_templates.values import Text


class Language(StrEnum):
    """A language that phones show."""

    POLISH = "pl"
    ENGLISH = "en"


class Transport(StrEnum):
    """How SIP reaches the server; `dns_srv` asks the DNS (RFC 3263)."""

    UDP = "udp"
    TCP = "tcp"
    TLS = "tls"
    DNS_SRV = "dns_srv"


class Srtp(StrEnum):
    """Whether media is encrypted (RFC 3711, keys by RFC 4568)."""

    OFF = "off"
    OPTIONAL = "optional"
    COMPULSORY = "compulsory"


class Dtmf(StrEnum):
    """How digits travel during a call."""

    INBAND = "inband"
    RFC2833 = "rfc2833"
    INFO = "info"
    AUTO = "auto"


class CallerIdSource(StrEnum):
    """From which headers the caller is shown, the first of them that is there."""

    FROM = "from"
    PAI = "pai"
    PAI_FROM = "pai_from"
    RPID_PAI_FROM = "rpid_pai_from"
    PAI_RPID_FROM = "pai_rpid_from"
    RPID_FROM = "rpid_from"


class Codec(StrEnum):
    """An audio codec; where it has bit rates, the writer of the files says which of them it means."""

    PCMU = "pcmu"
    PCMA = "pcma"
    G722 = "g722"
    G729 = "g729"
    OPUS = "opus"
    ILBC = "ilbc"
    G723 = "g723"
    G726 = "g726"


class KeyType(StrEnum):
    """What a programmable key does."""

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
class OutboundProxy:
    """Where requests go first, instead of the server."""

    host: str
    port: int = 5060


@dataclass(frozen=True, slots=True)
class Account:
    """One line on one account of the phone."""

    number: int
    "The slot on the phone (`account.N`), from 1."
    user_name: Text
    "The user part of the AOR."
    password: Text
    "For digest authentication: a `Secret` wherever it is a real one."
    server_host: str
    server_port: int = 5060
    auth_name: Text | None = None
    "The user name of digest authentication; None: the same as `user_name`."
    label: Text | None = None
    "What the phone's own display calls the line; None: `user_name`."
    display_name: Text | None = None
    "What the phone says of itself in From; None: `label`."
    transport: Transport = Transport.UDP
    expires_s: int = 3600
    outbound_proxy: OutboundProxy | None = None
    nat_keepalive_s: int = 30
    "Seconds between keep-alives; 0 turns them off."
    srtp: Srtp = Srtp.OFF
    codecs: tuple[Codec, ...] = (Codec.PCMA, Codec.PCMU, Codec.G722, Codec.G729)
    "In order of preference. What is not named is turned off; what the phone lacks is left out."
    dtmf: Dtmf = Dtmf.RFC2833
    caller_id_source: CallerIdSource = CallerIdSource.PAI_FROM
    voice_mail: str | None = None
    "The number that listens to messages; None: the line has no voice mail."


@dataclass(frozen=True, slots=True)
class Key:
    """One programmable key. Without a place it takes the next free one of its phone."""

    type: KeyType
    value: Text = ""
    """What it dials or opens. BLF, intercom, pickup: the extension; park, retrieve: an extension or empty;
    paging: `address:port`; URL, XML browser: the address, for the latter empty means `Phone.browser_url`."""
    label: str = ""
    account: int = 1
    "The account (`account.N`) that the key uses, from 1."
    key: int | None = None
    "Line key N; together with `module`, key N of that expansion module."
    memory: int | None = None
    "Memory key N (some V70 phones)."
    module: int | None = None
    "Expansion module M, from 1."


@dataclass(frozen=True, slots=True)
class Codes:
    """What the customer's exchange understands, as dialled. None: the service is off."""

    pickup: str | None = None
    "Alone: whatever rings in my reach. With an extension behind it: that one."
    intercom: str | None = None
    park: str | None = None
    retrieve: str | None = None
    forward_always_on: str | None = None
    forward_always_off: str | None = None
    forward_busy_on: str | None = None
    forward_busy_off: str | None = None
    forward_no_answer_on: str | None = None
    forward_no_answer_off: str | None = None
    dnd_on: str | None = None
    dnd_off: str | None = None


@dataclass(frozen=True, slots=True)
class Clock:
    """How the phone shows time, and from where it has it."""

    rule: str
    "POSIX TZ rule (IEEE 1003.1 §8.3), the footer of a zone's TZif file: `CET-1CEST,M3.5.0,M10.5.0/3`."
    ntp_servers: tuple[str, ...] = ()
    "In order of preference; a phone takes two."
    hours24: bool = True


@dataclass(frozen=True, slots=True)
class Network:
    """Layer 2 and 3 of the phone's port. None: not said, so the phone keeps what it has."""

    vlan_id: int | None = None
    "0 turns tagging off."
    vlan_priority: int | None = None
    pc_vlan_id: int | None = None
    "The VLAN of the computer behind the phone; 0 turns tagging off."
    lldp: bool | None = None
    sip_dscp: int | None = None
    rtp_dscp: int | None = None


@dataclass(frozen=True, slots=True)
class Syslog:
    """Where the phone sends its log."""

    server: str
    level: int = 3
    "0 to 7 as in RFC 5424; 3 is errors."


@dataclass(frozen=True, slots=True)
class PhoneBook:
    """A phone book that the phone fetches."""

    name: str
    url: Text


@dataclass(frozen=True, slots=True)
class Resync:
    """When THIS phone asks for new files, every day: minutes of the day, local time."""

    begin_minute: int
    "0 to 1439."
    end_minute: int
    "Not before `begin_minute`; the phone picks a moment between the two."


@dataclass(frozen=True, slots=True)
class ProvisioningLogin:
    """What a phone proves itself with to the server of its files."""

    user_name: str
    password: Text
    "A `Secret` wherever it is a real one."


@dataclass(frozen=True, slots=True)
class FileKey:
    """What a phone decrypts its configuration files with."""

    characters: int
    "16 for AES-128, 32 for AES-256."
    value: Text
    "A `Secret` wherever it is a real one."


@dataclass(frozen=True, slots=True)
class Phone:
    """One phone, whole."""

    mac: str
    "Twelve lower-case hex digits."
    model: str
    "The model's own name, such as T46S."
    generation: Generation
    clock: Clock
    admin_password: Text
    "Of the phone's own pages; so is the next."
    user_password: Text
    provisioning_url: Text | None = None
    "Where the phone shall come back to; None leaves what it has."
    provisioning_login: ProvisioningLogin | None = None
    "What it says there when it is asked who it is (HTTP Digest); None: nothing."
    file_key: FileKey | None = None
    "What files are encrypted with that it fetches there; None: they are plain."
    forget_file_key: bool = False
    "Without `file_key`: it was told one before."
    stay: bool = True
    "Turn off what outranks `provisioning_url` (DHCP, PnP, zero touch)."
    accounts: tuple[Account, ...] = ()
    keys: tuple[Key, ...] = ()
    modules: int = 0
    "Expansion modules attached."
    codes: Codes = field(default_factory=Codes)
    distinctive_ring: bool = False
    "Calls whose Alert-Info says `internal` ring differently."
    language: Language = Language.ENGLISH
    network: Network = field(default_factory=Network)
    syslog: Syslog | None = None
    phone_books: tuple[PhoneBook, ...] = ()
    ringtones: tuple[Text, ...] = ()
    "URLs of ring tone files."
    logo: Text | None = None
    firmware_url: Text | None = None
    resync: Resync | None = None
    action_url_base: Text | None = None
    "Events are reported to this URL with `/EVENT?…` behind it; None: not reported."
    backup_url: Text | None = None
    "Where it keeps what its users change, contacts, call log and logs; ends in a slash. None: nowhere."
    browser_url: Text | None = None
    "What an XML browser key without a value opens."
    settings: Mapping[str, Text] = field(default_factory=dict)
    "Raw parameters, already checked against the catalogue; they win over everything else here."
