"""What a template is given: a phone in the vendor's values, with nothing left to decide."""

from __future__ import annotations

from dataclasses import dataclass

from phone_templates.catalogue import Generation
from phone_templates.errors import PhoneTemplatesError
from phone_templates.spec import (
    Account,
    Codec,
    Codes,
    Language,
    Network,
    Phone,
    PhoneBook,
    Resync,
    Syslog,
    Transport,
)
from phone_templates.spec import Clock as ClockSpec
from phone_templates.values import Text, joined
from phone_templates.yealink import dialect
from phone_templates.yealink.clock import LocalTime, local_time
from phone_templates.yealink.encryption import KeySetting, key_settings
from phone_templates.yealink.keys import KeyView, key_views
from phone_templates.yealink.models import Model
from phone_templates.yealink.parameters import catalogue

_SECRET_LENGTH = 64
"A secret in an action URL is taken to be no longer."
_NTP_SERVERS = 2
_PHONE_BOOKS = 5
_LOG_LEVEL = 6
"Phones know no 7 (debug); 6 says everything."


class BadPhone(PhoneTemplatesError):
    """A description that this model or its firmware can't follow."""

    code = "bad-phone"


@dataclass(frozen=True, slots=True)
class Schedule:
    """When the phone asks for its files."""

    repeat_minutes: int | None = None
    "Again and again; None: not so."
    begin: str | None = None
    "Daily from then (`HH:MM`, local time); None: not so."
    end: str | None = None

    @property
    def mode(self) -> int:
        """`auto_provision.mode`: 1 at power on, 6 and at intervals, 7 and by the clock."""
        if self.repeat_minutes is not None:
            return 6
        return 1 if self.begin is None else 7


@dataclass(frozen=True, slots=True)
class Clock:
    """Time and where it comes from."""

    local: LocalTime
    ntp_servers: tuple[str, ...]
    hours24: bool


@dataclass(frozen=True, slots=True)
class CodecRow:
    """One codec of an account."""

    name: str
    "`1` of codecs by number, `pcmu` of codecs by name."
    priority: int
    "From 1; 0 is off."
    payload: str | None = None
    rtpmap: int | None = None

    @property
    def enabled(self) -> bool:
        """Whether the phone offers it."""
        return self.priority > 0


@dataclass(frozen=True, slots=True)
class AccountView:
    """One account in the vendor's values."""

    spec: Account
    auth_name: Text
    label: Text
    display_name: Text
    port: int
    "0 where the DNS decides."
    transport: int
    srtp: int
    dtmf: int
    caller_id_source: int
    numbered_codecs: tuple[CodecRow, ...]
    named_codecs: tuple[CodecRow, ...]


@dataclass(frozen=True, slots=True)
class Event:
    """One event that the phone reports."""

    name: str
    url: Text


@dataclass(frozen=True, slots=True)
class Settings:
    """The part of a phone's files that its MAC file alone has."""

    spec: Phone
    network: Network
    syslog: Syslog | None
    log_level: int
    accounts: tuple[AccountView, ...]
    unused_accounts: tuple[int, ...]
    keys: tuple[KeyView, ...]
    codes: Codes
    service_codes: Codes
    "What the phone dials when a person sets forwarding or do-not-disturb; none where it tells the server."
    admin_password: Text
    "`admin:` and the password."
    user_password: Text
    file_keys: tuple[KeySetting, ...]
    "What the phone decrypts with that it fetches from the address beside it."
    phone_books: tuple[PhoneBook, ...]
    ringtone: Text | None
    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class File:
    """One file to be written."""

    generation: Generation
    dect: bool
    colour_screen: bool
    "A logo is a picture."
    mono_screen: bool
    "A logo is a bitmap of its own kind."
    language: str
    web_language: str
    clock: Clock
    schedule: Schedule
    firmware_url: Text | None = None
    settings: Settings | None = None
    "None: the file is the same for every phone of the model."


def first_contact(model: Model, generation: Generation, language: Language, clock: ClockSpec) -> File:
    """What a phone gets that nobody is known to have: it shows the time and asks again every 5 minutes."""
    return _file(model, generation, language, clock, Schedule(repeat_minutes=5))


def model_file(model: Model, phone: Phone) -> File:
    """The model's file as `phone` gets it: what its MAC file says too, and no secrets."""
    return _file(
        model,
        phone.generation,
        phone.language,
        phone.clock,
        _schedule(phone.resync),
        firmware_url=phone.firmware_url,
    )


