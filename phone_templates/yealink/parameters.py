"""Yealink's parameters: what was seen (parameters.tsv), judged generation by generation.

The tables of what was seen come from templates and dumps whose firmware is not always what they say. Three
rules outrank them: a respelled name counts only in its own generations (spellings.tsv), `static.` belongs to
V81 and later alone, and there a name has one spelling, with the prefix or without.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from phone_templates.catalogue import Catalogue, Generation, Kind, Parameter, ParameterType, Sensitivity

_SEEN = {"v70": Generation.V70, "v71": Generation.V71, "v80": Generation.V80, "v81": Generation.V81}
_OLDER = frozenset({Generation.V70, Generation.V71, Generation.V80})
_NEWER = frozenset({Generation.V81, Generation.V86})
_ORDER = {generation: place for place, generation in enumerate(Generation)}

# What the vendor's guides list as prefixed since V81: there the unprefixed spelling is a leftover.
_PREFIXED = re.compile(
    r"(network|auto_provision|autoprovision|security|syslog|firmware|managementserver|zero_touch|watch_dog"
    r"|trusted_certificates|server_certificates|web_item_level|wui\.https?_enable|directory_setting\.url)(\.|$)"
)
# Base stations read these without the prefix (11 and 13 sources) and, it seems, with it (3 and 6).
_BOTH_SPELLINGS = frozenset(
    {"auto_provision.custom.handset.protect", "auto_provision.handset_configured.enable"}
)

# Indices that every model bounds alike, as far as the tables go.
_LIMITS = {
    "account.#.sip_server": 2,
    "account.#.outbound_proxy": 2,
    "distinctive_ring_tones.alert_info": 10,
    "remote_phonebook.data": 5,
}


@dataclass(frozen=True, slots=True)
class _Row:
    """A line of parameters.tsv."""

    name: str
    seen: frozenset[Generation]
    older_sources: int
    "Of V80 and older."
    newer_sources: int
    "Of V81 and newer."


@dataclass(frozen=True, slots=True)
class _Spelling:
    """A line of spellings.tsv."""

    old: str
    until: Generation | None
    new: str | None
    since: Generation | None


@cache
def catalogue() -> Catalogue:
    """All of Yealink's parameters. Read once; takes a tenth of a second."""
    spellings = list(_spellings())
    return Catalogue(
        _parameters(spellings),
        respelled=[(spelling.old, spelling.new) for spelling in spellings if spelling.new is not None],
        limits=_LIMITS,
    )


def sensitivity_of(name: str) -> Sensitivity:
    """What a parameter of any generation could give away; of a name that none knows, what it looks like."""
    known = (catalogue().find(name, generation) for generation in Generation)
    judged = {parameter.sensitivity for parameter in known if parameter is not None}
    if not judged:
        parts = name.removeprefix("static.").split(".")
        judged = {_sensitivity_rules()(".".join("X" if part.isdigit() else part for part in parts))}
    return max(judged, key=list(Sensitivity).index)


def _parameters(spellings: list[_Spelling]) -> Iterator[Parameter]:
    last = {spelling.old: spelling.until for spelling in spellings if spelling.until}
    first = {spelling.new: spelling.since for spelling in spellings if spelling.new and spelling.since}
    rows = {row.name: row for row in _rows()}
    type_of, sensitivity_of = _type_rules(), _sensitivity_rules()
    for row in rows.values():
        generations = _within(
            _older_generations(row) | _newer_generations(row, rows), last.get(row.name), first.get(row.name)
        )
        bare = row.name.removeprefix("static.")
        sensitivity = sensitivity_of(bare)
        kind, assumed = type_of(bare)
        if sensitivity is Sensitivity.SECRET and kind.kind is Kind.TEXT:
            kind = ParameterType(Kind.SECRET)
        # Sources are counted apart: an old name that one dump of V80 repeats is not trusted there.
        for era, sources in ((_OLDER, row.older_sources), (_NEWER, row.newer_sources)):
            if generations & era:
                yield Parameter(row.name, generations & era, sources, kind, assumed, sensitivity)


def _older_generations(row: _Row) -> frozenset[Generation]:
    """Where V80 and older know the name; never with the prefix, whatever a dump of V80 says."""
    if row.name.startswith("static."):
        return frozenset()
    seen = row.seen & _OLDER
    # A name that was there before and after was there in between, though no dump at hand shows it.
    return _OLDER if {Generation.V70, Generation.V80} <= seen else seen


