"""What a company file or a program says about a customer: only that, and nothing of what it left out.

A patch knows which keys were given (`model_fields_set`); `merge` lays them over what is there. The forms of
single values are checked here (`fields`); whether they fit each other is asked of the merged customer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from provisioner.centrex import scalars, text
from provisioner.centrex.customer import CallerPresentation, HuntStrategy
from provisioner.centrex.devices import KeyType
from provisioner.centrex.fields import (
    Amount,
    CallerIdSource,
    Code,
    Codecs,
    Currency,
    Dialable,
    DialableOrEmpty,
    Dtmf,
    Extension,
    FileName,
    FileNameOrEmpty,
    Firmware,
    Flag,
    Host,
    HostPortOrEmpty,
    HourMinute,
    Items,
    Language,
    LineNumber,
    Listed,
    Login,
    Mac,
    Mapped,
    Name,
    NameOrEmpty,
    NtpServers,
    Password,
    Settings,
    ShortText,
    Srtp,
    Transport,
    Window,
    Zone,
    checked,
    integer,
)
from provisioner.centrex.groups import LONGEST_RING_S
from provisioner.centrex.numbering import LONGEST_PARK_S

MOST_ACCOUNTS = 32
MOST_MODULES = 6


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
    ntp_servers: NtpServers | None = None
    sip_host: Host | None = None
    sip_port: Annotated[int, integer(1, 65535)] | None = None
    sip_transport: Transport | None = None
    register_expires_s: Annotated[int, integer(30, 604_800)] | None = None
    outbound_proxy: HostPortOrEmpty | None = None
    nat_keepalive_s: Annotated[int, integer(0, 3600)] | None = None
    srtp: Srtp | None = None
    codecs: Codecs | None = None
    dtmf: Dtmf | None = None
    caller_id_source: CallerIdSource | None = None
    voice_mail: Dialable | None = None
    syslog_server: Host | None = None
    syslog_level: Annotated[int, integer(0, 7)] | None = None
    vlan_id: Annotated[int, integer(0, 4094)] | None = None
    vlan_priority: Annotated[int, integer(0, 7)] | None = None
    pc_vlan_id: Annotated[int, integer(0, 4094)] | None = None
    lldp: Flag | None = None
    sip_dscp: Annotated[int, integer(0, 63)] | None = None
    rtp_dscp: Annotated[int, integer(0, 63)] | None = None
    ringtones: Listed[FileName] | None = None
    logo: FileNameOrEmpty | None = None
    firmware: Firmware | None = None
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
    concurrent_calls: Annotated[int, integer(1, 10_000)] | None = None
    phone: Mapped[PhonePatch] = PhonePatch()
    settings: Settings | None = Field(default=None, repr=False)


class ForwardingPatch(Patch):
    """Where calls go instead."""

    what = "a forwarding"
    to: Dialable = ""
    enabled: Flag = True
    after: Annotated[int, integer(1, LONGEST_RING_S)] = 20


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
    ring_delay: Annotated[int, integer(0, LONGEST_RING_S)] = 0
    ring_time: Annotated[int, integer(1, LONGEST_RING_S)] = 15
    stop: Flag = False
    skip_forwarding: Flag = False
    logged_in: Flag = True


class HuntGroupPatch(Patch):
    """A hunt group."""

    what = "a hunt group"
    number: Extension
    name: NameOrEmpty = ""
    strategy: Annotated[HuntStrategy, checked(scalars.choice, kind=HuntStrategy)] = HuntStrategy.ORDER
    caller_presentation: Annotated[CallerPresentation, checked(scalars.choice, kind=CallerPresentation)] = (
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
    return_after: Annotated[int, integer(1, LONGEST_PARK_S)] = 60


class SpeedDialEntryPatch(Patch):
    """A short number."""

    what = "a short number"
    number: Extension
    target: DialableOrEmpty = ""
    description: NameOrEmpty = ""


class SpeedDialPatch(Patch):
    """The short numbers."""

    what = "speed dial"
    max_length: Annotated[int, integer(1, text.LONGEST_EXTENSION)] = 3
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
    extension_length: Annotated[int, integer(1, text.LONGEST_EXTENSION)] = 3
    intercom: Mapped[PrefixPatch] | None = None
    pickup: Mapped[PrefixPatch] | None = None
    park: Mapped[ParkPatch] | None = None
    distinctive_ring: Flag = False
    speed_dial: Mapped[SpeedDialPatch] = SpeedDialPatch()
    codes: Mapped[CodesPatch] = CodesPatch()


class AccountPatch(Patch):
    """A line on an account of a phone."""

    what = "an account"
    account: Annotated[int, integer(1, MOST_ACCOUNTS)]
    line: LineNumber = ""
    label: NameOrEmpty | None = None


class KeyPatch(Patch):
    """A programmable key. It may have no place of its own: it is always said whole."""

    what = "a key"
    type: Annotated[KeyType, checked(scalars.choice, kind=KeyType)]
    value: ShortText = ""
    label: NameOrEmpty = ""
    account: Annotated[int, integer(1, MOST_ACCOUNTS)] = 1
    key: Annotated[int, integer(1, 999)] | None = None
    memory: Annotated[int, integer(1, 999)] | None = None
    module: Annotated[int, integer(1, MOST_MODULES)] | None = None


class DevicePatch(Patch):
    """A listed phone."""

    what = "a device"
    mac: Mac
    model: Name = ""
    site: Name | None = None
    name: NameOrEmpty = ""
    accounts: Items[AccountPatch] = ()
    keys: Items[KeyPatch] = ()
    modules: Annotated[int, integer(0, MOST_MODULES)] = 0
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
    vendor: Annotated[str, checked(scalars.one_of, words=("yealink",))]
    phone: Mapped[PhonePatch] = PhonePatch()
    settings: Settings | None = Field(default=None, repr=False)
    models: Items[ModelPatch] = ()
