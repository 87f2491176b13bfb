"""The requests of a test phone, each until it is answered: pyVoIP has no transactions (RFC 3261 §17.1)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sip.testcall import wording
from sip.testcall.resending import LONGEST_S, Resending


@dataclass(frozen=True, slots=True)
class Response:
    """What came back, as pyVoIP has read it."""

    text: str
    status: int
    method: str
    "Of the request, as CSeq says."
    challenge: Mapping[str, str]
    "The parts of the challenge by MD5; empty: there is none."


@dataclass(slots=True)
class _Asked:
    text: str
    call_id: str
    answered: Callable[[Response], None]
    resending: Resending
    has_credentials: bool
    ack: str = ""
    "Of its final response, where it is an INVITE that has one."


class Asking:
    """All requests of one phone that wait for an answer, and INVITEs for 32 s more."""

    def __init__(self, user: str, password: str, send: Callable[[str], None]) -> None:
        self._user = user
        self._password = password
        self._send = send
        self._asked: dict[tuple[str, str], _Asked] = {}
        "By branch and method (RFC 3261 §17.1.3)."

    def ask(self, request: str, answered: Callable[[Response], None] = lambda _: None) -> None:
        """Sends a request until it is answered, for 32 s at the most: then it counts as answered with 408.

        `answered` gets its responses, but for a challenge, which is met. What ends an INVITE is acknowledged.
        """
        self._ask(request, answered, has_credentials=False)

    def _ask(self, request: str, answered: Callable[[Response], None], *, has_credentials: bool) -> None:
        key = wording.branch_of(request), request.partition(" ")[0]
        (call_id,) = wording.values(request, "Call-ID")
        resending = Resending(lambda: self._send(request), lambda: self._timeout(key))
        self._send(request)
        self._asked[key] = _Asked(request, call_id, answered, resending, has_credentials)

    def _timeout(self, key: tuple[str, str]) -> None:
        asked = self._asked.pop(key)
        # As if that were the answer (RFC 3261 §8.1.3.1).
        asked.answered(Response(asked.text, 408, key[1], {}))

    def _forget(self, key: tuple[str, str]) -> None:
        self._asked.pop(key, None)

    def cancel(self, call_id: str) -> None:
        """Takes an INVITE back that has no final response yet (RFC 3261 §9.1)."""
        for (_, method), asked in list(self._asked.items()):
            if method == "INVITE" and asked.call_id == call_id and not asked.ack:
                (to,) = wording.values(asked.text, "To")
                self.ask(wording.of_same_transaction("CANCEL", asked.text, to))

    def stop(self) -> None:
        """Nothing is sent again."""
        for asked in self._asked.values():
            asked.resending.stop()
        self._asked.clear()

    def response(self, came: Response) -> None:
        """A response of the server."""
        key = wording.branch_of(came.text), came.method
        asked = self._asked.get(key)
        if asked is None:
            return
        if asked.ack:
            self._send(asked.ack)  # The first one was lost.
            return
        if came.status >= 200 or came.method == "INVITE":
            asked.resending.stop()
        if came.status >= 200:
            if came.method == "INVITE":
                asked.ack = _ack(asked, came)
                self._send(asked.ack)
                asyncio.get_running_loop().call_later(LONGEST_S, self._forget, key)
            else:
                del self._asked[key]
        if came.status in (401, 407) and came.challenge and not asked.has_credentials:
            again = wording.with_credentials(
                asked.text, came.status, came.challenge, self._user, self._password
            )
            self._ask(again, asked.answered, has_credentials=True)
        else:
            asked.answered(came)


def _ack(asked: _Asked, came: Response) -> str:
    if came.status < 300:
        # A request of its own, which goes along the route set (RFC 3261 §13.2.2.4).
        (cseq,) = wording.values(came.text, "CSeq")
        dialog = wording.Dialog.of_caller(came.text)
        return dialog.request("ACK", int(cseq.split()[0]), wording.new_branch(wording.via_of(asked.text)))
    (to,) = wording.values(came.text, "To")
    return wording.of_same_transaction("ACK", asked.text, to)
