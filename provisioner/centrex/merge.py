"""Lays a patch over what is there.

- A key that the patch leaves out is untouched; null turns a service off or takes a word back.
- A list that is there is complete, and its order is the new order.
- An item known by a name of its own (a site's name, a number, a MAC, an account number, a model) keeps
  what the patch leaves out of it; a new item takes the defaults. Members of a hunt group and keys of a phone
  have no such name: each is said whole, but for whether a member is logged in.
- `settings` is a mapping: parameters that it leaves out stay, null takes one back, `settings: null` all.

The result's parts are not yet checked against each other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from provisioner.centrex.customer import (
    Centrex,
    Customer,
    Extension,
    Forwarding,
    Forwardings,
    HuntGroup,
    Line,
    Member,
    Park,
    ProofSchedule,
    Site,
    SpeedDial,
    SpeedDialEntry,
)
from provisioner.centrex.devices import (
    Device,
    DeviceAccount,
    Key,
    ModelLevel,
    PhoneOptions,
    ResyncWindow,
    VendorLevel,
)
from provisioner.centrex.patch import (
    AccountPatch,
    CentrexPatch,
    CustomerPatch,
    DevicePatch,
    ForwardingPatch,
    ForwardingsPatch,
    HuntGroupPatch,
    LinePatch,
    MemberPatch,
    ModelPatch,
    ParkPatch,
    Patch,
    PhonePatch,
    SitePatch,
    SpeedDialPatch,
    VendorPatch,
)
from provisioner.centrex.problems import Kind, Lacking, Subject

_T = TypeVar("_T")
_Leveled = TypeVar("_Leveled", Site, Device, Customer, ModelLevel, VendorLevel)


def merge(current: Customer | None, patch: CustomerPatch) -> Customer:
    """The customer as the patch wants it. Raises `Lacking` where something new lacks what it must have."""
    if current is None and "name" not in patch.model_fields_set:
        subject = Subject(Kind.CUSTOMER, patch.login)
        raise Lacking(subject, f"{subject} is new: give it a name")
    customer = current or Customer(login=patch.login, name=patch.name)
    said = patch.said("phone", "settings")
    if "centrex" in said:
        said["centrex"] = _centrex(customer.centrex, patch.centrex)
    if "test_calls" in said:
        of_tests = patch.test_calls
        said["test_calls"] = _laid(customer.test_calls, of_tests.said()) if of_tests else ProofSchedule()
    if "sites" in said:
        sites = {site.name: site for site in customer.sites}
        said["sites"] = tuple(_site(sites.get(item.name), item) for item in patch.sites)
    if "lines" in said:
        lines = {line.number: line for line in customer.lines}
        said["lines"] = tuple(_line(lines.get(item.number), item) for item in patch.lines)
    if "extensions" in said:
        extensions = {extension.number: extension for extension in customer.extensions}
        said["extensions"] = tuple(
            _laid(extensions.get(item.number, Extension(item.number)), item.said())
            for item in patch.extensions
        )
    if "hunt_groups" in said:
        groups = {group.number: group for group in customer.hunt_groups}
        said["hunt_groups"] = tuple(_group(groups.get(item.number), item) for item in patch.hunt_groups)
    if "devices" in said:
        devices = {device.mac: device for device in customer.devices}
        said["devices"] = tuple(_device(devices.get(item.mac), item) for item in patch.devices)
    return _laid(_level(customer, patch), said)


def merge_vendor(current: VendorLevel | None, patch: VendorPatch) -> VendorLevel:
    """The vendor's level as the patch wants it; its list of models is complete where it is given."""
    level = _level(current or VendorLevel(patch.vendor), patch)
    if "models" not in patch.model_fields_set:
        return level
    there = {model.model: model for model in level.models}
    models = tuple(_level(there.get(item.model, ModelLevel(item.model)), item) for item in patch.models)
    return replace(level, models=models)


def _laid(current: _T, said: Mapping[str, Any]) -> _T:
    return replace(current, **said)  # type: ignore[type-var]  # every caller brings a dataclass


def _level(
    current: _Leveled, patch: SitePatch | DevicePatch | CustomerPatch | ModelPatch | VendorPatch
) -> _Leveled:
    """A level with its phone options and settings laid over."""
    level = current
    if "phone" in patch.model_fields_set:
        level = replace(level, phone=merge_phone(current.phone, patch.phone))
    if "settings" in patch.model_fields_set:
        level = replace(level, settings=merge_settings(current.settings, patch.settings))
    return level


def merge_phone(current: PhoneOptions, patch: PhonePatch) -> PhoneOptions:
    """Options with those that the patch says; null takes one back."""
    said = patch.said()
    if patch.resync is not None:
        said["resync"] = _laid(current.resync or ResyncWindow(), patch.resync.said())
    return _laid(current, said)


