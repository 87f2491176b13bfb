"""A test phone's refusals, each until it is acknowledged: pyVoIP has no transactions (RFC 3261 §17.2)."""

from __future__ import annotations

from collections.abc import Callable

from sip.testcall.resending import Resending


class Refusals:
    """Those that are not acknowledged yet, for 32 s at the most."""

    def __init__(self, send: Callable[[str], None]) -> None:
        self._send = send
        self._waiting: dict[str, tuple[str, Resending]] = {}
        "By Call-ID."

    def begin(self, call_id: str, response: str) -> None:
        """This one was sent."""
        again = Resending(lambda: self._send(response), lambda: self._forget(call_id))
        self._waiting[call_id] = response, again

    def repeat(self, call_id: str) -> bool:
        """Says it again, as its INVITE came again; False: there is none."""
        if call_id not in self._waiting:
            return False
        self._send(self._waiting[call_id][0])
        return True

    def acknowledged(self, call_id: str) -> bool:
        """Its ACK came; False: there is none."""
        if call_id not in self._waiting:
            return False
        self._waiting.pop(call_id)[1].stop()
        return True

    def stop(self) -> None:
        """Nothing is sent again."""
        for _, resending in self._waiting.values():
            resending.stop()
        self._waiting.clear()

    def _forget(self, call_id: str) -> None:
        self._waiting.pop(call_id, None)
