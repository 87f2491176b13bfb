"""Questions to a plan: whom it names, who of a group may be tried, and what keeps others from ringing."""

from __future__ import annotations

from collections.abc import Sequence

from sip.testcall.plan import Cause, Group, Nobody, Plan, Ring, Setting, Strategy, Turn


def tried(group: Group, order: Sequence[str] | None = None) -> tuple[Turn, ...]:
    """The members that may be tried at all, in an order or that of the list."""
    turns = list(group.turns)
    if order is not None:
        turns.sort(key=lambda turn: order.index(turn.number))
    last = next((number for number, turn in enumerate(turns) if turn.is_last), len(turns))
    return tuple(turns[: last + 1])


def within(plan: Plan) -> tuple[Plan, ...]:
    """What a plan has right inside of it."""
    match plan:
        case Ring() | Nobody():
            return tuple(plan.after.values())
        case Group():
            turns = (turn.plan for turn in plan.turns)
            return (*turns,) if plan.overflow is None else (*turns, plan.overflow)


def phones_of(plan: Plan) -> tuple[str, ...]:
    """All that a plan may ring, or names as those that it doesn't."""
    own = "" if isinstance(plan, Group) else plan.phone
    inside = (phone for part in within(plan) for phone in phones_of(part))
    kept_out = (kept.phone for kept in plan.kept_out)
    return tuple(dict.fromkeys(filter(None, (own, *inside, *kept_out))))


def may_ring(plan: Plan) -> tuple[str, ...]:
    """Those of them that it rings, if nobody before them answers."""
    own = [plan.phone] if isinstance(plan, Ring) else []
    return tuple(dict.fromkeys([*own, *(phone for part in within(plan) for phone in may_ring(part))]))


def silences(plan: Plan) -> dict[str, Cause]:
    """What keeps each phone of a plan from ringing, if it doesn't."""
    causes: dict[str, Cause] = {}

    def note(part: Plan, cause: Cause | None) -> None:
        """`cause`: the one of what is around it, which counts before its own."""
        match part:
            case Ring():
                causes.setdefault(part.phone, cause or part.cause)
                for each in part.after.values():
                    note(each, cause)
            case Nobody():
                if part.phone:
                    causes[part.phone] = part.cause
                for each in part.after.values():
                    note(each, cause)
            case Group():
                is_shuffled = part.strategy is Strategy.SHUFFLED
                reached = part.turns if is_shuffled else tried(part)
                for turn in part.turns:
                    setting = Setting.STRATEGY if turn in reached else Setting.STOP
                    note(turn.plan, cause or Cause(setting, part.number))
                if part.overflow is not None:
                    note(part.overflow, cause or Cause(Setting.OVERFLOW, part.number))
        for kept in part.kept_out:
            causes.setdefault(kept.phone, kept.cause)

    note(plan, None)
    return causes
