"""What a test phone does of itself, by what it sees: it answers or refuses, gives up or hangs up in time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from sip.testcall.account import Account
from sip.testcall.observed import Answered, Ended, Observation, Rang, Refused, Registered, StoppedRinging
from sip.testcall.phone import Phone
from sip.testcall.scenario import Behaviour, Then
from sip.testcall.spoken import Spoken


class Actor:
    """A phone that acts by itself."""

    def __init__(self, account: Account, tell: Callable[[Observation | Spoken], None]) -> None:
        self.behaviour = Behaviour(Then.SILENT)
        "Of its next calls."
        self.phone = Phone(account, self._saw, tell)
        self._tell = tell
        self._talks_s: dict[str, float] = {}
        "For how long it talks in calls that it has made, by Call-ID."
        self._next: dict[str, asyncio.TimerHandle] = {}
        "What it does next with a call, by Call-ID."
        self._refresh: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Listens, registers, and goes on registering."""
        self.phone.start()
        self.phone.sip.register(self._registered)

    async def unregister(self) -> None:
        """Ends its calls, and asks to be rung no more; returns when that is answered."""
        self.hang_up()
        if self._refresh is not None:
            self._refresh.cancel()
        answered = asyncio.Event()
        self.phone.sip.deregister(lambda _: answered.set())
        await answered.wait()

    def stop(self) -> None:
        """Lets go of all that it has."""
        for each in (*self._next.values(), self._refresh):
            if each is not None:
                each.cancel()
        self.phone.stop()

    def calls(self, number: str, gives_up_s: float | None, talks_s: float) -> None:
        """Calls a number, and hangs up `gives_up_s` later, or `talks_s` after somebody has answered."""
        call_id = self.phone.call(number).call_id
        self._talks_s[call_id] = talks_s
        if gives_up_s is not None:
            self._after(gives_up_s, call_id, lambda: self._hang_up(call_id))

    def hang_up(self) -> None:
        """Ends all its calls; those that ring it turns down (480)."""
        for call_id in list(self.phone.calls):
            self._refuse(call_id, 480)
            self._hang_up(call_id)

    def _registered(self, status: int) -> None:
        if status >= 300:
            self.phone.broke(f"its registration was refused with {status}")
        elif status >= 200:
            if self._refresh is None:
                self.phone.saw(Registered, self.phone.sip.now)
            self._refresh = asyncio.get_running_loop().call_later(
                self.phone.sip.default_expires / 2, self.phone.sip.register, self._registered
            )

    def _saw(self, seen: Observation) -> None:
        self._tell(seen)
        match seen:
            case Rang(call=call_id):
                self._rings(call_id)
            case Answered(call=call_id) if call_id in self._talks_s:
                self._after(self._talks_s[call_id], call_id, lambda: self._hang_up(call_id))
            case StoppedRinging(call=call_id) | Refused(call=call_id) | Ended(call=call_id):
                self._talks_s.pop(call_id, None)
                if (handle := self._next.pop(call_id, None)) is not None:
                    handle.cancel()
            case _:
                pass

    def _rings(self, call_id: str) -> None:
        does = self.behaviour
        match does.then:
            case Then.ANSWER:
                self._after(does.after_s, call_id, lambda: self._answer(call_id))
            case Then.REFUSE:
                self._after(does.after_s, call_id, lambda: self._refuse(call_id, does.status))
            case Then.SILENT | Then.UNREGISTERED:
                pass

    def _after(self, wait_s: float, call_id: str, act: Callable[[], None]) -> None:
        if (handle := self._next.pop(call_id, None)) is not None:
            handle.cancel()
        self._next[call_id] = asyncio.get_running_loop().call_later(wait_s, act)

    def _answer(self, call_id: str) -> None:
        if (call := self.phone.calls.get(call_id)) is not None and call.rings:
            call.answer()

    def _refuse(self, call_id: str, status: int) -> None:
        if (call := self.phone.calls.get(call_id)) is not None and call.rings:
            call.refuse(status)

    def _hang_up(self, call_id: str) -> None:
        if (call := self.phone.calls.get(call_id)) is not None:
            call.hangup()
