"""Proofs, without a test call."""

from __future__ import annotations

from datetime import UTC, datetime

from provisioner.operations.proofs import Proof, ProvedCall, Rung
from sip.testcall.findings import Code, Finding
from sip.testcall.plan import Cause, Setting
from sip.testcall.scenario import Kind

AT = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
FINDING = Finding(Code.WRONG_ORDER, "48223809887", "103", "101", Cause(Setting.STRATEGY, "600"))


def proof(number: str = "600", *findings: Finding, customer: str = "nowyklienttestowy") -> Proof:
    """One call, in which these were found."""
    call = ProvedCall(
        at=AT,
        scenario=Kind.FIRST_ANSWERS,
        dialled=number,
        caller="996",
        passed=not findings,
        rung=(Rung("48223809887", "101", "Recepcja", 0.01, 1.02, "answered", "996", "Test"),),
        winner="48223809887",
        answered_by="101",
        status=None,
        post_dial_s=0.02,
        findings=findings,
        phones=(),
        foretold=(),
        talk=None,
        drawn=None,
    )
    return Proof(customer, number, 4.0, (call,))
