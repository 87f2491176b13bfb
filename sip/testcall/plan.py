"""Whom a call is to ring, as it is configured: a tree, each part with the setting that it comes from.

It is made from the configuration alone, and says what should happen; what the exchange makes of the same
configuration has no say in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias


class Setting(StrEnum):
    """What a finding may blame: what is configured, the exchange itself, or a phone."""

    STRATEGY = "strategy"
    MEMBERS = "members"
    RING_DELAY = "ring-delay"
    RING_TIME = "ring-time"
    STOP = "stop"
    LOGGED_IN = "logged-in"
    PRESENTATION = "presentation"
    OVERFLOW = "overflow"
    SKIP_FORWARDING = "skip-forwarding"
    FORWARD_ALWAYS = "forward-always"
    FORWARD_BUSY = "forward-busy"
    FORWARD_NO_ANSWER = "forward-no-answer"
    FORWARD_UNREACHABLE = "forward-unreachable"
    DND = "dnd"
    LINE = "line"
    "Which line an extension has."
    SHORT_NUMBER = "short-number"
    HIDE_NUMBER = "hide-number"
    DISTINCTIVE_RING = "distinctive-ring"
    CODE = "code"
    "A code that was dialled."
    LAMP = "lamp"
    "What lamps of others show of a number."
    CALLER = "caller"
    "How the caller is known: its extension and name."
    EXCHANGE = "exchange"
    "No setting says otherwise: the exchange does wrong by itself."
    PHONE = "phone"
    "A phone, or the way to it."


class Does(StrEnum):
    """What a feature code is there for."""

    HIDE_NUMBER = "hide-number"
    SHOW_NUMBER = "show-number"
    DND_ON = "dnd-on"
    DND_OFF = "dnd-off"
    FORWARD_ALWAYS_ON = "forward-always-on"
    FORWARD_ALWAYS_OFF = "forward-always-off"
    FORWARD_BUSY_ON = "forward-busy-on"
    FORWARD_BUSY_OFF = "forward-busy-off"
    FORWARD_NO_ANSWER_ON = "forward-no-answer-on"
    FORWARD_NO_ANSWER_OFF = "forward-no-answer-off"
    FORWARD_UNREACHABLE_ON = "forward-unreachable-on"
    FORWARD_UNREACHABLE_OFF = "forward-unreachable-off"
    GROUP_LOGIN = "group-login"
    GROUP_LOGOUT = "group-logout"


@dataclass(frozen=True, slots=True)
class Cause:
    """A setting of somebody."""

    setting: Setting
    of: str = ""
    "The number of the group, extension, line or short number that it is set for; empty: for the company."
    member: str = ""
    "The member of that group, where it is one's."
    does: Does | None = None
    "Of a code, what it is there for; None: it is no code, or nobody has noted that."


class Outcome(StrEnum):
    """How one who was to be rung has not answered."""

    BUSY = "busy"
    DECLINED = "declined"
    NO_ANSWER = "no-answer"
    UNREACHABLE = "unreachable"
    REFUSED = "refused"
    "Its phone can't take the call, for a reason of its own."


class Strategy(StrEnum):
    """In which order the members of a group ring."""

    IN_TURN = "in-turn"
    AT_ONCE = "at-once"
    SHUFFLED = "shuffled"
    "In turn, in any order: another one each time."


@dataclass(frozen=True, slots=True)
class Shown:
    """What a phone that rings is to be told."""

    number: str
    "Empty: none is to be shown."
    name: str = ""
    cause: Cause = Cause(Setting.CALLER)
    "What decides of it."
    alert: str = ""
    "The `info` of Alert-Info, by which it rings in another way; empty: it rings as always."
    spared: tuple[Shown, ...] = ()
    "What would be shown if a setting that changes nothing were not obeyed, each with that as its cause."


@dataclass(frozen=True, slots=True)
class KeptOut:
    """A phone that must not ring here, though something leads to it that doesn't count."""

    phone: str
    cause: Cause


@dataclass(frozen=True, slots=True)
class Ring:
    """A line is rung. How its phone takes that is the scenario's."""

    phone: str
    shown: Shown
    ring_s: float
    "At the most."
    cause: Cause
    "What leads to it."
    ring_cause: Cause
    "What says how long."
    after: Mapping[Outcome, Plan] = field(default_factory=dict)
    "What follows where it ends so; else nothing does."
    kept_out: tuple[KeptOut, ...] = ()


@dataclass(frozen=True, slots=True)
class Nobody:
    """Nobody is rung, and that is known at once."""

    outcome: Outcome
    status: int | None
    "With which who calls it himself is turned down; None: with any."
    cause: Cause
    phone: str = ""
    "That would be, but for the cause; empty: none."
    after: Mapping[Outcome, Plan] = field(default_factory=dict)
    kept_out: tuple[KeptOut, ...] = ()


@dataclass(frozen=True, slots=True)
class Turn:
    """A member of a group."""

    number: str
    "The extension or group."
    plan: Plan
    delay_s: float
    ring_s: float
    "Its whole plan lasts so long at the most."
    is_last: bool = False
    "Nobody after it is tried."


@dataclass(frozen=True, slots=True)
class Group:
    """Members are rung."""

    number: str
    strategy: Strategy
    turns: tuple[Turn, ...]
    overflow: Plan | None = None
    "What follows when nobody has answered."
    kept_out: tuple[KeptOut, ...] = ()


Plan: TypeAlias = Ring | Nobody | Group