def mac_file(model: Model, phone: Phone, *, feature_key_sync: bool) -> File:
    """Everything. Raises `BadPhone`, `BadKey`, `TooManyKeys`."""
    numbers = [account.number for account in phone.accounts]
    limit = model.accounts_for(phone.generation)
    for number in numbers:
        if not 1 <= number <= limit:
            raise BadPhone(f"{model.name} on {phone.generation} has accounts 1 to {limit}, not {number}")
        if numbers.count(number) > 1:
            raise BadPhone(f"account {number} of the phone is given to two lines: choose another for one")
    if len(phone.phone_books) > _PHONE_BOOKS:
        raise BadPhone(
            f"a phone has room for {_PHONE_BOOKS} phone books, not {len(phone.phone_books)}: take some out"
        )
    if len(phone.ringtones) > 1:
        raise BadPhone(
            f"a phone's file can name one ring tone, not {len(phone.ringtones)}: take the others out"
        )
    settings = Settings(
        spec=phone,
        network=phone.network,
        syslog=phone.syslog,
        log_level=min(phone.syslog.level, _LOG_LEVEL) if phone.syslog else 0,
        accounts=tuple(
            _account(account, phone.generation) for account in sorted(phone.accounts, key=_number)
        ),
        unused_accounts=tuple(number for number in range(1, limit + 1) if number not in numbers),
        keys=key_views(model, phone),
        codes=phone.codes,
        service_codes=Codes() if feature_key_sync else phone.codes,
        admin_password=joined("admin:", phone.admin_password),
        user_password=joined("user:", phone.user_password),
        file_keys=_file_keys(phone),
        phone_books=phone.phone_books,
        ringtone=phone.ringtones[0] if phone.ringtones else None,
        events=_events(phone),
    )
    return _file(
        model,
        phone.generation,
        phone.language,
        phone.clock,
        _schedule(phone.resync),
        firmware_url=phone.firmware_url,
        settings=settings,
    )


def _file(
    model: Model,
    generation: Generation,
    language: Language,
    clock: ClockSpec,
    schedule: Schedule,
    firmware_url: Text | None = None,
    settings: Settings | None = None,
) -> File:
    colour = "colour" in model.screen or "touch" in model.screen
    return File(
        generation=generation,
        dect=model.dect,
        colour_screen=colour,
        mono_screen="mono" in model.screen,
        language=dialect.SCREEN_LANGUAGES[language],
        web_language=dialect.WEB_LANGUAGES[language],
        clock=Clock(local_time(clock.rule), clock.ntp_servers[:_NTP_SERVERS], clock.hours24),
        schedule=schedule,
        firmware_url=firmware_url,
        settings=settings,
    )


def _file_keys(phone: Phone) -> tuple[KeySetting, ...]:
    if phone.file_key is None and not phone.forget_file_key:
        return ()
    return key_settings(phone.file_key, phone.generation)


def _number(account: Account) -> int:
    return account.number


def _schedule(resync: Resync | None) -> Schedule:
    if resync is None:
        return Schedule()
    if not 0 <= resync.begin_minute <= resync.end_minute < 24 * 60:
        raise BadPhone("a phone's resync begins and ends within one day, and does not end before it begins")
    return Schedule(begin=_time(resync.begin_minute), end=_time(resync.end_minute))


def _time(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _account(account: Account, generation: Generation) -> AccountView:
    label = account.label if account.label is not None else account.user_name
    by_srv = account.transport is Transport.DNS_SRV
    numbered_codecs, named_codecs = _numbered_codecs(account.codecs), _named_codecs(account.codecs)
    has_names = generation.prefixes_static
    if not any(codec.enabled for codec in (named_codecs if has_names else numbered_codecs)):
        raise BadPhone(f"account {account.number} has no codec that firmware {generation} knows: add pcma")
    return AccountView(
        spec=account,
        auth_name=account.auth_name if account.auth_name is not None else account.user_name,
        label=label,
        display_name=account.display_name if account.display_name is not None else label,
        # With a port a client asks for no SRV record (RFC 3263 §4.2).
        port=0 if by_srv else account.server_port,
        transport=dialect.TRANSPORTS[account.transport],
        srtp=dialect.srtp(account.srtp, generation),
        dtmf=dialect.DTMF[account.dtmf],
        caller_id_source=dialect.CALLER_ID_SOURCES[account.caller_id_source],
        numbered_codecs=numbered_codecs,
        named_codecs=named_codecs,
    )


def _numbered_codecs(wanted: tuple[Codec, ...]) -> tuple[CodecRow, ...]:
    known = tuple(dict.fromkeys(codec for codec in wanted if codec is not Codec.OPUS))
    return tuple(
        CodecRow(
            str(row.number),
            known.index(row.codec) + 1 if row.preferred and row.codec in known else 0,
            row.payload,
            row.rtpmap,
        )
        for row in dialect.NUMBERED_CODECS
    )


def _named_codecs(wanted: tuple[Codec, ...]) -> tuple[CodecRow, ...]:
    known = tuple(dict.fromkeys(wanted))
    return tuple(
        CodecRow(row.name, known.index(row.codec) + 1 if row.preferred and row.codec in known else 0)
        for row in dialect.NAMED_CODECS
    )


def _events(phone: Phone) -> tuple[Event, ...]:
    base = phone.action_url_base
    if base is None:
        return ()
    events = []
    for name, query in dialect.EVENTS.items():
        parameter = catalogue().find(f"action_url.{name}", phone.generation)
        if parameter is None or not parameter.trusted:
            continue
        url = joined(base, f"/{name}?{query}")
        length = sum(len(part) if isinstance(part, str) else _SECRET_LENGTH for part in url.parts)
        if length > dialect.ACTION_URL_LIMIT:
            raise BadPhone(
                f"the action URL of {name} would have {length} characters and phones keep "
                f"{dialect.ACTION_URL_LIMIT}: shorten the public provisioning URL"
            )
        events.append(Event(name, url))
    return tuple(events)
