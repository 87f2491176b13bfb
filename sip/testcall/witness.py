"""What real phones do in one call of the exchange, by what they and it say to each other.

The exchange tells which dialogs belong to the call. Everything else, and when it was, is what was on the
wire: whatever the exchange believes, a phone has rung that said so, and none has that never answered its
INVITE.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

from sip.call.story import CallAnswered, CallBegan, CallEnded, Event, LegBegan
from sip.message.message import Request, Response
from sip.message.parser import AnyMessage
from sip.testcall import wording
from sip.testcall.observed import Answered, By, Ended, Observation, Rang, Refused, StoppedRinging
from sip.testcall.spoken import Spoken, kept

_CALL_ID = re.compile(rb"(?im)^Call-ID[ \t]*:[ \t]*(\S+)")
_DECLINED = (603, 607)
"Whoever says that at one phone of a line says it for all (RFC 3261 §16.7)."
_TOO_BRIEF = 422
"Not yet an answer: it is asked again (RFC 4028 §7.3)."
_MOST_SPOKEN = 1_000
"Messages that are kept."
_WEIGHT = (486, 600)
"Of the refusals of a line's phones these say most."


@dataclass(slots=True)
class _Phone:
    """One phone of a line, from its INVITE on."""

    reasons: str | None = None
    "Those of its CANCEL; None: it was sent none."
    is_over: bool = False
    "It rings no longer."
    refused: int | None = None
    answered_at: float | None = None


@dataclass(slots=True)
class _Ring:
    """All phones of a line that are rung together."""

    leg: UUID
    line: str
    phones: dict[str, _Phone]
    "By Call-ID."
    invited_at: float | None = None
    invite: str = ""
    is_heard: bool = False
    "A phone has answered its INVITE, if only by 100."
    has_rung: bool = False
    has_answered: bool = False
    is_told: bool = False
    "How it ended."

    @property
    def call(self) -> str:
        return str(self.leg)


@dataclass(slots=True)
class Witness:
    """Of one call, which `caller` makes."""

    caller: str
    "Its line."
    now: Callable[[], float] = time.monotonic
    seen: list[Observation] = field(default_factory=list)
    spoken: list[Spoken] = field(default_factory=list)
    "The messages of its phones, but for what would let somebody in."
    picked_up_by: str | None = None
    "Somebody who was not rung has taken the call."
    is_over: bool = False
    _call: UUID | None = None
    _rings: list[_Ring] = field(default_factory=list)
    _by_call_id: dict[str, _Ring] = field(default_factory=dict)

    @property
    def call(self) -> UUID | None:
        """The call, once it has begun."""
        return self._call

    @property
    def dead(self) -> frozenset[str]:
        """Lines that were asked, and no phone of which has said a word."""
        asked = {ring.line for ring in self._rings if ring.invited_at is not None and not ring.is_heard}
        return frozenset(asked - {ring.line for ring in self._rings if ring.is_heard})

    # What the exchange tells

    def hear(self, event: Event) -> None:
        """Something has happened to a call."""
        match event:
            case CallBegan(call=call, aor=aor) if aor == self.caller:
                self._call = call
            case LegBegan(call=call, leg=leg, target=target, phones=phones) if call == self._call:
                ring = _Ring(leg, target.aor, {each: _Phone() for each in event.call_ids})
                self._by_call_id |= dict.fromkeys(event.call_ids, ring)
                if phones:
                    self._rings.append(ring)
            case CallAnswered(call=call, leg=leg) if call == self._call:
                self.picked_up_by = next(
                    (ring.line for ring in self._rings if ring.leg == leg and not ring.phones), None
                )
            case CallEnded(call=call) if call == self._call:
                self.is_over = True

    # What is on the wire

    def sent(self, data: bytes) -> None:
        """The exchange has sent a message."""
        found = _CALL_ID.search(data)
        call_id = "" if found is None else found[1].decode(errors="replace")
        ring = self._by_call_id.get(call_id)
        if ring is None:
            return
        text = data.decode(errors="replace")
        self._note(ring, text, came=True)
        method, phone = text.partition(" ")[0], ring.phones[call_id]
        if method == "INVITE" and ring.invited_at is None:
            ring.invited_at, ring.invite = self.now(), text
        elif method == "CANCEL" and phone.reasons is None:
            phone.reasons = ", ".join(wording.values(text, "Reason"))
        elif method == "ACK" and phone.answered_at is not None and not ring.has_answered:
            ring.has_answered = ring.is_told = True
            self.seen.append(Answered(ring.line, phone.answered_at, ring.call))

    def came(self, message: AnyMessage) -> None:
        """A phone has sent one."""
        ring = self._by_call_id.get(message.call_id)
        if ring is None:
            return
        phone = ring.phones[message.call_id]
        self._note(ring, bytes(message).decode(errors="replace"), came=False)
        if isinstance(message, Request):
            if message.method == "BYE":
                self._ended(ring, phone, By.ITSELF)
        elif message.cseq.method == "INVITE" and phone.answered_at is None:
            self._answers(ring, phone, message)
        elif message.cseq.method == "CANCEL":
            self._stops(ring, phone)
        elif message.cseq.method == "BYE":
            self._ended(ring, phone, By.OTHER)

    def _note(self, ring: _Ring, text: str, *, came: bool) -> None:
        shown = kept(text)
        if shown is not None and len(self.spoken) < _MOST_SPOKEN:
            self.spoken.append(Spoken(ring.line, self.now(), came, shown))

    def _answers(self, ring: _Ring, phone: _Phone, response: Response) -> None:
        status = response.status
        ring.is_heard = True
        if status in (100, _TOO_BRIEF):
            return
        self._rang(ring)
        if 200 <= status < 300:
            phone.answered_at = self.now()
        elif status >= 300 and phone.reasons is not None:
            self._stops(ring, phone)
        elif status >= 300:
            phone.refused, phone.is_over = status, True
            self._is_left(ring)

    def _rang(self, ring: _Ring) -> None:
        if ring.has_rung or ring.invited_at is None:
            return
        ring.has_rung = True
        alert = ", ".join(wording.values(ring.invite, "Alert-Info"))
        displays = wording.displays(ring.invite)
        # Since when it was asked to: how long phones take to say so is their own business.
        self.seen.append(Rang(ring.line, ring.invited_at, ring.call, displays, alert))

    def _stops(self, ring: _Ring, phone: _Phone) -> None:
        """It has heard that it is to ring no longer."""
        if phone.answered_at is None:
            phone.is_over = True
            self._is_left(ring)

    def _is_left(self, ring: _Ring) -> None:
        """Tells how a line has stopped ringing, once no phone of it rings."""
        if ring.is_told or not ring.has_rung:
            return
        refusals = [each.refused for each in ring.phones.values() if each.refused is not None]
        declined = next((each for each in refusals if each in _DECLINED), None)
        if declined is None and not all(each.is_over for each in ring.phones.values()):
            return
        ring.is_told = True
        cancelled = next((each.reasons for each in ring.phones.values() if each.reasons is not None), None)
        if declined is not None or cancelled is None:
            status = declined or next((each for each in refusals if each in _WEIGHT), refusals[-1])
            self.seen.append(Refused(ring.line, self.now(), ring.call, status))
        else:
            self.seen.append(StoppedRinging(ring.line, self.now(), ring.call, cancelled))

    def _ended(self, ring: _Ring, phone: _Phone, by: By) -> None:
        if phone.answered_at is not None and not phone.is_over:
            phone.is_over = True
            self.seen.append(Ended(ring.line, self.now(), ring.call, by))
