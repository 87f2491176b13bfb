"""Calls as the engine tells of them, without the engine."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID, uuid4

from sip.call.ringing import Caller, Ending, Membership, Outcome, Target, Why
from sip.call.story import CallAnswered, CallBegan, CallEnded, EndedBy, LegBegan, LegEnded, LegRang, Tell
from sip.dialog import DialogId

RECEPTION, ANNA, SALES, MEETING, STORE = (
    *("48223809887", "48223809986", "48223809880"),
    *("48223809882", "48223809883"),
)
"Lines of the sample company: the extensions 101 to 105."
EXTENSIONS = {RECEPTION: "101", ANNA: "102", SALES: "103", MEETING: "104", STORE: "105"}

OWN = Caller("101", "Recepcja")


@dataclass
class Story:
    """One call, told as it happens: its clock is moved by the test."""

    tell: Tell
    now: float = 1000.0
    id: UUID = field(default_factory=uuid4)
    legs: dict[str, UUID] = field(default_factory=dict)
    "By line."

    def begins(self, line: str = RECEPTION, dialled: str = "600") -> Story:
        self.tell(CallBegan(self.id, line, dialled, f"{self.id}@phone", self.now))
        return self

    def tries(self, line: str, *groups: str, phones: int = 1, caller: Caller = OWN) -> Story:
        number = EXTENSIONS.get(line, "")
        target = Target(line, caller, number, tuple(Membership(each, number) for each in groups))
        self.legs[line] = uuid4()
        self.tell(LegBegan(self.id, self.legs[line], target, phones, self.now))
        return self

    def rings(
        self, line: str, *groups: str, caller: Caller = OWN, dialog: DialogId | None = None
    ) -> Story:
        self.tries(line, *groups, caller=caller)
        self.tell(LegRang(self.id, self.legs[line], self.now, dialog))
        return self

    def after(self, seconds: float) -> Story:
        self.now += seconds
        return self

    def stops(self, line: str, why: Why | Outcome = Why.NO_ANSWER, status: int | None = None) -> Story:
        reason = why if isinstance(why, Why) else Ending(why, status)
        self.tell(LegEnded(self.id, self.legs[line], reason, self.now))
        return self

    def answers(self, line: str) -> Story:
        self.tell(CallAnswered(self.id, self.legs[line], self.now))
        return self

    def ends(self, by: EndedBy = EndedBy.CALLER, status: int = 200) -> Story:
        self.tell(CallEnded(self.id, by, status, self.now))
        return self
