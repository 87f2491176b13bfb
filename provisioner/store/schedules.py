"""The row of when a customer's numbers are tested, as the domain has it, and back."""

from __future__ import annotations

from dataclasses import asdict

from db.schema import ProofScheduleRow
from provisioner.centrex.customer import ProofSchedule

_AS_WITH_ALL = ProofSchedule()


def proof_schedule_of(row: ProofScheduleRow | None) -> ProofSchedule:
    """What a customer has otherwise than all; without a row nothing."""
    return _AS_WITH_ALL if row is None else ProofSchedule(row.nightly, row.after_changes, row.window)


def proof_schedule_row(there: ProofScheduleRow | None, said: ProofSchedule) -> ProofScheduleRow | None:
    """The row that says it, `there` if it is any; None: none is needed."""
    if said == _AS_WITH_ALL:
        return None
    row = there or ProofScheduleRow()
    for name, value in asdict(said).items():
        setattr(row, name, value)
    return row
