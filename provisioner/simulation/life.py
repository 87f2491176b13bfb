"""The life of one virtual phone, and of who sits at it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from math import inf, isfinite
from time import monotonic
from typing import TypeAlias

from phone_templates.yealink.boot import BootMachine, Outcome
from provisioner.centrex.mac import MacAddress
from provisioner.simulation.causes import Cause
from provisioner.simulation.profile import Person
from provisioner.simulation.tally import Tally
from provisioner.virtual_phones.account import accounts
from provisioner.virtual_phones.booting import Boot, boot
from provisioner.virtual_phones.network import Network
from provisioner.virtual_phones.phone import SipPhone, Sitter, registered
from provisioner.virtual_phones.registration import Registration
from provisioner.virtual_phones.subscription import Subscription, Wish, wishes
from sip.errors import SipError
from sip.handset.rung import Manner
from sip.handset.talk import CallEnd
from sip.message.message import Request

_ASKS_AGAIN_S = 300.0
"After which a phone that has no account asks for its files again, where no file tells it when."
_LEAVING = 50
"Phones that take their leave at once: a server would have all of them in the same second."
_ENGAGED = Manner(0.0, 486)


@dataclass(frozen=True, slots=True)
class Box:
    """A phone before it is plugged in."""

    machine: BootMachine
    source: str
    "Its address."
    own: frozenset[str]
    "Its extensions, which it does not call."
    extensions: Sequence[str]
    "Colleagues that it may call."
    groups: Sequence[str]

    @property
    def mac(self) -> str:
        """As people read it."""
        return str(MacAddress.parse(self.machine.mac))


Told: TypeAlias = tuple[tuple[tuple[str, str], ...], tuple[Wish, ...]]
"The settings of all accounts, and what it is to watch."


@dataclass(slots=True)
class Stage:
    """What all phones share."""

    tally: Tally
    network: Network
    hurry: float
    "What phones wait before they try again is divided by this."
    settled: Callable[[], None]
    "Is told when a phone has come up."
    calling: asyncio.Event = field(default_factory=asyncio.Event)
    "From now on people call."
    over: asyncio.Event = field(default_factory=asyncio.Event)
    leaving: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_LEAVING))


class Life(Sitter):
    """From the plug to its end."""

    def __init__(self, box: Box, person: Person, stage: Stage) -> None:
        self.is_up = False
        self.is_on_line = False
        "It has its accounts: its end is for itself, when all is over."
        self._box, self._person, self._stage = box, person, stage
        self._tally = stage.tally
        self._began = 0.0
        self._accounts = 0
        self._granted: set[int] = set()
        self._phone: SipPhone | None = None
        self._told: Told = ((), ())
        "What it has been told, as it is on the line."
        self._leaves = asyncio.Event()
        "It has been told something else."

    @property
    def mac(self) -> str:
        """As people read it."""
        return self._box.mac

    async def live(self, after_s: float) -> None:
        """Is plugged in after so many seconds, and stays until all is over."""
        await asyncio.sleep(after_s)
        self._began = monotonic()
        self._tally.powered_on += 1
        box, stage = self._box, self._stage
        while not self._has_account(await self._boots()):
            minutes = box.machine.asks_again_after_minutes
            await asyncio.sleep((_ASKS_AGAIN_S if minutes is None else minutes * 60) / stage.hurry)
        self.is_on_line = True
        while self._accounts and not stage.over.is_set():
            await self._stays()

    async def _boots(self) -> Boot:
        stage = self._stage
        booted = await boot(self._box.machine, self._box.source, stage.network, stage.hurry)
        self._tally.boots(booted)
        return booted

    def _has_account(self, booted: Boot) -> bool:
        done = booted.done
        if done.outcome is Outcome.FAILED:
            # The address before it holds a token.
            self._fails(Cause.SERVER_FAILED, done.problem.rpartition(": ")[2])
        elif done.outcome is Outcome.NOTHING_FOUND:
            self._fails(Cause.NO_FILES)
        self._count()
        if not self._accounts and done.outcome in (Outcome.APPLIED, Outcome.UNCHANGED):
            self._fails(Cause.NO_ACCOUNT)
        return self._accounts > 0

    def _count(self) -> None:
        """How many accounts it has been told to register."""
        try:
            self._accounts = len(accounts(self._box.machine))
        except (KeyError, ValueError, NotImplementedError) as error:
            self._accounts = 0
            self._fails(Cause.UNUSABLE_ACCOUNT, str(error))

    async def _stays(self) -> None:
        """Is on the line with what it has been told, until all is over or it is told something else."""
        self._leaves.clear()
        box, stage = self._box, self._stage
        self._told = _told(box.machine)
        async with AsyncExitStack() as on_line:
            entering = registered(box.machine, box.source, self, stage.network, stage.hurry)
            self._phone = await on_line.enter_async_context(entering)
            await self._calls(self._phone)
            async with stage.leaving:
                await on_line.aclose()

    async def _calls(self, phone: SipPhone) -> None:
        """Calls people, once that is wanted, until it leaves."""
        await first_of(self._stage.calling, self._stage.over, self._leaves)
        while not (self._stage.over.is_set() or self._leaves.is_set()):
            wait_s = self._person.calls_after_s()
            if not await first_of(self._stage.over, self._leaves, within_s=wait_s):
                self._calls_somebody(phone)

    def _calls_somebody(self, phone: SipPhone) -> None:
        registration = next((each for each in phone.registrations if each.status == 200), None)
        number = self._person.dials(self._box.extensions, self._box.groups)
        if registration is None or number is None or number in self._box.own or phone.calls:
            # Who is in a call, or has dialled himself, does it another time.
            return
        to_group = number in self._box.groups

        def ended(end: CallEnd) -> None:
            self._tally.called(end, self.mac, to_group=to_group)

        self._tally.calls += 1
        try:
            phone.call(registration, number, self._person.patience(), ended)
        except SipError as error:
            ended(CallEnd(error.status, None, None))

    # What the phone tells

    def registered(self, registration: Registration) -> None:
        match registration.status:
            case 200:
                self._tally.registered += 1
                self._granted.add(registration.account.number)
            case None:
                self._fails(Cause.NOT_REACHED, f"{registration.account.server}")
            case status:
                self._fails(Cause.REGISTER_REFUSED, f"{status}")
        if not self.is_up and len(self._granted) >= self._accounts:
            self.is_up = True
            self._tally.up += 1
            self._tally.up_after.add(monotonic() - self._began)
            self._stage.settled()

    def subscribed(self, subscription: Subscription) -> None:
        status = subscription.status
        if status is not None and status < 300:
            self._tally.subscribed += 1
        else:
            self._fails(
                Cause.SUBSCRIBE_REFUSED, f"{subscription.wish.user} {status or 'no answer'}"
            )

    def fetched(self, boot: Boot) -> None:
        self._tally.boots(boot)
        self._tally.fetched_again += 1
        if boot.applied is not None and _told(self._box.machine) != self._told:
            self._count()
            self._leaves.set()

    def is_rung(self, invite: Request) -> Manner:
        is_engaged = self._phone is not None and self._phone.calls > 0
        return _ENGAGED if is_engaged else self._person.manner()

    def _fails(self, cause: Cause, detail: str = "") -> None:
        self._tally.fails(cause, detail, self.mac)


async def first_of(*events: asyncio.Event, within_s: float = inf) -> bool:
    """Waits until one of them is set; False: none was within so many seconds."""
    waiting = {asyncio.create_task(each.wait()) for each in events}
    try:
        done, _ = await asyncio.wait(
            waiting, timeout=within_s if isfinite(within_s) else None, return_when=asyncio.FIRST_COMPLETED
        )
    finally:
        for task in waiting:
            task.cancel()
    return bool(done)


def _told(machine: BootMachine) -> Told:
    settings = machine.memory.settings.items()
    return tuple(sorted(pair for pair in settings if pair[0].startswith("account."))), wishes(machine)
