"""What a test phone does of itself, by what it sees: it answers or refuses, gives up or hangs up in time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from sip.testcall.account import Account
from sip.testcall.observed import Answered, Ended, Observation, Rang, Refused, StoppedRinging
from sip.testcall.phone import Phone
from sip.testcall.scenario import Behaviour, Then


class Actor:
    """A phone that acts by itself."""

    def __init__(self, account: Account, tell: Callable[[Observation], None]) -> None:
        self.behaviour = Behaviour(Then.SILENT)
        "Of its next calls."
        self.phone = Phone(account, self._saw)
        self._tell = tell
        self._talks_s: dict[str, float] = {}
        "For how long it talks in calls that it has made, by Call-ID."
        self._next: dict[str, asyncio.TimerHandle] = {}
        "What it does next with a call, by Call-ID."

    def calls(self, number: str, gives_up_s: float | None, talks_s: float) -> None:
        """Calls a number, and hangs up `gives_up_s` later, or `talks_s` after somebody has answered."""
        call_id = self.phone.call(number)
        self._talks_s[call_id] = talks_s
        if gives_up_s is not None:
            self._after(gives_up_s, call_id, lambda: self.phone.hang_up(call_id))

    def stop(self) -> None:
        """Lets go of all that it has, its calls included."""
        for each in self._next.values():
            each.cancel()
        self.phone.stop()

    def _saw(self, seen: Observation) -> None:
        self._tell(seen)
        match seen:
            case Rang(call=call_id):
                self._rings(call_id)
            case Answered(call=call_id) if call_id in self._talks_s:
                talks_s = self._talks_s.pop(call_id)
                self._after(talks_s, call_id, lambda: self.phone.hang_up(call_id))
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
                self._after(does.after_s, call_id, lambda: self.phone.answer(call_id))
            case Then.REFUSE:
                self._after(does.after_s, call_id, lambda: self.phone.refuse(call_id, does.status))
            case Then.SILENT | Then.UNREGISTERED:
                pass

    def _after(self, wait_s: float, call_id: str, act: Callable[[], None]) -> None:
        if (handle := self._next.pop(call_id, None)) is not None:
            handle.cancel()
        self._next[call_id] = asyncio.get_running_loop().call_later(wait_s, act)
