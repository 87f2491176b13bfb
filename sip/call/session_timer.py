"""How a leg notices that its peer is gone, though nobody has hung up (RFC 4028).

One of the two sends a refresh when half of the time is over; if none comes, the call is over. A peer that
knows nothing of this is refreshed by us: that it answers is all that is wanted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from sip.call.wire import Alarm, Wire
from sip.errors import SipError
from sip.message.errors import MessageError
from sip.message.message import Request, Response
from sip.message.parameters import Parameters
from sip.message.values import SessionExpires

SESSION_S = 1800
"§4: so long that it costs next to nothing."
MIN_S = 90
"§4: the shortest that anybody may ask for."
_LONGEST_S = 24 * 3600
"Whoever wants to be asked less often than that is as good as gone."
_CORRECTIONS = 3
"How often a peer may want another interval than it did before."
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
    """Runs from the first 2xx to `stop`, after which it knows nobody any more."""

    __slots__ = (
        "_alarm", "_corrections", "_expired", "_interval_s", "_is_ours", "_min_s", "_refresh", "_wire",
    )  # fmt: skip

    def __init__(self, wire: Wire, refresh: Callable[[], None], expired: Callable[[], None]) -> None:
        """`refresh` sends something that the peer answers; `expired` is told that it is gone."""
        self._wire = wire
        self._refresh = refresh
        self._expired = expired
        self._interval_s = SESSION_S
        self._min_s = MIN_S
        "The shortest that the peer has put up with."
        self._corrections = 0
        self._is_ours: bool | None = None
        "Whether we refresh; None: not agreed yet."
        self._alarm: Alarm | None = None

    def ask(self, request: Request) -> None:
        """Says in an INVITE or UPDATE of ours what we want (§7.1, §7.4)."""
        refresher = {None: "", True: "uac", False: "uas"}[self._is_ours]
        request.session_expires = _expires(self._interval_s, refresher)
        request.headers.set("Min-SE", str(self._min_s))

    def is_too_brief(self, response: Response) -> bool:
        """Whether a refusal says which interval would do (422), so that it is worth to `ask` again (§7.3)."""
        if response.status != SessionTooBrief.status or self._corrections == _CORRECTIONS:
            return False
        said = _readable(lambda: response.min_se)
        if said is None or not self._interval_s < said.interval_s <= _LONGEST_S:
            return False
        self._corrections += 1
        self._interval_s = self._min_s = said.interval_s
        return True

    def agreed(self, response: Response) -> None:
        """The peer has said 2xx to that (§7.2)."""
        said = _readable(lambda: response.session_expires)
        if said is None:
            self._start(self._interval_s, is_ours=True)
        else:
            self._start(max(said.interval_s, MIN_S), is_ours=said.refresher != "uas")

    def agree(self, request: Request, response: Response) -> None:
        """Says in our 2xx to an INVITE or UPDATE what is so from now on (§9)."""
        asked = request.session_expires
        interval_s = SESSION_S if asked is None else min(asked.interval_s, SESSION_S)
        if asked is not None and request.min_se is not None:
            interval_s = max(interval_s, request.min_se.interval_s)
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
        self._cancel()
        self._refresh = self._expired = lambda: None

    def _start(self, interval_s: int, *, is_ours: bool) -> None:
        self._interval_s, self._is_ours = interval_s, is_ours
        if is_ours:
            self._set(interval_s / 2, self._refresh)
        else:
            # §10: a little before the end, so that the BYE comes in time.
            self._set(interval_s - min(32, interval_s / 3), self._expired)

    def _set(self, in_s: float, wake: Callable[[], None]) -> None:
        self._cancel()
        self._alarm = self._wire.alarm(in_s, wake)

    def _cancel(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None


def _readable(said: Callable[[], SessionExpires | None]) -> SessionExpires | None:
    """What a peer answers counts, though something that it says beside that can't be read."""
    try:
        return said()
    except MessageError:
        return None


def _expires(interval_s: int, refresher: str) -> SessionExpires:
    return SessionExpires(interval_s, Parameters((("refresher", refresher),) if refresher else ()))
