"""What a company file or a program says about a customer: only that, and nothing of what it left out.

A patch knows which keys were given (`model_fields_set`); `merge` lays them over what is there. The forms of
single values are checked here; whether they fit each other is asked of the merged customer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Annotated, Any, ClassVar, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo
from pydantic_core import PydanticCustomError

from provisioner.centrex import scalars, text
from provisioner.centrex.customer import CallerPresentation, HuntStrategy
from provisioner.centrex.devices import FirmwareTarget, KeyType
from provisioner.centrex.errors import BadValue
from provisioner.centrex.groups import LONGEST_RING_S
from provisioner.centrex.mac import MacAddress
from provisioner.centrex.numbering import LONGEST_PARK_S

BAD_VALUE = "bad_value"
"The type of the errors whose message is already ours."

CODECS = ("pcma", "pcmu", "g722", "g729", "opus", "ilbc", "g723", "g726")
CALLER_ID_SOURCES = ("from", "pai", "pai_from", "rpid_pai_from", "pai_rpid_from", "rpid_from")
LONGEST_LIST = 20_000
MOST_ACCOUNTS = 32
MOST_MODULES = 6

Item = TypeVar("Item")


def _checked(rule: Callable[..., object], **limits: Any) -> BeforeValidator:
    """One of our rules as a validator: it learns its field's name, and its refusal joins the others."""

    def check(value: object, info: ValidationInfo) -> object:
        try:
            return rule(value, (info.field_name or "value").replace("_", " "), **limits)
        except BadValue as error:
            raise PydanticCustomError(BAD_VALUE, "{reason}", {"reason": str(error)}) from error

    return BeforeValidator(check)


def _list(value: object, field: str, *, longest: int = LONGEST_LIST) -> Sequence[object]:
    if not isinstance(value, list | tuple):
        raise BadValue(f"{field} must be a list (each item begins with -; [] is an empty one)")
    if len(value) > longest:
        raise BadValue(f"{field} has {len(value)} items: at most {longest} fit")
    return value


def _mapping(value: object, field: str) -> object:
    if not isinstance(value, dict | BaseModel):
        raise BadValue(f"{field} must be a mapping (key: value), not {text.kind_of(value)}")
    return value


def _item(value: object, field: str) -> object:
    if not isinstance(value, dict | BaseModel):
        raise BadValue(f"an item of {field} must be a mapping (key: value), not {text.kind_of(value)}")
    return value


def _mac(value: object, field: str) -> MacAddress:
    return value if isinstance(value, MacAddress) else MacAddress.parse(text.plain_text(value, field))


def _or_empty(rule: Callable[[object, str], str]) -> Callable[[object, str], str]:
    """The rule, or an empty text, which turns an inherited value off."""
    return lambda value, field: "" if value == "" else rule(value, field)


def _codecs(value: object, field: str) -> object:
    codecs = _list(value, field)
    if not codecs:
        raise BadValue(f"{field} is empty: name one at least, or write null to inherit them")
    if len(set(map(str, codecs))) != len(codecs):
        raise BadValue(f"{field} names one codec twice")
    return codecs


def _firmware(value: object, field: str) -> object:
    """A file name, or a mapping of them by model, which is always said whole."""
    if isinstance(value, tuple):
        return value
    if not isinstance(value, dict):
        return _or_empty(text.file_name)(value, field)
    if not value:
        raise BadValue(f"{field} is empty: name a model and its file, or write null to inherit them")
    return tuple(
        FirmwareTarget(
            text.plain_text(model, f"a model of {field}"),
            _or_empty(text.file_name)(file, f"{field} of {text.shown(str(model))}"),
        )
        for model, file in sorted(value.items(), key=lambda item: str(item[0]))
    )


