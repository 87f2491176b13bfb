"""Test phones for asyncio code: told what to do, and listened to. `sip.testcall.process` starts them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from sip.errors import SipError
from sip.testcall.account import Account
from sip.testcall.lines import (
    Behave,
    Call,
    HangUp,
    Late,
    Order,
    Register,
    Remove,
    Removed,
    Watch,
    read_told,
    write_line,
)
from sip.testcall.observed import Broke, Observation, Registered, Watches
from sip.testcall.scenario import Behaviour
from sip.testcall.spoken import Spoken

_REGISTER_S = 10.0
"In which a phone has registered, or something is wrong."
_MOST_SPOKEN = 5_000
"Messages that are kept until somebody takes them; further ones are not."


class PhonesFailed(SipError):
    """The test phones don't do what they were told: nothing can be said of the exchange."""

    code = "test-phones-failed"


class TestPhones:
    """Some test phones, each named by its account's number, and all that they have seen."""

    __test__ = False

    def __init__(self, pid: int, orders: asyncio.WriteTransport, pipe: Pipe) -> None:
        self.pid = pid
        "Of their process, in which there may be others."
        self._orders = orders
        self._pipe = pipe

    @property
    def seen(self) -> list[Observation]:
        """All observations, as they came; what is told a moment later (`Answered`) says when it was."""
        return self._pipe.seen

    def take_spoken(self) -> list[Spoken]:
        """The messages of all phones since this was asked last."""
        spoken, self._pipe.spoken = self._pipe.spoken, []
        return spoken

    @property
    def late_s(self) -> float:
        """How late they were woken so far, all in all: no exchange is to blame for what comes of that."""
        return self._pipe.late_s

    def forget(self) -> None:
        """Nobody asks any more what was seen so far."""
        self._pipe.seen.clear()

    async def register(self, account: Account, behaviour: Behaviour, hz: int) -> None:
        """A new phone registers, and takes calls like that. Raises `PhonesFailed` where it can't."""
        name, (host, port), begun = account.number, account.server, len(self.seen)
        self._order(Register(name, account.password, host, port, account.host))
        self._order(Behave(name, behaviour, hz))

        def known() -> list[Observation]:
            own = (each for each in self.seen[begun:] if each.phone == name)
            return [each for each in own if isinstance(each, Registered | Broke)]

        try:
            await self.until(lambda: bool(known()), _REGISTER_S)
        except TimeoutError:
            raise PhonesFailed(f"the test phone {name} got no answer to its registration") from None
        if isinstance(first := known()[0], Broke):
            raise PhonesFailed(f"the test phone {name} could not register: {first.what}")

    def behave(self, phone: str, behaviour: Behaviour, hz: int) -> None:
        """It takes its next calls like that, and sends this tone while it talks; 0 is silence."""
        self._order(Behave(phone, behaviour, hz))

    def call(
        self, phone: str, number: str, hz: int, *, gives_up_s: float | None = None, talks_s: float = 1.5
    ) -> None:
        """It calls, sending this tone.

        Where nobody has answered `gives_up_s` after it has dialled, it hangs up; otherwise `talks_s` after.
        """
        self._order(Call(phone, number, hz, gives_up_s, talks_s))

    async def watch(self, phone: str, number: str) -> Watches:
        """It has a lamp that shows what a number does, or may not have it. Raises `PhonesFailed`."""
        begun = len(self.seen)
        self._order(Watch(phone, number))

        def known() -> list[Watches]:
            found = [each for each in self.seen[begun:] if isinstance(each, Watches)]
            return [each for each in found if (each.phone, each.number) == (phone, number)]

        try:
            await self.until(lambda: bool(known()), _REGISTER_S)
        except TimeoutError:
            raise PhonesFailed(f"the test phone {phone} got no answer to its subscription") from None
        return known()[0]

    def hang_up(self, phone: str) -> None:
        """It ends all its calls, the one that it is making included; one that rings it turns down."""
        self._order(HangUp(phone))

    async def remove(self, phone: str) -> None:
        """It unregisters, and is no more."""
        self._pipe.removed.discard(phone)
        self._order(Remove(phone))
        await self.until(lambda: phone in self._pipe.removed, _REGISTER_S)

    async def until(self, is_so: Callable[[], bool], within_s: float) -> None:
        """Returns when that is so, looked at whenever a phone has seen something.

        Raises `TimeoutError`, and `PhonesFailed` where the phones have ended.
        """
        async with asyncio.timeout(within_s):
            while not is_so():
                if self._pipe.is_over.is_set():
                    raise PhonesFailed("the process of the test phones has ended")
                await self._pipe.news.wait()

    def _order(self, order: Order) -> None:
        self._orders.write(write_line(order))


class Pipe(asyncio.Protocol):
    """Takes in what they say."""

    def __init__(self) -> None:
        self.seen: list[Observation] = []
        self.spoken: list[Spoken] = []
        "Messages that nobody has taken yet."
        self.removed: set[str] = set()
        "Phones that have said good-bye."
        self.late_s = 0.0
        self.news = asyncio.Event()
        "Set at the next piece of news, and replaced by another one."
        self.is_over = asyncio.Event()
        "Set when they are no more."
        self._begun = b""
        "A line that is not whole yet."

    def data_received(self, data: bytes) -> None:
        *lines, self._begun = (self._begun + data).split(b"\n")
        for line in lines:
            match read_told(line):
                case Removed(phone=phone):
                    self.removed.add(phone)
                case Late(by_s=late_s):
                    self.late_s += late_s
                case Spoken() as spoken:
                    if len(self.spoken) < _MOST_SPOKEN:
                        self.spoken.append(spoken)
                case seen:
                    self.seen.append(seen)
        self._tell()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing more will come."""
        self.is_over.set()
        self._tell()

    def _tell(self) -> None:
        self.news.set()
        self.news = asyncio.Event()