def _newer_generations(row: _Row, rows: dict[str, _Row]) -> frozenset[Generation]:
    """Where V81 and newer know the name: all, unless its other spelling is the right one."""
    if Generation.V81 not in row.seen:
        return frozenset()
    prefixed = row.name.startswith("static.")
    bare = row.name.removeprefix("static.")
    twin = rows.get(bare if prefixed else f"static.{row.name}")
    if twin is None or Generation.V81 not in twin.seen or bare in _BOTH_SPELLINGS:
        return _NEWER
    if _PREFIXED.match(bare):
        return _NEWER if prefixed else frozenset()
    # lang stays bare (29 sources to 11), sip.nat_stun is prefixed (26 to 8): the better attested one counts.
    better = row.newer_sources > twin.newer_sources or (row.newer_sources == twin.newer_sources and prefixed)
    return _NEWER if better else frozenset()


def _within(
    generations: frozenset[Generation], until: Generation | None, since: Generation | None
) -> frozenset[Generation]:
    """`generations` cut to those that know the spelling."""
    first = _ORDER[since] if since else 0
    last = _ORDER[until] if until else len(_ORDER)
    within = {generation for generation in generations if first <= _ORDER[generation] <= last}
    if since is not None and within and min(map(_ORDER.__getitem__, generations)) < first:
        # A dump that calls itself older but has the newer name belongs to the first firmware that had it.
        within.add(since)
    return frozenset(within)


def _rows() -> Iterator[_Row]:
    for name, seen, older, newer in _lines("parameters.tsv"):
        yield _Row(name, frozenset(_SEEN[word] for word in seen.split(",")), int(older), int(newer))


def _spellings() -> Iterator[_Spelling]:
    for old, until, new, since, _why in _lines("spellings.tsv"):
        yield _Spelling(old, _generation(until), None if new == "-" else new, _generation(since))


def _generation(word: str) -> Generation | None:
    return None if word == "-" else Generation[word]


class _Rules:
    """Ordered patterns over names; the first that fits counts."""

    def __init__(self, patterns: Iterable[str]) -> None:
        groups = ("|".join(map(_glob, pattern.split("|"))) for pattern in patterns)
        self._pattern = re.compile("|".join(f"({group})" for group in groups))

    def first(self, name: str) -> int | None:
        """The place of the first pattern that fits all of `name`."""
        fits = self._pattern.fullmatch(name)
        return fits.lastindex - 1 if fits and fits.lastindex else None


def _glob(pattern: str) -> str:
    return ".*".join(map(re.escape, pattern.split("*")))


def _type_rules() -> Callable[[str], tuple[ParameterType, bool]]:
    """What parameter_types.tsv says of a bare name: its type, and whether that is assumed."""
    lines = list(_lines("parameter_types.tsv"))
    rules = _Rules(pattern for pattern, *_ in lines)
    types = [(_type(Kind(kind), limits), surety == "assumed") for _, kind, limits, surety, _ in lines]

    def rule(name: str) -> tuple[ParameterType, bool]:
        place = rules.first(name)
        return types[-1 if place is None else place]

    return rule


def _type(kind: Kind, limits: str) -> ParameterType:
    if limits == "-":
        return ParameterType(kind)
    if kind is Kind.ENUM:
        return ParameterType(kind, choices=tuple(limits.split(",")))
    low, _, high = limits.rpartition("-")
    return ParameterType(kind, int(low), int(high))


@cache
def _sensitivity_rules() -> Callable[[str], Sensitivity]:
    """What sensitivity.tsv says of a bare name."""
    lines = list(_lines("sensitivity.tsv"))
    rules = _Rules(pattern for pattern, *_ in lines)
    levels = [Sensitivity(level) for _, level, _ in lines]

    def rule(name: str) -> Sensitivity:
        place = rules.first(name)
        return Sensitivity.PLAIN if place is None else levels[place]

    return rule


def _lines(file_name: str) -> Iterator[list[str]]:
    text = files("phone_templates.yealink").joinpath(file_name).read_text("utf-8")
    for line in text.splitlines():
        if line and not line.startswith("#"):
            yield line.split("\t")
