"""What a test call has found: a code, what should have been, what was, and what is to blame."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from sip.testcall.expected import ExpectedRing
from sip.testcall.plan import Cause


class Code(StrEnum):
    """What is wrong. Stable: programs and words go by it."""

    NOT_REGISTERED = "not-registered"
    "A phone of the test could not register."
    PHONE_FAILED = "phone-failed"
    "A phone of the test broke: this says nothing about the exchange."
    NOT_DIALLED = "not-dialled"
    "The caller never called."
    DID_NOT_RING = "did-not-ring"
    RANG_WRONGLY = "rang-wrongly"
    "Rang and should not have."
    STRANGER_RANG = "stranger-rang"
    "A phone rang to which nothing leads that is configured."
    RANG_AGAIN = "rang-again"
    "Rang more often than it should have."
    SENT_ON = "sent-on"
    "The phone itself has sent the call elsewhere (3xx): no setting says so, and what follows is not judged."
    WRONG_ORDER = "wrong-order"
    NOT_TOGETHER = "not-together"
    "Those that should ring at the same time did not begin together."
    TOO_EARLY = "too-early"
    TOO_LATE = "too-late"
    TOO_SHORT = "too-short"
    TOO_LONG = "too-long"
    RANG_ON = "rang-on"
    "Still rang although another had answered, or the caller had hung up."
    MISSED_CALL = "missed-call"
    "Was not told that another has answered: its list of missed calls says otherwise."
    FALSE_ELSEWHERE = "false-elsewhere"
    "Was told that another has answered, and nobody had."
    NO_WINNER = "no-winner"
    WRONG_WINNER = "wrong-winner"
    TWO_WINNERS = "two-winners"
    CALLER_NOT_CONNECTED = "caller-not-connected"
    "Somebody answered, and the caller was never told."
    ANSWERED_BY_NOBODY = "answered-by-nobody"
    "The caller was told of an answer, and no phone has given one."
    NO_RINGBACK = "no-ringback"
    "A phone rang, and the caller was not told."
    SLOW = "slow"
    "It took too long until the caller was told that it rings."
    NOT_TURNED_DOWN = "not-turned-down"
    "Nobody is left, and the caller was not told."
    WRONG_STATUS = "wrong-status"
    WRONG_NUMBER = "wrong-number"
    WRONG_NAME = "wrong-name"
    NOT_HIDDEN = "not-hidden"
    WRONG_RING = "wrong-ring"
    "Rang as for another kind of caller (Alert-Info)."
    NO_AUDIO = "no-audio"
    "Neither heard the other."
    ONE_WAY_AUDIO = "one-way-audio"
    WRONG_AUDIO = "wrong-audio"
    "Somebody was heard who does not belong to the call."
    LOSS = "loss"
    "Too much of the sound was lost."
    NOT_HUNG_UP = "not-hung-up"
    "One has hung up, and the other was not told."
    CUT_OFF = "cut-off"
    "The call ended before anybody hung up."
    CODE_REFUSED = "code-refused"
    "A code was dialled, and not taken."
    CODE_IDLE = "code-idle"
    "A code was taken, and the call went as if it had not been dialled."
    LAMP_REFUSED = "lamp-refused"
    "A phone may not watch a number of its company."
    LAMP_WRONG = "lamp-wrong"
    "A lamp shows something else than what the number does."
    LAMP_LATE = "lamp-late"
    NOT_RANDOM = "not-random"
    "Over many calls the orders are not what chance makes."


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it should be."""

    code: Code
    phone: str
    "The number of the line that it is about; empty: of no single one."
    expected: str
    "A number, name, tone, status, list of lines or seconds, as the code goes; empty: the code says it all."
    seen: str
    blames: Cause
    "The setting that was not obeyed, or the phone."


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is to be said of one test call."""

    findings: tuple[Finding, ...]
    post_dial_s: float | None = None
    "From dialling until the caller was told that it rings; None: it never was."
    order: tuple[str, ...] = ()
    "The lines in the order in which they began to ring."
    winner: str | None = None
    "Who answered."
    foretold: tuple[ExpectedRing, ...] = ()
    "The rings that there should have been, by when they begin; none where phones of the test have failed."

    @property
    def passed(self) -> bool:
        """Whether the call went as it should."""
        return not self.findings
