"""What the operator says in `--config FILE.toml` and by the options of `serve`; everything has a default."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from zoneinfo import available_timezones

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from provisioner.centrex.dialling import NumberForms
from provisioner.centrex.errors import BadValue
from provisioner.centrex.nights import NightWindow
from provisioner.centrex.numbering import POLISH_EMERGENCY_NUMBERS

CLEAR_TEXT_NETWORKS = (
    "127.0.0.0/8",
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "169.254.0.0/16",
    "::1/128",
    "fc00::/7",
    "fe80::/10",
)
BACKLOG = 4096
"Connections that wait to be accepted: a site that boots comes all at once. Linux holds it to `somaxconn`."
OWN_FILES = 256
"Files that a process needs beside its connections: the database, firmware, listeners."
_HOST_PORT = re.compile(r"(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.\-]+):([0-9]{1,5})")
_DIGITS = re.compile(r"([0-9]{1,2})(?:-([0-9]{1,2}))?")
_MOST_DIGITS = 14
"Of a number without the code of its country (E.164 §6)."
_FORMS = NumberForms()
_PORT_RANGE = re.compile(r"([0-9]{1,5})-([0-9]{1,5})")


def split_address(text: str) -> tuple[str, int]:
    """`HOST:PORT` (an IPv6 host in brackets) as host and port; port 0 asks for any free one.

    Raises `ValueError` for anything else.
    """
    match = _HOST_PORT.fullmatch(text)
    if not match or int(match[2]) > 65535:
        raise ValueError(f"{text!r} is not HOST:PORT, such as 127.0.0.1:8080 or [::1]:8080")
    return match[1].strip("[]"), int(match[2])


@cache
def _parsed(networks: tuple[str, ...]) -> tuple[IPv4Network | IPv6Network, ...]:
    """Every request over clear text asks for them."""
    return tuple(ip_network(network) for network in networks)


def _is_address(text: str) -> str:
    split_address(text)
    return text


def _is_port_range(text: str) -> str:
    match = _PORT_RANGE.fullmatch(text)
    if not match or not 1024 <= int(match[1]) < int(match[2]) <= 65535:
        raise ValueError(f"{text!r} is not a range of ports such as 16384-32767")
    return text


Address = Annotated[str, AfterValidator(_is_address)]


def _digit_count(text: str) -> tuple[int, int]:
    """`9`, or `5-11`, as the fewest and the most. Raises `ValueError`."""
    match = _DIGITS.fullmatch(text)
    fewest, most = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
    if not 3 <= fewest <= most <= _MOST_DIGITS:
        raise ValueError(f"{text!r} is no number of digits from 3 to {_MOST_DIGITS}, such as 9 or 5-11")
    return fewest, most


def _is_digit_count(text: str) -> str:
    _digit_count(text)
    return text


DigitCount = Annotated[str, AfterValidator(_is_digit_count)]


def _is_gateway(text: str) -> str:
    host, _ = split_address(text)
    try:
        ip_address(host.strip("[]"))
    except ValueError:
        raise ValueError("write an IP address and a port, such as 192.0.2.30:5060") from None
    return text


Gateway = Annotated[str, AfterValidator(_is_gateway)]


def _is_window(text: str) -> str:
    NightWindow.parse(text)
    return text


def _is_zone(text: str) -> str:
    if text not in available_timezones():
        raise ValueError("write a zone of the IANA database, such as Europe/Warsaw")
    return text


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Listen(_Section):
    """`[listen]`: where the server listens; the options of `serve` win over it."""

    portal: Address = "127.0.0.1:8080"
    "Pages, `/api/v1` and `/healthz`."
    provisioning: Address = "0.0.0.0:8081"
    "Phones only, clear text."
    provisioning_tls: Address | None = None
    "TLS 1.2 and later."
    provisioning_certificates: Address | None = None
    "TLS 1.2 and later, for phones that show a certificate of their own."
    provisioning_legacy_tls: Address | None = None
    "TLS 1.0 and later, which protects no secret: as good as clear text."
    sip: Address = "0.0.0.0:5060"
    "UDP and TCP."
    sips: Address | None = None
    rtp_ports: Annotated[str, AfterValidator(_is_port_range)] = "16384-32767"
    pnp: bool = False
    workers: int = Field(1, ge=1, le=64)
    "Processes that answer phones."


class Public(_Section):
    """`[public]`: what phones are told to reach. Unset: what `serve` listened on last."""

    provisioning_url: str | None = None
    sip_host: str | None = None
    sip_port: int | None = Field(None, ge=1, le=65535)
    sip_transport: Literal["udp", "tcp", "tls", "dns_srv"] | None = None

    @field_validator("provisioning_url")
    @classmethod
    def _is_url(cls, url: str | None) -> str | None:
        if url is not None and not re.fullmatch(r"https?://[A-Za-z0-9.\-\[\]:]+(/[A-Za-z0-9._~/\-]*)?", url):
            raise ValueError("write it like http://pbx.example.com:8081")
        return url.rstrip("/") if url else url

    @field_validator("sip_host")
    @classmethod
    def _is_host(cls, host: str | None) -> str | None:
        if host is not None and not re.fullmatch(r"[A-Za-z0-9.\-]+|\[[0-9a-fA-F:.]+\]", host):
            raise ValueError("write a host name or an IP address")
        return host


class Portal(_Section):
    """`[portal]`: the pages for people."""

    url: str | None = None
    "Under which browsers reach them; unset: whatever they call it."
    proxies: tuple[str, ...] = ()
    "Networks of web servers before us, whose X-Forwarded-For is believed."
    session_hours: int = Field(12, ge=1, le=24 * 31)
    "After so long everybody logs in again."
    idle_minutes: int = Field(120, ge=5, le=60 * 24 * 31)
    "Who does nothing for so long logs in again."

    @field_validator("url")
    @classmethod
    def _is_origin(cls, url: str | None) -> str | None:
        if url is not None and not re.fullmatch(r"https?://[a-z0-9.\-\[\]:]+/?", url):
            raise ValueError("write it like https://pbx.example.com, in small letters and without a path")
        return url.rstrip("/") if url else url

    @field_validator("proxies")
    @classmethod
    def _are_networks(cls, networks: tuple[str, ...]) -> tuple[str, ...]:
        for network in networks:
            ip_network(network)
        return networks

    def trusted(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """`proxies`, parsed."""
        return _parsed(self.proxies)


class Tls(_Section):
    """`[tls]`: the certificate of the TLS listeners. It may be replaced while the server runs."""

    certificate: Path | None = None
    "Chain, PEM."
    private_key: Path | None = None
    "PEM, without a pass phrase."
    device_ca: Path | None = None
    "Who issues the phones' certificates, PEM."


class DatabaseSection(_Section):
    """`[database]`."""

    url: str | None = None
    "`postgresql://USER@HOST/NAME`; unset: SQLite in the data directory."


class Security(_Section):
    """`[security]`."""

    clear_text_networks: tuple[str, ...] = CLEAR_TEXT_NETWORKS
    "Networks whose phones get secrets over clear text HTTP."
    claim_hours: int = Field(24, ge=1, le=24 * 31)
    "How long `claim` keeps the window open."
    scan_misses: int = Field(20, ge=0, le=1000)
    "Unlisted MACs that a source may ask for in a day, at the most; 0: scans are not looked for."
    scan_misses_everywhere: int = Field(200, ge=20)
    "Unlisted MACs that all sources together may ask for in an hour before it is reported."
    ban_minutes: int = Field(60, ge=1, le=24 * 60)
    "The first ban of a source; each further one is twice as long, up to a day."
    never_banned: tuple[str, ...] = ()
    "Networks whose scans are only reported."

    @field_validator("clear_text_networks", "never_banned")
    @classmethod
    def _are_networks(cls, networks: tuple[str, ...]) -> tuple[str, ...]:
        for network in networks:
            ip_network(network)
        return networks

    def networks(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """`clear_text_networks`, parsed."""
        return _parsed(self.clear_text_networks)

    def spared(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """`never_banned`, parsed."""
        return _parsed(self.never_banned)


class Numbering(_Section):
    """`[numbering]`."""

    emergency_numbers: frozenset[str] = POLISH_EMERGENCY_NUMBERS
    country_code: str = Field(_FORMS.country_code, pattern=r"^[1-9][0-9]{0,2}$")
    international_prefix: str = Field(_FORMS.international_prefix, pattern=r"^[0-9]{1,4}$")
    national_prefix: str = Field(_FORMS.national_prefix, pattern=r"^[0-9]{0,3}$")
    national_digits: DigitCount = "9"

    @model_validator(mode="after")
    def _national_numbers_are_known(self) -> Self:
        fewest, most = _digit_count(self.national_digits)
        if fewest < most and not self.national_prefix:
            raise ValueError(
                "national_digits may vary only where a national_prefix tells such numbers from whole ones"
            )
        return self

    @property
    def forms(self) -> NumberForms:
        """The forms in which people dial."""
        return NumberForms(
            self.country_code,
            self.international_prefix,
            self.national_prefix,
            _digit_count(self.national_digits),
        )


class Memory(_Section):
    """`[memory]`: how much of what happened is kept."""

    requests_per_device: int = Field(500, ge=10)
    requests_of_strangers: int = Field(10_000, ge=100)
    "Requests that belong to no listed phone."
    events_per_device: int = Field(500, ge=10)
    "Events that phones report, such as calls."
    registration_events_per_line: int = Field(500, ge=10)
    "What happens to a line's registrations; refreshes are counted only."
    call_events_per_customer: int = Field(5_000, ge=100)
    "What happens to calls; their records are kept apart from it, and stay."
    uploads_per_file: int = Field(10, ge=2)
    "Versions of each file that a phone brings."
    files_mib: int = Field(256, ge=0)
    "Files of phones kept in memory, in MiB for each process."


class Limits(_Section):
    """`[limits]`: what clients may take up. Numbers are for each process."""

    connections: int = Field(10_000, ge=100)
    "In all; fewer where the system allows fewer open files."
    connections_per_source: int = Field(2_000, ge=10)
    "Of one IPv4 address, or one IPv6 network of 64 bits. A site of 200 phones is one address."
    header_s: int = Field(10, ge=1, le=10)
    "For the header of a request, from accept or from its first byte."
    handshakes: int = Field(2_000, ge=10)
    "TLS handshakes under way."
    handshake_s: int = Field(5, ge=1, le=60)
    idle_s: int = Field(10, ge=1, le=3600)
    "Between two requests."
    stalled_s: int = Field(60, ge=5, le=3600)
    "How long a client may take nothing of an answer."


class Sip(_Section):
    """`[sip]`: how phones register."""

    realm: str = Field("centralka", pattern=r"^[A-Za-z0-9 ._@-]{1,100}$")
    "What phones are told that their password is for; a new one makes every HA1 anew."
    min_expires_s: int = Field(60, ge=1, le=3600)
    "A phone that asks for less is told to ask for this, or for `max_expires_s` if that is less."
    max_expires_s: int = Field(3600, ge=1, le=24 * 3600)
    "A phone that asks for more gets this, or up to a tenth less."
    ping_s: int = Field(60, ge=1, le=3600)
    "How often each registered phone is asked whether it is there."
    resyncs_per_second: float = Field(20.0, gt=0, le=1000)
    "Phones that are told to fetch after a change."
    emergency_gateway: Gateway | None = None
    "Where emergency calls go, by UDP; unset, they are refused with that reason."
    pnp_interfaces: tuple[str, ...] = ()
    "Where phones look for a server; empty: all with an address inside `[security] clear_text_networks`."


class TestCallsSection(_Section):
    """`[test_calls]`: when numbers are tested by themselves, and how."""

    nightly: bool = True
    "Whether all groups and lines are tested each night."
    window: Annotated[str, AfterValidator(_is_window)] = "01:00-05:00"
    "From when to when; what is not through then waits for the next night."
    time_zone: Annotated[str, AfterValidator(_is_zone)] = "Europe/Warsaw"
    "Of the window, of the IANA database."
    speed: int = Field(4, ge=1, le=20)
    "What ring times and delays are divided by."
    full_length_day: Literal[
        "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "never"
    ] = "sunday"
    "The night that begins then has ring times of their full length."
    after_changes: bool = True
    "Whether the numbers that a change has touched are tested a minute after it."
    at_once: int = Field(20, ge=1, le=24)
    "Numbers that runs test at a time; 28 test calls go on at once, with those that somebody asks for."
    busy_percent: int = Field(60, ge=5, le=100)
    "A run waits while the server is busy with calls for more than this of the time of one core."
    language: Literal["pl", "en"] = "pl"
    "Of the alarms that it raises."


class FirmwareSection(_Section):
    """`[firmware]`."""

    max_mib: int = Field(1024, ge=1)
    "The largest file that `firmware add` takes, in MiB."


class Settings(_Section):
    """The whole configuration file."""

    listen: Listen = Listen()
    public: Public = Public()
    portal: Portal = Portal()
    tls: Tls = Tls()
    database: DatabaseSection = DatabaseSection()
    security: Security = Security()
    numbering: Numbering = Numbering()
    memory: Memory = Memory()
    sip: Sip = Sip()
    test_calls: TestCallsSection = TestCallsSection()
    firmware: FirmwareSection = FirmwareSection()
    limits: Limits = Limits()


def read_settings(file: Path | None, **listen: Any) -> Settings:
    """The settings of `file` (none: the defaults), with options that are not None put over `[listen]`.

    Raises `BadValue` that names the key and what it wants.
    """
    tables: dict[str, Any] = {}
    if file is not None:
        try:
            tables = tomllib.loads(file.read_text(encoding="utf-8"))
        except OSError as error:
            raise BadValue(f"can't read the configuration file {file}: {error.strerror}") from error
        except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise BadValue(f"can't read the configuration file {file}: {error}") from error
    given = {name: value for name, value in listen.items() if value is not None}
    if given:
        tables["listen"] = {**tables.get("listen", {}), **given}
    try:
        return Settings.model_validate(tables)
    except ValidationError as error:
        lines = [
            f"{'.'.join(str(part) for part in item['loc'])}: {_wrong(item['type'], item['msg'])}"
            for item in error.errors()
        ]
        raise BadValue("the configuration can't be used: " + "; ".join(lines)) from error


def _wrong(kind: str, said: str) -> str:
    if kind == "extra_forbidden":
        return "there is no such setting: look for its name in docs/settings.md"
    return said.removeprefix("Value error, ")