Name = Annotated[str, _checked(text.plain_text)]
NameOrEmpty = Annotated[str, _checked(text.plain_text, may_be_empty=True)]
Login = Annotated[str, _checked(text.login)]
Extension = Annotated[str, _checked(text.extension)]
LineNumber = Annotated[str, _checked(text.line_number)]
Dialable = Annotated[str, _checked(text.dialable)]
DialableOrEmpty = Annotated[str, _checked(_or_empty(text.dialable))]
Code = Annotated[str, _checked(text.code)]
Password = Annotated[str, _checked(text.password)]
Flag = Annotated[bool, _checked(scalars.flag)]
Mac = Annotated[MacAddress, _checked(_mac)]
Language = Annotated[str, _checked(scalars.language)]
Zone = Annotated[str, _checked(scalars.time_zone)]
Amount = Annotated[Decimal, _checked(scalars.amount)]
Currency = Annotated[str, _checked(scalars.currency)]
Host = Annotated[str, _checked(scalars.host)]
FileName = Annotated[str, _checked(text.file_name)]
ShortText = Annotated[str, _checked(text.plain_text, longest=512, may_be_empty=True)]
Window = Annotated[str, _checked(scalars.window)]
HourMinute = Annotated[str, _checked(scalars.hour_minute)]
Transport = Annotated[str, _checked(scalars.one_of, words=("udp", "tcp", "tls", "dns_srv"))]
Srtp = Annotated[str, _checked(scalars.one_of, words=("off", "optional", "compulsory"))]
Codec = Annotated[str, _checked(scalars.one_of, words=CODECS)]
Dtmf = Annotated[str, _checked(scalars.one_of, words=("inband", "rfc2833", "info", "auto"))]
CallerIdSource = Annotated[str, _checked(scalars.one_of, words=CALLER_ID_SOURCES)]
Settings = Annotated[
    dict[Annotated[str, _checked(text.setting_name)], Annotated[str, _checked(text.setting_value)] | None],
    _checked(_mapping),
]
"Parameters by name; null takes one back."

Listed = Annotated[tuple[Item, ...], _checked(_list)]
Mapped = Annotated[Item, _checked(_mapping)]
Items = Annotated[tuple[Annotated[Item, _checked(_item)], ...], _checked(_list)]


def _integer(low: int, high: int) -> BeforeValidator:
    return _checked(scalars.integer, low=low, high=high)


class Patch(BaseModel):
    """A part of a patch. Fields that were not given hold a stand-in: ask `said`."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    what: ClassVar[str]
    "The thing's name in messages."

    def said(self, *beside: str) -> dict[str, Any]:
        """The fields that were given, without those named."""
        return {name: getattr(self, name) for name in self.model_fields_set if name not in beside}


class ResyncPatch(Patch):
    """When phones ask for new files."""

    what = "a resync window"
    start: HourMinute = ""
    end: HourMinute = ""


class PhonePatch(Patch):
    """Phone options of one level; null takes a level's word back (`PhoneOptions` says what each means)."""

    what = "phone options"
    language: Language | None = None
    time_zone: Zone | None = None
    ntp_servers: Annotated[tuple[Host, ...], _checked(_list, longest=2)] | None = None
    sip_host: Host | None = None
    sip_port: Annotated[int, _integer(1, 65535)] | None = None
    sip_transport: Transport | None = None
    register_expires_s: Annotated[int, _integer(30, 604_800)] | None = None
    outbound_proxy: Annotated[str, _checked(_or_empty(scalars.host_port))] | None = None
    nat_keepalive_s: Annotated[int, _integer(0, 3600)] | None = None
    srtp: Srtp | None = None
    codecs: Annotated[tuple[Codec, ...], _checked(_codecs)] | None = None
    dtmf: Dtmf | None = None
    caller_id_source: CallerIdSource | None = None
    voice_mail: Dialable | None = None
    syslog_server: Host | None = None
    syslog_level: Annotated[int, _integer(0, 7)] | None = None
    vlan_id: Annotated[int, _integer(0, 4094)] | None = None
    vlan_priority: Annotated[int, _integer(0, 7)] | None = None
    pc_vlan_id: Annotated[int, _integer(0, 4094)] | None = None
    lldp: Flag | None = None
    sip_dscp: Annotated[int, _integer(0, 63)] | None = None
    rtp_dscp: Annotated[int, _integer(0, 63)] | None = None
    ringtones: Listed[FileName] | None = None
    logo: Annotated[str, _checked(_or_empty(text.file_name))] | None = None
    firmware: Annotated[str | tuple[FirmwareTarget, ...], _checked(_firmware)] | None = None
    firmware_downgrade: Flag | None = None
    boot_mode: Flag | None = None
    encryption: Flag | None = None
    http_auth: Flag | None = None
    resync: Mapped[ResyncPatch] | None = None
    action_urls: Flag | None = None
    backups: Flag | None = None