def merge_settings(current: Mapping[str, str], patch: Mapping[str, str | None] | None) -> Mapping[str, str]:
    """Parameters with those that the patch says; null takes one back, None all."""
    if patch is None:
        return {}
    merged: dict[str, str | None] = {**current, **patch}
    return {name: value for name, value in sorted(merged.items()) if value is not None}


def _centrex(current: Centrex, patch: CentrexPatch) -> Centrex:
    said = patch.said("intercom", "pickup")
    if "intercom" in patch.model_fields_set:
        said["intercom_prefix"] = patch.intercom.prefix if patch.intercom else None
    if "pickup" in patch.model_fields_set:
        said["pickup_prefix"] = patch.pickup.prefix if patch.pickup else None
    if "park" in said:
        said["park"] = _park(current.park, patch.park)
    if "speed_dial" in said:
        said["speed_dial"] = _speed_dial(current.speed_dial, patch.speed_dial)
    if "codes" in said:
        said["codes"] = _laid(current.codes, patch.codes.said())
    return _laid(current, said)


def _park(current: Park | None, patch: ParkPatch | None) -> Park | None:
    return None if patch is None else _laid(current or Park(), patch.said())


def _speed_dial(current: SpeedDial, patch: SpeedDialPatch) -> SpeedDial:
    said = patch.said()
    if "entries" in said:
        there = {entry.number: entry for entry in current.entries}
        said["entries"] = tuple(
            _laid(there.get(item.number, SpeedDialEntry(item.number)), item.said()) for item in patch.entries
        )
    return _laid(current, said)


def _site(current: Site | None, patch: SitePatch) -> Site:
    return _laid(_level(current or Site(patch.name), patch), patch.said("phone", "settings"))


def _line(current: Line | None, patch: LinePatch) -> Line:
    if current is None and not patch.product:
        subject = Subject(Kind.LINE, patch.number)
        raise Lacking(subject, f"{subject} is new: give it a product, such as telefonia-ip-standard")
    line = current or Line(patch.number, patch.product)
    said = patch.said("password")
    if "forwarding" in said:
        said["forwarding"] = _forwardings(line, patch.forwarding)
    return _laid(line, said)


def _forwardings(line: Line, patch: ForwardingsPatch) -> Forwardings:
    said: dict[str, Forwarding | None] = {}
    for case, item in patch.said().items():
        said[case] = None if item is None else _forwarding(line, case, item)
    return _laid(line.forwarding, said)


def _forwarding(line: Line, case: str, patch: ForwardingPatch) -> Forwarding:
    current: Forwarding | None = getattr(line.forwarding, case)
    if current is None and not patch.to:
        subject = Subject(Kind.LINE, line.number)
        raise Lacking(subject, f"the forwarding {case} of {subject} is new: say where it leads (to)")
    return _laid(current or Forwarding(patch.to), patch.said())


def _group(current: HuntGroup | None, patch: HuntGroupPatch) -> HuntGroup:
    said = patch.said()
    if "members" in said:
        there = {_who(member): member.logged_in for member in current.members} if current else {}
        said["members"] = tuple(_member(item, there) for item in patch.members)
    return _laid(current or HuntGroup(patch.number), said)


def _member(patch: MemberPatch, logged_in: Mapping[tuple[str | None, str | None], bool]) -> Member:
    member = Member(**patch.said())
    if "logged_in" in patch.model_fields_set:
        return member
    return replace(member, logged_in=logged_in.get(_who(member), True))


def _who(member: Member) -> tuple[str | None, str | None]:
    return member.extension, member.group


def _device(current: Device | None, patch: DevicePatch) -> Device:
    if current is None and not patch.model:
        subject = Subject(Kind.DEVICE, str(patch.mac))
        raise Lacking(subject, f"{subject} is new: give it a model, such as T46S")
    device = current or Device(mac=patch.mac, model=patch.model)
    said = patch.said("phone", "settings")
    if "accounts" in said:
        there = {account.account: account for account in device.accounts}
        said["accounts"] = tuple(_account(there.get(item.account), item, device) for item in patch.accounts)
    if "keys" in said:
        said["keys"] = _whole(Key, patch.keys)
    return _laid(_level(device, patch), said)


def _account(current: DeviceAccount | None, patch: AccountPatch, device: Device) -> DeviceAccount:
    if current is None and not patch.line:
        subject = Subject(Kind.DEVICE, str(device.mac))
        raise Lacking(subject, f"account {patch.account} of {subject} is new: give it a line")
    return _laid(current or DeviceAccount(patch.account, patch.line), patch.said())


def _whole(make: type[_T], patches: Iterable[Patch]) -> tuple[_T, ...]:
    return tuple(make(**patch.said()) for patch in patches)
