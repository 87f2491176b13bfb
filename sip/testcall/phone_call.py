"""One call of a test phone: pyVoIP's, and what a dialog needs besides."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sip.testcall import wording
from sip.testcall.media import Media
from sip.testcall.observed import (
    Answered,
    By,
    Ended,
    GaveUp,
    Heard,
    Progressed,
    Refused,
    StoppedRinging,
    TurnedDown,
)
from sip.testcall.pyvoip import SIP, CallState, VoIPCall
from sip.testcall.resending import Resending
from sip.testcall.tones import Tone

if TYPE_CHECKING:
    from sip.testcall.phone import Phone


class PhoneCall(VoIPCall):
    """One call of a phone, which knows its dialog."""

    phone: Phone
    dialog: wording.Dialog | None = None
    cseq = 0
    "Of our last request within the dialog."
    has_progressed = is_given_up = False
    resending: Resending | None = None
    "Of the 200 that is not acknowledged yet."
    said = ""
    "Our last response to its INVITE: said again when that comes again."
    answered_at = 0.0

    def create_rtp_clients(
        self, codecs: dict[int, Any], ip: str, port: int, request: SIP.SIPMessage, baseport: int
    ) -> None:
        """Base: clients of its own kind, which choose a port without knowing whether it is free."""
        media = Media(codecs, ip, port, request.body["c"][0]["address"], baseport, self.sendmode)
        if (opened := self.phone.ports.pop(port, None)) is not None:
            media.set_up(opened, self.phone.hz, self._heard)
            self.RTPClients.append(media)

    def _heard(self, tone: Tone) -> None:
        self.phone.saw(Heard, time.monotonic(), self.call_id, tone.hz, tone.level_db)

    @property
    def rings(self) -> bool:
        """Whether it can still be answered or refused."""
        return bool(self.state is CallState.RINGING)

    def answer(self) -> None:
        """Base: an answer that is lost is never sent again."""
        super().answer()
        self.answered_at = time.monotonic()
        tag = self.phone.sip.tagLibrary[self.call_id]
        self.dialog = wording.Dialog.of_callee(self.request.text, tag)
        self.resending = Resending(lambda: self.phone.sip.send(self.said), self._is_not_acknowledged)

    def _is_not_acknowledged(self) -> None:
        self.phone.broke("its answer was never acknowledged")
        self.hangup()

    def acknowledged(self) -> None:
        """The ACK came."""
        if self.resending is not None:
            self.resending.stop()
            self.resending = None
            self.phone.saw(Answered, self.answered_at, self.call_id)

    def refuse(self, status: int) -> None:
        """Base: `deny` can only be busy, and fails before audio has started."""
        self.phone.sip.refuse(self.request, status)
        self.phone.saw(Refused, time.monotonic(), self.call_id, status)
        self.close()

    def cancelled(self, reasons: Sequence[str]) -> None:
        """Base: a call that is cancelled rings on, and its INVITE gets no final response (RFC 3261 §9.2)."""
        self.phone.sip.refuse(self.request, 487)
        self.phone.saw(StoppedRinging, self.phone.sip.now, self.call_id, ", ".join(reasons))
        self.close()

    def hangup(self) -> None:
        """Base: BYE goes to the wrong place, without the route set; and before an answer there is none."""
        if self.state is CallState.ANSWERED and self.dialog is not None:
            self.cseq += 1
            self.phone.sip.asking.ask(self.dialog.request("BYE", self.cseq, self.phone.sip.via()))
            self.over(By.ITSELF)
        elif self.state is CallState.DIALING and not self.is_given_up:
            self.is_given_up = True
            self.phone.saw(GaveUp, time.monotonic())
            if self.has_progressed:
                self.phone.sip.asking.cancel(self.call_id)

    def over(self, by: By) -> None:
        """Its conversation has ended."""
        came = [each.audio.reception for each in self.RTPClients]
        self.phone.saw(
            Ended,
            time.monotonic(),
            self.call_id,
            by,
            sum(each.packets for each in came),
            sum(each.lost for each in came),
            round(max((each.jitter_s for each in came), default=0.0), 4),
        )
        self.close()

    def close(self) -> None:
        """Lets go of all that it has."""
        if self.resending is not None:
            self.resending.stop()
        for media in self.RTPClients:
            media.stop()
        for port in self.assignedPorts:
            if (kept := self.phone.ports.pop(port, None)) is not None:
                kept.close()
        self.state = CallState.ENDED
        self.phone.calls.pop(self.call_id, None)
        self.phone.sip.tagLibrary.pop(self.call_id, None)

    def progressed(self, status: int) -> None:
        """A provisional response came. Only now may a CANCEL be sent (RFC 3261 §9.1)."""
        if self.is_given_up and not self.has_progressed:
            self.phone.sip.asking.cancel(self.call_id)
        self.has_progressed = True
        if status != 100:
            self.phone.saw(Progressed, self.phone.sip.now, status)

    def answered(self, request: SIP.SIPMessage) -> None:
        """Base: goes on talking where the answer has crossed its CANCEL; fails where it brings no audio, or
        none that the phone has offered, and sends audio also where it was refused.
        """
        request.body["m"] = [each for each in request.body.get("m", ()) if self._is_agreed(each)]
        super().answered(request)
        self.dialog = wording.Dialog.of_caller(request.text)
        self.cseq = int(request.headers["CSeq"]["check"])
        self.phone.saw(Answered, self.phone.sip.now, self.call_id)
        if self.is_given_up:
            self.hangup()

    def _is_agreed(self, media: dict[str, Any]) -> bool:
        """Whether a stream of an answer was taken (RFC 3264 §6); its formats are then the ones in common."""
        offered = {str(each) for each in self.ms[self.port]}
        media["methods"] = [each for each in media["methods"] if each in offered]
        return bool(media["port"] and media["methods"])

    def turned_down(self, status: int) -> None:
        """Base: of all refusals it knows two (404 and 503), and dials on after the others."""
        self.phone.saw(TurnedDown, self.phone.sip.now, status)
        self.close()