class SitePatch(Patch):
    """A location."""

    what = "a site"
    name: Name
    phone: Mapped[PhonePatch] = PhonePatch()
    settings: Settings | None = Field(default=None, repr=False)


class ForwardingPatch(Patch):
    """Where calls go instead."""

    what = "a forwarding"
    to: Dialable = ""
    enabled: Flag = True
    after: Annotated[int, _integer(1, LONGEST_RING_S)] = 20


class ForwardingsPatch(Patch):
    """The forwardings of a line; null forgets one."""

    what = "forwarding"
    always: Mapped[ForwardingPatch] | None = None
    busy: Mapped[ForwardingPatch] | None = None
    no_answer: Mapped[ForwardingPatch] | None = None
    unreachable: Mapped[ForwardingPatch] | None = None


class LinePatch(Patch):
    """A line."""

    what = "a line"
    number: LineNumber
    product: Name = ""
    password: Password = Field(default="", repr=False)
    site: Name | None = None
    forwarding: Mapped[ForwardingsPatch] = ForwardingsPatch()
    dnd: Flag = False
    call_waiting: Flag = True


class ExtensionPatch(Patch):
    """An extension."""

    what = "an extension"
    number: Extension
    line: LineNumber | None = None
    name: NameOrEmpty = ""
    published: Flag = False


class MemberPatch(Patch):
    """A member of a hunt group. It is said whole, but for whether it is logged in, which phones change."""

    what = "a member"
    extension: Extension | None = None
    group: Extension | None = None
    ring_delay: Annotated[int, _integer(0, LONGEST_RING_S)] = 0
    ring_time: Annotated[int, _integer(1, LONGEST_RING_S)] = 15
    stop: Flag = False
    skip_forwarding: Flag = False
    logged_in: Flag = True


class HuntGroupPatch(Patch):
    """A hunt group."""

    what = "a hunt group"
    number: Extension
    name: NameOrEmpty = ""
    strategy: Annotated[HuntStrategy, _checked(scalars.choice, kind=HuntStrategy)] = HuntStrategy.ORDER
    caller_presentation: Annotated[CallerPresentation, _checked(scalars.choice, kind=CallerPresentation)] = (
        CallerPresentation.KEEP
    )
    pickup_allowed: Flag = False
    members: Items[MemberPatch] = ()
    overflow: Dialable | None = None


class PrefixPatch(Patch):
    """A service with nothing but a prefix: intercom, pickup."""

    what = "this service"
    prefix: Code


class ParkPatch(Patch):
    """Call park."""

    what = "park"
    prefix: Code = ""
    retrieve_prefix: Code = ""
    return_after: Annotated[int, _integer(1, LONGEST_PARK_S)] = 60


class SpeedDialEntryPatch(Patch):
    """A short number."""

    what = "a short number"
    number: Extension
    target: DialableOrEmpty = ""
    description: NameOrEmpty = ""


class SpeedDialPatch(Patch):
    """The short numbers."""

    what = "speed dial"
    max_length: Annotated[int, _integer(1, text.LONGEST_EXTENSION)] = 3
    entries: Items[SpeedDialEntryPatch] = ()


