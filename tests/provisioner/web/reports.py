"""What came of test calls of a sample group, as configured and not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from provisioner.centrex.customer import HuntGroup, HuntStrategy, Member
from provisioner.centrex.exchange import Exchange
from provisioner.centrex.trial_caller import with_caller
from provisioner.operations.proofs import Proof, proved
from provisioner.operations.trials import trials
from sip.testcall.observed import Observation
from tests.provisioner.operations.witnesses import witnessed
from tests.provisioner.pbx.switchboards import exchange

Change = Callable[[Sequence[Observation]], Sequence[Observation]]


def switchboard(name: str = "Sprzedaż", *, ring_time: int = 10, delay: int = 3) -> Exchange:
    """A group in order, with another one in it that rings all at once."""
    together = (Member("103"), Member("104", ring_delay=delay))
    in_order = (Member("101", ring_time=ring_time), Member("102"), Member(group="601"))
    groups = (
        HuntGroup("600", name, members=in_order),
        HuntGroup("601", "Biuro", HuntStrategy.SIMULTANEOUS, members=together),
    )
    return with_caller(exchange(*groups), ())


def proof(here: Exchange, there: Exchange, change: Change = tuple) -> Proof:
    """Test calls of 600, where `here` is configured and `there` carried out."""
    at = datetime(2026, 11, 23, 15, tzinfo=UTC)
    calls = [
        proved(scenario, change(witnessed(there, scenario, place)), at)
        for place, scenario in enumerate(trials(here, "600"))
    ]
    return Proof("firma", "600", 1.0, tuple(calls))
