"""Hunt groups: whom they ring, and that no call goes round in them for ever."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from provisioner.centrex import text
from provisioner.centrex.customer import Customer, HuntGroup, Member
from provisioner.centrex.errors import BadValue
from provisioner.centrex.problems import Kind, Problem, Subject

LONGEST_RING_S = 3600
"The longest ring delay and ring time of a member."


def group_problems(customer: Customer) -> Iterator[Problem]:
    """Members that are not there, impossible times, overflow to nowhere, and circles."""
    extensions = {extension.number for extension in customer.extensions}
    groups = {group.number for group in customer.hunt_groups}
    for group in customer.hunt_groups:
        subject = Subject(Kind.HUNT_GROUP, group.number)
        seen: set[str] = set()
        for member in group.members:
            for message in _member_faults(member, extensions, groups):
                yield Problem(subject, f"{_named(group)}: {message}")
            number = member.extension or member.group or ""
            if number in seen:
                yield Problem(subject, f"{_named(group)}: member {number} is there twice: leave one of them")
            seen.add(number)
        yield from _overflow_faults(group, subject)
    members = {
        group.number: tuple(member.group for member in group.members if member.group)
        for group in customer.hunt_groups
    }
    for circle in _circles(members):
        message = (
            f"hunt groups contain each other in a circle: {' -> '.join(circle)}: take one out of another"
        )
        yield Problem(Subject(Kind.HUNT_GROUP, circle[0]), message)
    overflows = {
        group.number: (group.overflow,) for group in customer.hunt_groups if group.overflow in groups
    }
    for circle in _circles({number: tuple(filter(None, to)) for number, to in overflows.items()}):
        if len(circle) > 2:  # a group that overflows to itself has its own message
            message = f"calls that nobody answers would overflow in a circle: {' -> '.join(circle)}: end it"
            yield Problem(Subject(Kind.HUNT_GROUP, circle[0]), message)


def _named(group: HuntGroup) -> str:
    return f"hunt group {group.number} ({group.name})" if group.name else f"hunt group {group.number}"


def _member_faults(member: Member, extensions: set[str], groups: set[str]) -> Iterator[str]:
    if bool(member.extension) == bool(member.group):
        yield "each member names either an extension or a group"
        return
    if member.extension and member.extension not in extensions:
        if member.extension in groups:
            yield f'{member.extension} is a hunt group: write group: "{member.extension}"'
        else:
            yield f"there is no extension {member.extension}: add it, or take the member out"
    if member.group and member.group not in groups:
        if member.group in extensions:
            yield f'{member.group} is an extension: write extension: "{member.group}"'
        else:
            yield f"there is no hunt group {member.group}: add it, or take the member out"
    number = member.extension or member.group
    if not 0 <= member.ring_delay <= LONGEST_RING_S:
        yield f"ring delay of member {number} is {member.ring_delay} s: it must be from 0 to {LONGEST_RING_S}"
    if not 1 <= member.ring_time <= LONGEST_RING_S:
        yield f"ring time of member {number} is {member.ring_time} s: it must be from 1 to {LONGEST_RING_S}"


def _overflow_faults(group: HuntGroup, subject: Subject) -> Iterator[Problem]:
    if group.overflow is None:
        return
    if group.overflow == group.number:
        message = f"{_named(group)} overflows to itself: give another number, or none"
        yield Problem(subject, message)
    try:
        text.dialable(group.overflow, "overflow")
    except BadValue as error:
        yield Problem(subject, f"{_named(group)}: {error}")


def _circles(edges: Mapping[str, tuple[str, ...]]) -> Iterator[tuple[str, ...]]:
    """Each circle that a walk in depth closes, from the group where it closes and back to it.

    Without recursion: a company file may nest groups deeper than Python may call.
    """
    done: set[str] = set()
    for start in edges:
        path: list[str] = []
        on_path: set[str] = set()
        waiting: list[Iterator[str]] = [iter((start,))]
        while waiting:
            number = next(waiting[-1], None)
            if number is None:
                waiting.pop()
                if path:
                    done.add(path[-1])
                    on_path.discard(path.pop())
            elif number in on_path:
                yield (*path[path.index(number) :], number)
            elif number not in done:
                path.append(number)
                on_path.add(number)
                waiting.append(iter(edges.get(number, ())))