class CodesPatch(Patch):
    """The codes of `FeatureCodes`."""

    what = "the codes"
    hide_number: Code = ""
    show_number: Code = ""
    forward_always_on: Code = ""
    forward_always_off: Code = ""
    forward_busy_on: Code = ""
    forward_busy_off: Code = ""
    forward_no_answer_on: Code = ""
    forward_no_answer_off: Code = ""
    forward_unreachable_on: Code = ""
    forward_unreachable_off: Code = ""
    dnd_on: Code = ""
    dnd_off: Code = ""
    group_login: Code = ""
    group_logout: Code = ""


class CentrexPatch(Patch):
    """The switchboard; null turns a service off."""

    what = "centrex"
    extension_length: Annotated[int, _integer(1, text.LONGEST_EXTENSION)] = 3
    intercom: Mapped[PrefixPatch] | None = None
    pickup: Mapped[PrefixPatch] | None = None
    park: Mapped[ParkPatch] | None = None
    distinctive_ring: Flag = False
    speed_dial: Mapped[SpeedDialPatch] = SpeedDialPatch()
    codes: Mapped[CodesPatch] = CodesPatch()


class AccountPatch(Patch):
    """A line on an account of a phone."""

    what = "an account"
    account: Annotated[int, _integer(1, MOST_ACCOUNTS)]
    line: LineNumber = ""
    label: NameOrEmpty | None = None


class KeyPatch(Patch):
    """A programmable key. It may have no place of its own: it is always said whole."""

    what = "a key"
    type: Annotated[KeyType, _checked(scalars.choice, kind=KeyType)]
    value: ShortText = ""
    label: NameOrEmpty = ""
    account: Annotated[int, _integer(1, MOST_ACCOUNTS)] = 1
    key: Annotated[int, _integer(1, 999)] | None = None
    memory: Annotated[int, _integer(1, 999)] | None = None
    module: Annotated[int, _integer(1, MOST_MODULES)] | None = None


class DevicePatch(Patch):
    """A listed phone."""

    what = "a device"
    mac: Mac
    model: Name = ""
    site: Name | None = None
    name: NameOrEmpty = ""
    accounts: Items[AccountPatch] = ()
    keys: Items[KeyPatch] = ()
    modules: Annotated[int, _integer(0, MOST_MODULES)] = 0
    phone: Mapped[PhonePatch] = PhonePatch()
    settings: Settings | None = Field(default=None, repr=False)


class TestCallsPatch(Patch):
    """When numbers are tested by themselves; null: as with all others."""

    what = "test calls"
    nightly: Flag | None = None
    after_changes: Flag | None = None
    window: Window | None = None


class CustomerPatch(Patch):
    """A customer, known by its login."""

    what = "a customer"
    login: Login
    name: Name = ""
    language: Language = ""
    time_zone: Zone = ""
    currency: Currency = ""
    credit_limit: Amount | None = None
    centrex: Mapped[CentrexPatch] = CentrexPatch()
    test_calls: Mapped[TestCallsPatch] | None = None
    sites: Items[SitePatch] = ()
    lines: Items[LinePatch] = ()
    extensions: Items[ExtensionPatch] = ()
    hunt_groups: Items[HuntGroupPatch] = ()
    devices: Items[DevicePatch] = ()
    phone: Mapped[PhonePatch] = PhonePatch()
    settings: Settings | None = Field(default=None, repr=False)

    @property
    def passwords(self) -> Mapping[str, str]:
        """The passwords that were given, by line number. They travel beside a `Customer`, never in it."""
        return {line.number: line.password for line in self.lines if "password" in line.model_fields_set}


class ModelPatch(Patch):
    """What is said for every phone of one model."""

    what = "a model"
    model: Name
    phone: Mapped[PhonePatch] = PhonePatch()
    settings: Settings | None = Field(default=None, repr=False)


class VendorPatch(Patch):
    """What is said for every phone of one vendor."""

    what = "a vendor"
    vendor: Annotated[str, _checked(scalars.one_of, words=("yealink",))]
    phone: Mapped[PhonePatch] = PhonePatch()
    settings: Settings | None = Field(default=None, repr=False)
    models: Items[ModelPatch] = ()
