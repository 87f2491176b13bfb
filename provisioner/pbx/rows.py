"""Bindings as rows, and rows as bindings."""

from __future__ import annotations

import json
from functools import lru_cache
from sys import intern

from db.queries.registrations import (
    BindingEvent,
    BindingId,
    BindingRefresh,
    BindingRow,
    Heard,
    StoredBinding,
)
from provisioner.pbx.clock import Clock
from sip.binding import Binding, Change, ChangeKind
from sip.location import Reachability, Registered
from sip.transport.flow import Address, Transport

_EACH = "\n"
"Between the proxies of a Path: nothing that is kept of a REGISTER holds it."


def binding_id(line_id: int, binding: Binding) -> BindingId:
    """What the row of `binding` is found by."""
    return BindingId(line_id, binding.contact, binding.instance or "", binding.reg_id or 0)


def binding_row(line_id: int, binding: Binding, clock: Clock) -> BindingRow:
    """The row of `binding`."""
    refreshed_at = clock.utc(binding.refreshed_at)
    return BindingRow(
        line_id,
        binding.contact,
        binding.instance or "",
        binding.reg_id or 0,
        binding.device_id,
        None if binding.q is None else round(binding.q * 1000),
        binding.call_id,
        binding.cseq,
        _EACH.join(binding.path),
        binding.user_agent or "",
        binding.transport.value,
        str(binding.remote),
        str(binding.local),
        clock.utc(binding.registered_at),
        refreshed_at,
        binding.refreshes,
        clock.utc(binding.expires_at),
        refreshed_at,
    )


REFRESHED = frozenset({"call_id", "cseq", "refreshed_at", "expires_at", "refreshes"})
"What `refresh_row` tells of a binding."


def refresh_row(line_id: int, binding: Binding, clock: Clock) -> BindingRefresh:
    """What is another in the row of `binding` since it was refreshed."""
    refreshed_at = clock.utc(binding.refreshed_at)
    return BindingRefresh(
        binding.call_id,
        binding.cseq,
        refreshed_at,
        binding.refreshes,
        clock.utc(binding.expires_at),
        refreshed_at,
        binding_id(line_id, binding),
    )


def registered_of(row: StoredBinding, clock: Clock) -> Registered:
    """What a row says, in loop time."""
    at = clock.loop_of_unix
    refreshed_at = at(row.refreshed_at)
    binding = Binding(
        row.contact,
        row.call_id,
        row.cseq,
        _TRANSPORTS[row.transport],
        _address(row.source),
        _address(row.local_address),
        at(row.registered_at),
        refreshed_at,
        at(row.expires_at),
        row.instance_id or None,
        row.reg_id or None,
        None if row.q is None else row.q / 1000,
        tuple(row.path.split(_EACH)) if row.path else (),
        intern(row.user_agent) if row.user_agent else None,
        row.refreshes,
        row.device_id,
    )
    heard_at = refreshed_at if row.heard_at is None else at(row.heard_at)
    rtt_s = None if row.rtt_ms is None else row.rtt_ms / 1000
    is_reachable = None if row.reachable is None else bool(row.reachable)
    return Registered(row.number, binding, Reachability(heard_at, is_reachable, rtt_s))


def event_row(line_id: int, change: Change, clock: Clock) -> BindingEvent:
    """What happened to a binding, for the history of its line."""
    binding, before = change.binding, change.before
    details: dict[str, str] = {}
    if change.kind is ChangeKind.MOVED and before is not None:
        details = {"from": str(before.remote), "from_contact": before.contact}
        if before.transport is not binding.transport:
            details["from_transport"] = before.transport.value
    if change.rtt_s is not None:
        details = {"rtt_ms": str(rtt_ms(change.rtt_s))}
    return BindingEvent(
        line_id,
        binding.device_id,
        clock.utc(change.at),
        change.kind.value,
        binding.contact,
        str(binding.remote),
        binding.transport.value,
        binding.user_agent or "",
        json.dumps(details, sort_keys=True) if details else "{}",
    )


def heard_row(line_id: int, binding: Binding, at: float, rtt_s: float | None, clock: Clock) -> Heard:
    """That the phone behind `binding` answered, after `rtt_s`; None: that it does not answer."""
    if rtt_s is None:
        return Heard(False, None, None, binding_id(line_id, binding))
    return Heard(True, clock.utc(at), rtt_ms(rtt_s), binding_id(line_id, binding))


def rtt_ms(rtt_s: float) -> int:
    """Whole milliseconds, as they are kept."""
    return round(rtt_s * 1000)


_TRANSPORTS = {each.value: each for each in Transport}


# Many phones come from one address, and to one of ours; what reads `host:port` is slow beside the rest.
@lru_cache(maxsize=4096)
def _address(text: str) -> Address:
    host, _, port = text.rpartition(":")
    return Address(host.strip("[]"), int(port))
