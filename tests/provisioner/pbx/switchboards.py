"""Switchboards to route calls in, without a database."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from uuid import UUID

from provisioner.centrex.customer import Extension, Forwarding, Forwardings, HuntGroup, Line, Member
from provisioner.centrex.exchange import Exchange
from provisioner.centrex.numbering import POLISH_EMERGENCY_NUMBERS
from provisioner.pbx.engaged import Engaged
from provisioner.pbx.room import Surroundings
from provisioner.pbx.routing import Routing
from sip.message.uri import SipUri, TelUri, Uri
from tests.provisioner.pbx.story import Story
from tests.sip.call.ringing import Played, Script, play

NAMES = {"101": "Recepcja", "102": "Biuro", "103": "Magazyn", "104": "Prezes", "105": "Serwis"}


def line_of(extension: str, company: str = "4822000") -> str:
    return f"{company}{extension}"


def seeded(seed: int) -> Random:
    """Chance that is the same in every run."""
    return Random(seed)  # noqa: S311


def to(number: str, *, after: int = 20, enabled: bool = True) -> Forwarding:
    return Forwarding(number, enabled, after)


def group(number: str, *members: str | Member, **said: object) -> HuntGroup:
    made = tuple(each if isinstance(each, Member) else Member(each, ring_time=15) for each in members)
    return HuntGroup(number, f"Grupa {number}", members=made, **said)  # type: ignore[arg-type]


def exchange(
    *groups: HuntGroup,
    forwarding: dict[str, Forwardings] | None = None,
    dnd: tuple[str, ...] = (),
    no_waiting: tuple[str, ...] = (),
    customer_id: int = 1,
    company: str = "4822000",
    at: tuple[str, ...] = (),
    **more: object,
) -> Exchange:
    """Extensions 101 to 105, each with a line, and what is said beside that by extension.

    Those `at` the site are at one that is called Hala.
    """
    lines = {
        line_of(number, company): Line(
            line_of(number, company),
            "telefonia-ip-plus",
            site="Hala" if number in at else None,
            forwarding=(forwarding or {}).get(number, Forwardings()),
            dnd=number in dnd,
            call_waiting=number not in no_waiting,
        )
        for number in NAMES
    }
    extensions = {number: Extension(number, line_of(number, company), name) for number, name in NAMES.items()}
    return Exchange(
        customer_id,
        f"firma{customer_id}",
        lines,
        extensions,
        {each.number: each for each in groups},
        extension_of={line_of(number, company): number for number in NAMES},
        **more,  # type: ignore[arg-type]
    )


@dataclass
class Office:
    """A switchboard, what is so beside it, and calls in it. Who is not said to be out is registered."""

    exchange: Exchange
    others: tuple[Exchange, ...] = ()
    out: set[str] = field(default_factory=set)
    "Extensions that are not registered."
    calls: dict[str, int] = field(default_factory=dict)
    "In how many calls an extension is."
    answered: dict[tuple[str, str], float] = field(default_factory=dict)
    random: Random = field(default_factory=lambda: seeded(7))
    gateway: SipUri | None = None
    engaged: Engaged = field(default_factory=Engaged)
    "Calls beside these; is to be told of them."

    def routing(
        self,
        caller: str = "105",
        *,
        is_hidden: bool = False,
        is_transfer: bool = False,
        call: UUID | None = None,
    ) -> Routing:
        own = () if call is None else (call,)
        around = Surroundings(
            elsewhere=lambda number: next((each for each in self.others if number in each.lines), None),
            is_registered=lambda line: line not in {line_of(number) for number in self.out},
            calls_among=lambda lines: self.engaged.calls_among(lines, own),
            calls_of=lambda line: self.calls.get(line[-3:], 0) + self.engaged.calls_of(line, own),
            last_answered=lambda group, line: self.answered.get((group, line)),
            line_of=_number,
            random=self.random,
            emergency_numbers=POLISH_EMERGENCY_NUMBERS,
            emergency_gateway=self.gateway,
        )
        return Routing(self.exchange, line_of(caller), around, is_hidden, is_transfer)

    def in_call(self, caller: str, callee: str) -> Office:
        """The same, where these two talk."""
        line = line_of(callee)
        Story(self.engaged.hear).begins(line_of(caller), callee).rings(line).answers(line)
        return self

    def call(
        self, dialled: str, caller: str = "105", scripts: dict[str, Script] | None = None, **said: bool
    ) -> Played:
        """A call, to its end. `scripts`: what the phones of extensions do; the others ring on."""
        by_line = {line_of(number): script for number, script in (scripts or {}).items()}
        return play(self.routing(caller, **said).to(dialled), by_line)


def _number(uri: Uri) -> str | None:
    if isinstance(uri, TelUri):
        return uri.digits
    return uri.user if isinstance(uri, SipUri) and uri.host == "pbx" else None


def rang(played: Played) -> list[str]:
    """The extensions that rang, in order."""
    return [aor[-3:] for aor in played.rang]


def when(played: Played) -> list[tuple[float, str]]:
    return [(at, aor[-3:]) for at, aor in played.times]
