"""What people do at their phones: profiles as data, and drawing from them."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from random import Random

from sip.handset.caller import Patience
from sip.handset.rung import Manner

_DECLINED = (486, 603)
"What a phone says whose user turns a call down: busy here, or decline."
_SHAPE = 4.0
"Of the gamma distribution of answers: a deviation of half the mean."


@dataclass(frozen=True, slots=True)
class Profile:
    """What the people of a company do in their busy hour; see profiles.toml."""

    name: str
    calls_per_hour: float
    talks_s: float
    answers_s: float
    patience_s: float
    to_groups: float
    refused: float
    unanswered: float


@cache
def profiles() -> Mapping[str, Profile]:
    """All that there are, by name. A misspelt key is a TypeError."""
    text = files("provisioner.simulation").joinpath("profiles.toml").read_text("utf-8")
    return {name: Profile(name, **said) for name, said in tomllib.loads(text).items()}


class Person:
    """Who sits at one phone. The same seed, phone and profile make the same person."""

    def __init__(self, profile: Profile, seed: int, mac: str) -> None:
        self._profile = profile
        self._random = Random(f"{seed}:{mac}")  # noqa: S311 - a load, no secret

    def calls_after_s(self) -> float:
        """How long it is until the next call; `inf` where there is none."""
        per_s = self._profile.calls_per_hour / 3600
        return self._random.expovariate(per_s) if per_s else float("inf")

    def dials(self, extensions: Sequence[str], groups: Sequence[str]) -> str | None:
        """Whom; None: there is nobody."""
        to_group = self._random.random() < self._profile.to_groups
        chosen = (groups or extensions) if to_group else (extensions or groups)
        return self._random.choice(chosen) if chosen else None

    def patience(self) -> Patience:
        """How long they wait, and talk."""
        return Patience(self._profile.patience_s, self._random.expovariate(1 / self._profile.talks_s))

    def manner(self) -> Manner:
        """What they do when it rings."""
        drawn = self._random.random()
        if drawn < self._profile.unanswered:
            return Manner(None)
        after_s = self._random.gammavariate(_SHAPE, self._profile.answers_s / _SHAPE)
        if drawn < self._profile.unanswered + self._profile.refused:
            return Manner(after_s, self._random.choice(_DECLINED))
        return Manner(after_s)
