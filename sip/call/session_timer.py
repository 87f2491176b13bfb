"""How a leg notices that its peer is gone, though nobody has hung up (RFC 4028).

One of the two sends a refresh when half of the time is over; if none comes, the call is over. A peer that
knows nothing of this is refreshed by us: that it answers is all that is wanted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from sip.call.wire import Alarm, Wire
from sip.errors import SipError
from sip.message.message import Request, Response
from sip.message.parameters import Parameters
from sip.message.values import SessionExpires

SESSION_S = 1800
"§4: so long that it costs next to nothing."
MIN_S = 90
"§4: the shortest that anybody may ask for."
_AGAIN_S = 3.0
"When a refresh is tried again that could not be made (RFC 3261 §14.1)."


class SessionTooBrief(SipError):
    """It wants to be asked more often than anybody has to (§6)."""

    code = "session-too-brief"
    status: ClassVar[int] = 422

    @property
    def headers(self) -> Sequence[tuple[str, str]]:
        return (("Min-SE", str(MIN_S)),)


def check_interval(request: Request) -> None:
    """Whether the peer may ask for that. Raises `SessionTooBrief`."""
    asked = request.session_expires
    if asked is not None and asked.interval_s < MIN_S:
        raise SessionTooBrief(f"at least {MIN_S} s")


class SessionTimer:
    """Runs from the first 2xx to `stop`."""

    __slots__ = ("_alarm", "_expired", "_interval_s", "_is_ours", "_refresh", "_wire")

    def __init__(self, wire: Wire, refresh: Callable[[], None], expired: Callable[[], None]) -> None:
        """`refresh` sends something that the peer answers; `expired` is told that it is gone."""
        self._wire = wire
        self._refresh = refresh
        self._expired = expired
        self._interval_s = SESSION_S
        self._is_ours: bool | None = None
        "Whether we refresh; None: not agreed yet."
        self._alarm: Alarm | None = None

    def ask(self, request: Request) -> None:
        """Says in an INVITE or UPDATE of ours what we want (§7.1, §7.4)."""
        refresher = {None: "", True: "uac", False: "uas"}[self._is_ours]
        request.session_expires = _expires(self._interval_s, refresher)
        request.headers.add("Min-SE", str(MIN_S))

    def agreed(self, response: Response) -> None:
        """The peer has said 2xx to that (§7.2)."""
        said = response.session_expires
        if said is None:
            self._start(self._interval_s, is_ours=True)
        else:
            self._start(max(said.interval_s, MIN_S), is_ours=said.refresher != "uas")

    def agree(self, request: Request, response: Response) -> None:
        """Says in our 2xx to an INVITE or UPDATE what is so from now on (§9)."""
        asked = request.session_expires
        interval_s = SESSION_S if asked is None else min(asked.interval_s, SESSION_S)
        knows = any(each.lower() == "timer" for each in request.supported)
        # Who asks for it refreshes, unless it says that we are to.
        is_ours = not knows or asked is None or asked.refresher == "uas"
        response.session_expires = _expires(interval_s, "uas" if is_ours else "uac")
        if not is_ours:
            response.headers.add("Require", "timer")
        self._start(interval_s, is_ours=is_ours)

    def again(self) -> None:
        """The refresh could not be made, or agreed upon; it is tried again soon."""
        if self._alarm is not None:
            self._set(_AGAIN_S, self._refresh)

    def stop(self) -> None:
        """Nobody waits any more."""
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None

    def _start(self, interval_s: int, *, is_ours: bool) -> None:
        self._interval_s, self._is_ours = interval_s, is_ours
        if is_ours:
            self._set(interval_s / 2, self._refresh)
        else:
            # §10: a little before the end, so that the BYE comes in time.
            self._set(interval_s - min(32, interval_s / 3), self._expired)

    def _set(self, in_s: float, wake: Callable[[], None]) -> None:
        self.stop()
        self._alarm = self._wire.alarm(in_s, wake)


def _expires(interval_s: int, refresher: str) -> SessionExpires:
    return SessionExpires(interval_s, Parameters((("refresher", refresher),) if refresher else ()))
