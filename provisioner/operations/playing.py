"""Has the phones of a test play its scenarios: each in its place, one calls, and all see it to the end."""

from __future__ import annotations

from asyncio import sleep
from collections.abc import Sequence
from contextlib import suppress

from provisioner.operations.twins import Twin
from sip.testcall.account import Account
from sip.testcall.agents import TestPhones
from sip.testcall.expected import expected
from sip.testcall.observed import (
    Ended,
    Light,
    Lit,
    Observation,
    Rang,
    Refused,
    Registered,
    StoppedRinging,
    TurnedDown,
    Watches,
)
from sip.testcall.scenario import Dial, Lamp, Scenario, Then
from sip.testcall.spoken import Spoken

_SLACK_S = 10.0
"How long after it should be over a call is waited for."
_AFTER_S = 2.0
"In which all others have heard that it is over."
_LAMPS_S = 1.0
"In which all lamps are dark again."
_SETTLES_S = 0.3
"After the end, for what should not happen any more."


class Stage:
    """The phones of one twin, which play one scenario after another."""

    def __init__(self, twin: Twin, phones: TestPhones) -> None:
        self._twin = twin
        self._phones = phones
        self._registered: dict[str, Registered] = {}
        self._watches: dict[tuple[str, str], Watches] = {}
        self.late_s = 0.0
        "By how much the machine was late with what was played last, all in all."

    async def play(self, scenario: Scenario) -> Sequence[Observation]:
        """All that the phones see of it. Raises `PhonesFailed`."""
        phones = self._phones
        with self._twin.pace.lateness as late:
            before = late.total_s + phones.late_s
            observations = await self._play(scenario)
            self.late_s = late.total_s + phones.late_s - before
        return observations

    async def _play(self, scenario: Scenario) -> Sequence[Observation]:
        phones, caller = self._phones, scenario.caller
        self._twin.restore()
        if scenario.codes:
            await self._set(scenario, everybody=True)
            codes_begun = len(phones.seen)
            for dial in scenario.codes:
                await self._dial(dial)
            dialled = phones.seen[codes_begun:]
        else:
            dialled = []
        await self._set(scenario)
        phones.take_spoken()
        for lamp in scenario.lamps:
            await self._watch(lamp)
        begun = len(phones.seen)
        rings = expected(scenario).rings
        longest_s = max((ring.ends_s for ring in rings), default=0.0) + scenario.talks_s + _SLACK_S

        def seen() -> list[Observation]:
            return phones.seen[begun:]

        phones.call(
            caller.phone,
            scenario.dialled,
            caller.hz,
            gives_up_s=scenario.gives_up_s,
            talks_s=scenario.talks_s,
        )
        try:
            await phones.until(lambda: is_over(caller.phone, seen()), longest_s)
        except TimeoutError:
            # It should have been: the verdict says so, and the next call is to find everything quiet.
            for part in scenario.parts:
                if part.phone in self._registered:
                    phones.hang_up(part.phone)
        with suppress(TimeoutError):
            await phones.until(lambda: not ringing(seen()), _AFTER_S)
        with suppress(TimeoutError):
            await phones.until(lambda: not _lit(scenario, seen()), _LAMPS_S)
        await sleep(_SETTLES_S)
        return [*self._registered.values(), *self._watches.values(), *dialled, *seen()]

    async def _dial(self, dial: Dial) -> None:
        """A phone dials a code, and hears what comes of it."""
        phones, begun = self._phones, len(self._phones.seen)
        phones.call(dial.phone, dial.code, 0)
        try:
            await phones.until(lambda: is_over(dial.phone, phones.seen[begun:]), _SLACK_S)
        except TimeoutError:
            # The verdict says so.
            phones.hang_up(dial.phone)

    async def _watch(self, lamp: Lamp) -> None:
        """A phone has that lamp: it keeps those that it has had before."""
        if (lamp.phone, lamp.number) not in self._watches:
            said = await self._phones.watch(lamp.phone, lamp.number)
            self._watches[lamp.phone, lamp.number] = said

    def take_spoken(self) -> Sequence[Spoken]:
        """The messages of what was played last."""
        return self._phones.take_spoken()

    async def clear(self) -> None:
        """All its phones say good-bye. Raises `PhonesFailed`, `TimeoutError`."""
        for phone in list(self._registered):
            await self._phones.remove(phone)
        self._registered.clear()
        self._watches.clear()
        self._phones.forget()

    async def _set(self, scenario: Scenario, *, everybody: bool = False) -> None:
        """Phones are there as the scenario wants it; `everybody`: also those that won't be when it begins."""
        phones = self._phones
        off = (part.phone for part in scenario.members if part.behaviour.then is Then.UNREGISTERED)
        absent = set() if everybody else set(off)
        for phone in [each for each in self._registered if each in absent]:
            del self._registered[phone]
            self._watches = {key: said for key, said in self._watches.items() if key[0] != phone}
            await phones.remove(phone)
        for part in scenario.parts:
            if part.phone in absent:
                continue
            if part.phone in self._registered:
                phones.behave(part.phone, part.behaviour, part.hz)
                continue
            account = Account(part.phone, self._twin.password(part.phone), self._twin.server)
            async with self._twin.pace.registering:
                await phones.register(account, part.behaviour, part.hz)
            own = (each for each in phones.seen if isinstance(each, Registered) and each.phone == part.phone)
            self._registered[part.phone] = list(own)[-1]


def is_over(caller: str, seen: Sequence[Observation]) -> bool:
    """Whether the caller's call has ended, as it has seen itself."""
    return any(isinstance(each, Ended | TurnedDown) and each.phone == caller for each in seen)


def _lit(scenario: Scenario, seen: Sequence[Observation]) -> bool:
    """Whether a lamp of the scenario is not dark."""
    lamps = {(lamp.phone, lamp.number): Light.DARK for lamp in scenario.lamps}
    for each in seen:
        if isinstance(each, Lit) and (each.phone, each.number) in lamps:
            lamps[each.phone, each.number] = each.light
    return any(light is not Light.DARK for light in lamps.values())


def ringing(seen: Sequence[Observation]) -> set[tuple[str, str]]:
    """The phones that ring or talk still, each with its call."""
    left: set[tuple[str, str]] = set()
    for each in seen:
        if isinstance(each, Rang):
            left.add((each.phone, each.call))
        elif isinstance(each, StoppedRinging | Refused | Ended):
            left.discard((each.phone, each.call))
    return left
