"""Which key stands on which button of a phone.

Places that a person chose win. Then every account gets its own line key, account N on line key N. What is
left takes the next free line key, then the memory keys, then the expansion modules.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from phone_templates.errors import PhoneTemplatesError
from phone_templates.spec import Key, KeyType, Phone
from phone_templates.yealink.key_types import Bank
from phone_templates.yealink.models import Model


class BadKey(PhoneTemplatesError):
    """A key that this phone can't have; the message names the key and says why."""

    code = "bad-key"


class TooManyKeys(PhoneTemplatesError):
    """More keys than the phone has room for."""

    code = "too-many-keys"

    def __init__(self, model: Model, modules: int, surplus: list[Key]) -> None:
        self.surplus = len(surplus)
        "How many keys found no place."
        more = model.expansion is not None and modules < model.expansion.modules
        super().__init__(
            f"{model.name} {_capacity(model, modules)}, and {self.surplus} of its keys found no place: "
            f"take out keys such as {named(surplus[0])}{', or attach a module' if more else ''}"
        )


@dataclass(frozen=True, slots=True)
class Place:
    """One button."""

    bank: Bank
    number: int
    "From 1, on the phone or on its module."
    module: int = 0
    "Expansion module, from 1; 0 on the phone itself."

    @property
    def name(self) -> str:
        """What the parameters of the key begin with, such as `linekey.3`."""
        if self.bank is Bank.EXPANSION:
            return f"expansion_module.{self.module}.key.{self.number}"
        return f"{'memorykey' if self.bank is Bank.MEMORY else 'linekey'}.{self.number}"


Fits = Callable[[KeyType, Bank], bool]
"Whether a button of the bank can do that on this phone's firmware."


def lay_out(model: Model, phone: Phone, fits: Fits) -> dict[Place, Key | None]:
    """Every button of the phone in order, with its key; None where there is none.

    Raises `BadKey` for a place that the phone has not, that two keys want or that can't do what the key
    shall; `TooManyKeys` when there is no room.
    """
    buttons = _buttons(model, phone.modules)
    laid: dict[Place, Key | None] = dict.fromkeys(buttons)
    for key in phone.keys:
        if (place := _chosen(key)) is not None:
            _put(laid, place, key, model, phone, fits)
    waiting = [key for key in phone.keys if _chosen(key) is None]
    for key in _own_line_keys(phone, waiting):
        place = Place(Bank.LINE, key.account)
        if place in laid and laid[place] is None:
            laid[place] = key
            # The automatic ones were never waiting.
            waiting = [other for other in waiting if other is not key]
    surplus = [key for key in waiting if not _take_free(laid, key, fits)]
    if surplus:
        raise TooManyKeys(model, phone.modules, surplus)
    return laid


def named(key: Key) -> str:
    """A key in a message; a value that refers to a secret is left out."""
    value = key.value if isinstance(key.value, str) else ""
    return f"the {key.type} key {key.label or value!r}"


def _buttons(model: Model, modules: int) -> list[Place]:
    expansion = model.expansion
    if modules and (expansion is None or modules > expansion.modules):
        can = f"at most {expansion.modules}" if expansion else "no"
        raise BadKey(f"{model.name} takes {can} expansion modules, not {modules}: correct the number")
    places = [Place(Bank.LINE, number) for number in range(1, model.line_keys + 1)]
    places += [Place(Bank.MEMORY, number) for number in range(1, model.memory_keys + 1)]
    if expansion:
        places += [
            Place(Bank.EXPANSION, number, module)
            for module in range(1, modules + 1)
            for number in expansion.usable_keys
        ]
    return places


def _chosen(key: Key) -> Place | None:
    if key.memory is not None:
        if key.key is not None or key.module is not None:
            raise BadKey(f"{named(key)} can't stand on a memory key and elsewhere: give one place")
        return Place(Bank.MEMORY, key.memory)
    if key.module is not None:
        if key.key is None:
            raise BadKey(f"{named(key)} names expansion module {key.module} but no key of it: say which key")
        return Place(Bank.EXPANSION, key.key, key.module)
    return None if key.key is None else Place(Bank.LINE, key.key)


def _put(
    laid: dict[Place, Key | None], place: Place, key: Key, model: Model, phone: Phone, fits: Fits
) -> None:
    if place not in laid:
        raise BadKey(f"{named(key)} wants {place.name}, but {model.name} {_capacity(model, phone.modules)}")
    if (other := laid[place]) is not None:
        raise BadKey(f"{place.name} is wanted by two keys: {named(other)} and {named(key)}")
    if not fits(key.type, place.bank):
        raise BadKey(
            f"{place.name} of a {model.name} on {phone.generation} can't be a {key.type} key:"
            " choose another type or key"
        )
    laid[place] = key


def _own_line_keys(phone: Phone, waiting: Iterable[Key]) -> list[Key]:
    """For each account the line key that wants the button of its number; none where one stands elsewhere."""
    own = {key.account: key for key in reversed(list(waiting)) if key.type is KeyType.LINE}
    placed = {key.account for key in phone.keys if key.type is KeyType.LINE and _chosen(key) is not None}
    for account in phone.accounts:
        if account.number not in placed:
            own.setdefault(account.number, Key(KeyType.LINE, account=account.number))
    return [own[number] for number in sorted(own)]


def _take_free(laid: dict[Place, Key | None], key: Key, fits: Fits) -> bool:
    for place, other in laid.items():
        if other is None and fits(key.type, place.bank):
            laid[place] = key
            return True
    return False


def _capacity(model: Model, modules: int) -> str:
    banks = [f"{model.line_keys} line keys"]
    if model.memory_keys:
        banks.append(f"{model.memory_keys} memory keys")
    if modules and model.expansion:
        banks.append(f"{modules} modules of {len(model.expansion.usable_keys)} keys")
    elif model.expansion:
        banks.append("no module attached")
    return f"has {', '.join(banks)}"
