"""What would change between a customer and the customer as it should be, in people's words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, fields
from decimal import Decimal
from enum import StrEnum
from typing import Any

from provisioner.centrex.customer import Centrex, Customer, Forwarding, Line, Member
from provisioner.centrex.devices import (
    DeviceAccount,
    FirmwareTarget,
    Key,
    PhoneOptions,
    ResyncWindow,
    VendorLevel,
)
from provisioner.centrex.mac import MacAddress


class ChangeKind(StrEnum):
    """What happens to a thing."""

    ADD = "add"
    CHANGE = "change"
    REMOVE = "remove"


@dataclass(frozen=True, slots=True)
class Change:
    """One line of a plan."""

    kind: ChangeKind
    subject: str
    "The thing, such as `hunt group 600`."
    detail: str
    "What of it: `ring time of member 101: 15 -> 20`; for something new or removed, what it holds."

    def __str__(self) -> str:
        return f"{self.kind} {self.subject}: {self.detail}" if self.detail else f"{self.kind} {self.subject}"


_LISTS: tuple[tuple[str, str, str], ...] = (
    ("sites", "site", "name"),
    ("lines", "line", "number"),
    ("extensions", "extension", "number"),
    ("hunt_groups", "hunt group", "number"),
    ("devices", "device", "mac"),
)
"The lists of a customer: their field, how one item is called, and what names it."


def differences(old: Customer | None, new: Customer) -> tuple[Change, ...]:
    """Every difference, in the order of the customer's parts; empty exactly when both are equal."""
    before = old or Customer(login=new.login, name="")
    subject = f"customer {new.login}"
    changes: list[Change] = []
    if old is None:
        changes.append(Change(ChangeKind.ADD, subject, new.name))
        before = Customer(login=new.login, name=new.name)
    listed = {name for name, _, _ in _LISTS}
    changes += _changed(subject, _fields(before, new, beside={"centrex", *listed}))
    changes += _centrex(before.centrex, new.centrex)
    for name, called, named_by in _LISTS:
        changes += _items(name.replace("_", " "), called, named_by, getattr(before, name), getattr(new, name))
    return tuple(changes)


def line_differences(old: Line, new: Line) -> tuple[Change, ...]:
    """Every difference of a line; empty exactly when both are equal."""
    return tuple(_changed(f"line {new.number}", _fields(old, new)))


def vendor_differences(old: VendorLevel | None, new: VendorLevel) -> tuple[Change, ...]:
    """Every difference of a vendor's level; empty exactly when both are equal."""
    before = old or VendorLevel(new.vendor)
    changes = list(_changed(f"vendor {new.vendor}", _fields(before, new, beside={"models"})))
    changes += _items("models", "model", "model", before.models, new.models)
    return tuple(changes)


def _changed(subject: str, details: Iterable[str]) -> Iterator[Change]:
    return (Change(ChangeKind.CHANGE, subject, detail) for detail in details)


def _centrex(old: Centrex, new: Centrex) -> Iterator[Change]:
    yield from _changed("exchange", _fields(old, new, beside={"speed_dial"}))
    before, after = old.speed_dial, new.speed_dial
    yield from _changed("speed dial", _fields(before, after, beside={"entries"}))
    yield from _items("short numbers", "short number", "number", before.entries, after.entries)


def _items(
    listed: str, called: str, named_by: str, old: Sequence[Any], new: Sequence[Any]
) -> Iterator[Change]:
    """Differences of a list whose items have names; removed ones come last."""
    there = {getattr(item, named_by): item for item in old}
    wanted = {getattr(item, named_by): item for item in new}
    for name, item in wanted.items():
        subject = f"{called} {name}"
        if name not in there:
            yield Change(ChangeKind.ADD, subject, _held(item, named_by))
        else:
            yield from _changed(subject, _fields(there[name], item))
    for name, item in there.items():
        if name not in wanted:
            yield Change(ChangeKind.REMOVE, f"{called} {name}", _held(item, named_by))
    if moved := _moved(there, wanted):
        yield Change(ChangeKind.CHANGE, listed, f"order: {moved}")


def _moved(there: Iterable[object], wanted: Iterable[object]) -> str:
    """The old and the new order of what stays; empty while it is the same."""
    before, after = list(map(str, there)), list(map(str, wanted))
    stays = set(before) & set(after)
    kept = [name for name in before if name in stays]
    order = [name for name in after if name in stays]
    return f"{_joined(kept)} -> {_joined(order)}" if kept != order else ""


def _fields(old: Any, new: Any, beside: Iterable[str] = (), of: str = "") -> Iterator[str]:
    """Differences of two values of one dataclass, a line each."""
    left_out = set(beside)
    for field in fields(new):
        before, after = getattr(old, field.name), getattr(new, field.name)
        if field.name in left_out or before == after:
            continue
        words = f"{field.name.removesuffix('_s').replace('_', ' ')}{of}"
        if isinstance(before, Mapping) and isinstance(after, Mapping):
            yield from _settings(before, after)
        elif field.name in _PARTS and before is not None and after is not None:
            if isinstance(after, PhoneOptions):
                yield from (f"phone {detail}" for detail in _fields(before, after))
            else:
                yield from _fields(before, after, of=f" of {field.name}")
        elif field.name in _NAMED_PARTS:
            yield from _parts(words.removesuffix("s"), before, after)
        elif field.name == "keys":
            yield from _keys(before, after)
        else:
            yield f"{words}: {_word(before)} -> {_word(after)}"


