"""A call that a phone makes (RFC 3261 §13.2)."""

from __future__ import annotations

from collections.abc import Iterable, MutableMapping
from dataclasses import dataclass
from typing import Protocol

from sip.call.board import LegKey
from sip.call.invitation import Invitation
from sip.call.session import SDP
from sip.call.wire import Wire
from sip.dialog import Dialog
from sip.errors import SipError
from sip.handset.audio import Audio
from sip.handset.talk import Ended, Talk
from sip.message.address import Contact
from sip.message.message import Request, Response
from sip.message.values import CSeq
from sip.transport.flow import Flow

_LOGINS = 2
"How often a call may be asked who makes it: once, and once more where what was known had grown old."
_ASKS = {401: ("WWW-Authenticate", "Authorization"), 407: ("Proxy-Authenticate", "Proxy-Authorization")}


class Login(Protocol):
    """How a line says who it is (§22)."""

    def asked(self, challenges: Iterable[str]) -> bool:
        """Takes to heart what a server asks with; False: it can't be answered."""

    def say(self, method: str, uri: str) -> str | None:
        """The credentials of the next request; None: nobody has asked yet."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How a caller behaves."""

    rings_s: float
    "Who has not answered by then is not waited for."
    talks_s: float
    "When the caller hangs up, unless the other side does."


class Caller(Talk):
    """From its INVITE on."""

    def __init__(
        self,
        wire: Wire,
        talks: MutableMapping[LegKey, Talk],
        flow: Flow,
        contact: Contact,
        audio: Audio,
        invite: Request,
        login: Login,
        patience: Patience,
        ended: Ended,
    ) -> None:
        """`invite` says who calls whom, under which Call-ID and tag; the rest is put in here."""
        key = (invite.call_id, invite.from_.tag or "")
        super().__init__(wire, talks, key, flow, contact, audio, ended)
        self._login = login
        self._patience = patience
        self._logins = 0
        self._has_given_up = False
        self._say_who(invite)
        invite.content_type, invite.body = SDP, audio.offer()
        self._say_login(invite, "Authorization")
        self._invitation = Invitation(wire, invite, flow, self._heard)
        self._gives_up = wire.alarm(patience.rings_s, self._give_up)

    def leave(self) -> None:
        if self._answered_at is None:
            self._give_up()
        else:
            self._hang_up()

    def _give_up(self) -> None:
        self._has_given_up = True
        self._gives_up.cancel()
        self._invitation.cancel()

    def _heard(self, response: Response) -> None:
        if response.status < 200:
            if response.status >= 180 and self._rang_at is None:
                self._rang_at = self._wire.now
        elif response.status < 300:
            self._is_answered(response)
        elif not self._logs_in(response):
            self._gives_up.cancel()
            self._tell(487 if self._has_given_up else response.status)
            self._forget()

    def _logs_in(self, response: Response) -> bool:
        """Asks again with credentials, if that is what is wanted."""
        said, says = _ASKS.get(response.status, ("", ""))
        if not said or self._has_given_up or self._logins == _LOGINS:
            return False
        if not self._login.asked(response.headers.all(said)):
            return False
        self._logins += 1
        before = self._invitation.request
        without = [name for name, _ in before.headers if not name.endswith("Authorization")]
        invite = Request("INVITE", before.uri, before.headers.copy(*dict.fromkeys(without)), before.body)
        invite.cseq = CSeq(before.cseq.number + 1, "INVITE")
        self._say_login(invite, says)
        self._invitation = Invitation(self._wire, invite, self._flow, self._heard)
        return True

    def _say_login(self, invite: Request, header: str) -> None:
        answer = self._login.say("INVITE", str(invite.uri))
        if answer is not None:
            invite.headers.add(header, answer)

    def _is_answered(self, response: Response) -> None:
        self._gives_up.cancel()
        try:
            dialog = Dialog.as_client(self._invitation.request, response)
        except SipError:
            self._tell(502)
            self._forget()
            return
        if self.dialog is not None:
            self._invitation.hang_up_on(dialog)
            return
        self.dialog = dialog
        self._invitation.acknowledge(dialog, self._flow)
        self._answered_at = self._wire.now
        self._wire.alarm(self._patience.talks_s, self._hang_up)
