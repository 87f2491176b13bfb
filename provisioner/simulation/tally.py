"""What has happened so far, in bounded memory."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from provisioner.simulation.causes import ADVICE, Cause
from provisioner.simulation.spread import Percentiles, Spread
from provisioner.virtual_phones.booting import Boot
from sip.handset.talk import CallEnd

_NAMED = 5
"Phones that a failure names."
_MOST_KINDS = 100
_BUSY = frozenset({486, 600, 603})


@dataclass(frozen=True, slots=True)
class Failed:
    """The same, as it is reported."""

    cause: Cause
    detail: str
    times: int
    phones: tuple[str, ...]
    "Whose, the first of them."
    advice: str


@dataclass(slots=True)
class Failure:
    """Something that went wrong, as often as it did."""

    cause: Cause
    detail: str
    times: int = 0
    phones: list[str] = field(default_factory=list)
    "Whose, the first of them."

    def reported(self) -> Failed:
        """As it is at the end."""
        return Failed(self.cause, self.detail, self.times, tuple(self.phones), ADVICE[self.cause])


@dataclass(slots=True)
class Tally:
    """Of one simulation."""

    powered_on: int = 0
    up: int = 0
    "Phones that have been registered on all their accounts."
    up_after: Spread = field(default_factory=Spread)
    "Seconds from the plug to that."
    requests: Counter[int] = field(default_factory=Counter)
    "Requests for files, by status; 0: no answer."
    bytes: int = 0
    registered: int = 0
    "REGISTERs that were granted, refreshes among them."
    subscribed: int = 0
    calls: int = 0
    talked: int = 0
    refused: int = 0
    "Turned down, or somebody was engaged."
    unanswered: int = 0
    failed: int = 0
    cut_short: int = 0
    "Ended because all is over."
    is_over: bool = False
    rang_after: Spread = field(default_factory=Spread)
    "Seconds from the INVITE until the caller hears that it rings."
    fetched_again: int = 0
    "Because of a check-sync."
    failures: dict[tuple[Cause, str], Failure] = field(default_factory=dict)

    def fails(self, cause: Cause, detail: str, mac: str) -> None:
        """Something went wrong with a phone."""
        if len(self.failures) >= _MOST_KINDS:
            detail = "others"
        failure = self.failures.setdefault((cause, detail), Failure(cause, detail))
        failure.times += 1
        if mac not in failure.phones and len(failure.phones) < _NAMED:
            failure.phones.append(mac)

    def boots(self, boot: Boot) -> None:
        """A phone has asked for its files."""
        for asked in boot.asked:
            self.requests[asked.status or 0] += 1
            self.bytes += asked.size

    def called(self, end: CallEnd, mac: str, *, to_group: bool) -> None:
        """A call that a phone has made is over. Of a group everybody may be engaged, and nobody rings."""
        if end.rang_after_s is not None:
            self.rang_after.add(end.rang_after_s)
        if self.is_over:
            self.cut_short += 1
        elif end.is_lost:
            self.failed += 1
            self.fails(Cause.CALL_LOST, "", mac)
        elif end.status == 200:
            self.talked += 1
        elif end.status in _BUSY:
            self.refused += 1
        elif end.status in (480, 487) and (to_group or end.rang_after_s is not None):
            self.unanswered += 1
        else:
            self.failed += 1
            cause = Cause.CALL_NOT_ANSWERED if end.status == 408 else Cause.CALL_FAILED
            self.fails(cause, str(end.status), mac)


@dataclass(frozen=True, slots=True)
class Report:
    """What came of it; times in seconds."""

    phones: int
    powered_on: int
    up: int
    up_after_s: Percentiles | None
    never_up: tuple[str, ...]
    "The first of them."
    requests: dict[str, int]
    "Requests for files, by status."
    bytes: int
    fetched_again: int
    registered: int
    registered_per_s: float
    "While the phones came up."
    subscribed: int
    calls: int
    talked: int
    refused: int
    unanswered: int
    failed: int
    cut_short: int
    "Calls that were ended because it was over."
    post_dial_s: Percentiles | None
    failures: tuple[Failed, ...]
    lasted_s: float
    own_cpu_s: float
    server_cpu_s: float | None
    "None: it can't be told."
    interrupted: bool

    @property
    def passed(self) -> bool:
        """Whether every phone came up and no call failed."""
        return self.up == self.phones and not self.failed
