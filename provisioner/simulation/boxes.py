"""The phones of an installation, in their boxes."""

from __future__ import annotations

import socket
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address

from phone_templates.errors import PhoneTemplatesError
from phone_templates.yealink.boot import BootMachine
from phone_templates.yealink.models import find_model
from provisioner.operations.stock import Numbers, Stock, StockPhone
from provisioner.simulation.life import Box
from provisioner.virtual_phones.generations import FIRMWARE

_FIRST = IPv4Address("127.32.0.1")
"Of so many loopback addresses, of which each phone has one."
_MOST = 1 << 21


@dataclass(frozen=True, slots=True)
class Packed:
    """What can be plugged in, and what can't."""

    boxes: tuple[Box, ...]
    left_out: tuple[tuple[str, str], ...]
    "MACs, and why."


def loopback_sources() -> Iterator[str]:
    """An address of this machine for each phone, so that a server sees them apart."""
    return (str(_FIRST + number) for number in range(_MOST))


def packed(
    stock: Stock, phones: Collection[StockPhone], sources: Iterator[str], fresh: Collection[str] = ()
) -> Packed:
    """Those of `phones` that have come before, as they are when their power comes back.

    Whose MAC is among `fresh` (twelve hex digits) is as it leaves the factory.
    """
    lines = frozenset(line for phone in phones for line in phone.lines)
    callable_ = {login: _callable(numbers, lines) for login, numbers in stock.numbers.items()}
    boxes: list[Box] = []
    left_out: list[tuple[str, str]] = []
    for phone in phones:
        is_fresh = phone.mac.hex in fresh
        if phone.token is None and not is_fresh:
            left_out.append((str(phone.mac), "it has never come: there is no file for it without a claim"))
            continue
        try:
            machine = _machine(phone, stock.provisioning_url, is_fresh=is_fresh)
        except PhoneTemplatesError as error:
            left_out.append((str(phone.mac), str(error)))
            continue
        extensions, groups = callable_[phone.customer]
        numbers = stock.numbers[phone.customer].extensions
        own = frozenset(number for number, line in numbers.items() if line in phone.lines)
        boxes.append(Box(machine, next(sources), own, extensions, groups))
    return Packed(tuple(boxes), tuple(left_out))


def own_source(host: str, port: int) -> Iterator[str]:
    """The address of this machine that a server elsewhere sees, for all phones. Raises `OSError`."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as asking:
        # Sends nothing: the system says where the way begins.
        asking.connect((host, port))
        own = str(asking.getsockname()[0])
    while True:
        yield own


def _machine(phone: StockPhone, url: str, *, is_fresh: bool) -> BootMachine:
    model = find_model(phone.model)
    firmware = phone.firmware or FIRMWARE.get(model.name)
    if is_fresh:
        return BootMachine(phone.mac.hex, model, firmware, name=phone.model, dhcp_url=f"{url}/")
    return BootMachine(
        phone.mac.hex,
        model,
        firmware,
        name=phone.model,
        stored_url=f"{url}/{phone.token}/",
        stored_key=phone.file_key,
    )


def _callable(numbers: Numbers, lines: frozenset[str]) -> tuple[Sequence[str], Sequence[str]]:
    """The extensions and groups that ring nothing but phones of the simulation."""
    extensions = tuple(number for number, line in numbers.extensions.items() if line in lines)
    groups = tuple(number for number, rung in numbers.groups.items() if rung and rung <= lines)
    return extensions, groups
