"""What of a customer decides where its calls go: all that routing looks at, by number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf

from provisioner.centrex.customer import Extension, FeatureCodes, HuntGroup, Line
from provisioner.centrex.dialling import NumberForms


@dataclass(frozen=True, slots=True)
class SiteLimit:
    """A site that lets no more than so many calls in."""

    most_calls: int
    "At once. A call is one, however many of the site's lines are in it."
    lines: frozenset[str]
    "That belong to it."


@dataclass(frozen=True, slots=True)
class Exchange:
    """A customer's switchboard at one moment."""

    customer_id: int
    login: str
    lines: Mapping[str, Line] = field(default_factory=dict)
    extensions: Mapping[str, Extension] = field(default_factory=dict)
    groups: Mapping[str, HuntGroup] = field(default_factory=dict)
    short_numbers: Mapping[str, str] = field(default_factory=dict)
    "Where each leads; itself, if it is dialled as it is."
    codes: FeatureCodes = field(default_factory=FeatureCodes)
    distinctive_ring: bool = False
    extension_of: Mapping[str, str] = field(default_factory=dict)
    "The extension under which each line is known inside: the lowest."
    calls_at_once: Mapping[str, int] = field(default_factory=dict)
    "In how many calls each line may be; not there: in any number."
    forms: NumberForms = field(default_factory=NumberForms)
    "In which its people dial."
    sites: Mapping[str, SiteLimit] = field(default_factory=dict)
    "Those that have a limit, by name."
    used: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """Of a group and a line: when that line answered a call of it last, as a number that grows with time.
    Not there: never."""

    @property
    def size(self) -> int:
        """About how many things it holds."""
        members = sum(len(group.members) for group in self.groups.values())
        return len(self.lines) + len(self.extensions) + len(self.short_numbers) + members + len(self.used)

    def most_calls(self, line: str) -> float:
        """In how many calls a line may be at once."""
        return self.calls_at_once.get(line, inf)

    def site_of(self, line: str) -> SiteLimit | None:
        """That of a line, if it has a limit."""
        said = self.lines.get(line)
        return None if said is None or said.site is None else self.sites.get(said.site)

    def extension_of_line(self, line: str) -> Extension | None:
        """As what the line is known inside, if as anything."""
        number = self.extension_of.get(line)
        return None if number is None else self.extensions[number]

    def leads_outside(self, number: str) -> set[str]:
        """The numbers that a call to `number` may come to, by all that is set here, and nobody here has."""
        outside: set[str] = set()
        seen: set[str] = set()
        waiting = [number]
        while waiting:
            number = waiting.pop()
            if number in seen:
                continue
            seen.add(number)
            target = self.short_numbers.get(number, number)
            if (extension := self.extensions.get(number)) is not None:
                waiting += self._forwards(extension.line)
            elif (group := self.groups.get(number)) is not None:
                waiting += [member.extension or member.group or "" for member in group.members]
                waiting += [group.overflow] if group.overflow is not None else []
            elif target != number:
                waiting.append(target)
            elif (line := self.forms.whole(number)) in self.lines:
                waiting += self._forwards(line)
            else:
                outside.add(line)
        return outside

    def _forwards(self, line: str | None) -> list[str]:
        said = self.lines.get(line or "")
        if said is None:
            return []
        forwarding = said.forwarding
        cases = (forwarding.always, forwarding.busy, forwarding.no_answer, forwarding.unreachable)
        return [case.to for case in cases if case is not None and case.enabled]