_PARTS = frozenset({"park", "codes", "phone", "resync", "forwarding", "test_calls"})
"Fields that are dataclasses themselves; their fields are compared one by one."

# A plan is printed, and kept in the audit. Hiding a name too many does no harm.
_SECRET = re.compile(
    r"pass|pwd|secret|token|psk|aes|encode_key|pin(_code)?(_for_register)?$", re.IGNORECASE
)

_NAMED_PARTS = frozenset({"members", "accounts"})


def _settings(old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[str]:
    for name in sorted({*old, *new}):
        if old.get(name) != new.get(name):
            yield f"setting {name}: {_setting(name, old.get(name))} -> {_setting(name, new.get(name))}"


def _setting(name: str, value: str | None) -> str:
    return "(hidden)" if value is not None and _SECRET.search(name) else _word(value)


def _parts(called: str, old: Sequence[Any], new: Sequence[Any]) -> Iterator[str]:
    """Differences of members or accounts: what each is, and in which order they stand."""
    there = {_part_name(part): part for part in old}
    wanted = {_part_name(part): part for part in new}
    if len(there) != len(old) or len(wanted) != len(new):
        yield f"{called}s: {_joined(map(_part_name, old))} -> {_joined(map(_part_name, new))}"
        return
    for name, part in wanted.items():
        if name in there:
            yield from _fields(there[name], part, of=f" of {called} {name}")
        else:
            held = _held(part, *_PART_NAMES)
            yield f"new {called} {name} ({held})" if held else f"new {called} {name}"
    for name in there:
        if name not in wanted:
            yield f"{called} {name} is taken out"
    if moved := _moved(there, wanted):
        yield f"order of {called}s: {moved}"


_PART_NAMES = ("extension", "group", "account")


def _part_name(part: Member | DeviceAccount) -> str:
    if isinstance(part, Member):
        return part.extension or f"group {part.group}"
    return str(part.account)


def _keys(old: Sequence[Key], new: Sequence[Key]) -> Iterator[str]:
    """Differences of keys: by their place where they have one, by their turn where they have none."""
    there, wanted = dict(_placed(old)), dict(_placed(new))
    if list(there.values()) != list(old) or list(wanted.values()) != list(new):
        yield f"keys: {_joined(map(_key, old))} -> {_joined(map(_key, new))}"
        return
    for place, key in wanted.items():
        if place not in there:
            yield f"new {place}: {_key(key)}"
        elif there[place] != key:
            yield f"{place}: {_key(there[place])} -> {_key(key)}"
    for place, key in there.items():
        if place not in wanted:
            yield f"{place} is taken out: {_key(key)}"
    if moved := _moved(there, wanted):
        yield f"order of keys: {moved}"


def _placed(keys: Sequence[Key]) -> Iterator[tuple[str, Key]]:
    free = 0
    for key in keys:
        parts = [
            f"{name} {number}"
            for name, number in (("module", key.module), ("memory key", key.memory), ("key", key.key))
            if number is not None
        ]
        if not parts:
            free += 1
        yield " ".join(parts) or f"free key {free}", key


def _key(key: Key) -> str:
    words = [key.type.value, key.value, f'"{key.label}"' if key.label else ""]
    if key.account != 1:
        words.append(f"account {key.account}")
    return " ".join(filter(None, words))


def _held(item: Any, *beside: str) -> str:
    """What an item holds beyond the defaults."""
    held = []
    for field in fields(item):
        value = getattr(item, field.name)
        if field.name in beside or value == _default(field):
            continue
        held.append(f"{field.name.replace('_', ' ')} {_word(value)}")
    return ", ".join(held)


def _default(field: Field[Any]) -> object:
    if field.default_factory is not MISSING:
        return field.default_factory()
    return field.default


def _word(value: object) -> str:
    """A value in a plan."""
    match value:
        case None:
            return "none"
        case bool():
            return "yes" if value else "no"
        case StrEnum():
            return value.value
        case "":
            return '""'
        case str() | Decimal() | MacAddress():
            return str(value)
        case int():
            return str(value)
        case ResyncWindow():
            return f"{value.start} to {value.end}"
        case FirmwareTarget():
            return f"{value.model}: {_word(value.file)}"
        case Forwarding():
            return f"{value.to} after {value.after} s, {'on' if value.enabled else 'off'}"
        case Key():
            return _key(value)
        case Member() | DeviceAccount():
            name = _part_name(value)
            return name if isinstance(value, Member) else f"{name}: {value.line}"
        case Mapping():
            return _joined(f"{name} = {_setting(name, text)}" for name, text in sorted(value.items()))
        case tuple():
            return _joined(_word(part) for part in value)
        case _:
            return f"({held})" if (held := _held(value)) else "on"


def _joined(parts: Iterable[str]) -> str:
    return ", ".join(parts) or "none"
