"""What `centralka demo` ends in: a hunt group of each strategy is called, and rings as it is configured."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from pathlib import Path

from provisioner.centrex.errors import CentralkaError
from provisioner.control.client import ask
from provisioner.operations.proofs import Proof, ProvedCall, Rung, proof_of

_CUSTOMER = "nowyklienttestowy"
_NUMBERS = {
    **dict.fromkeys(("101", "102", "103", "104", "105"), "an extension"),
    "600": "in order",
    "601": "all at once",
    "602": "at random",
    "603": "the least used first",
}
"Of the sample company: the extensions of all phones, and a group of each strategy."

Expect = Callable[[bool, str], None]


async def show_test_calls(data_dir: Path, expect: Expect) -> None:
    """Asks the living server, as `centralka test-call` does."""
    proofs = await asyncio.gather(*(_proof(data_dir, number) for number in _NUMBERS))
    for (number, how), proof in zip(_NUMBERS.items(), proofs, strict=True):
        if isinstance(proof, Proof):
            for call in proof.calls:
                expect(call.passed, f"{number} ({how}): {_story(call)}")
        else:
            expect(False, f"{number} ({how}): {proof}")


async def _proof(data_dir: Path, number: str) -> Proof | CentralkaError:
    question = {"number": number, "customer": _CUSTOMER, "calls": 1}
    try:
        async with aclosing(ask(data_dir, "test-call", question)) as told:
            async for said in told:
                if "proof" in said:
                    return proof_of(said["proof"])
    except CentralkaError as error:
        return error
    raise AssertionError("the last thing that is said is the proof")


def _story(call: ProvedCall) -> str:
    rang = ", ".join(map(_rang, call.rung)) or "nobody rang"
    faults = ", ".join(finding.code for finding in call.findings)
    return f"{rang}; " + (f"wrong: {faults}" if faults else f"as configured, {call.answered_by} talks")


def _rang(rung: Rung) -> str:
    until = "on" if rung.until_s is None else f"to {rung.until_s:.1f} s"
    return f"{rung.extension or rung.line} rang from {rung.invited_s:.1f} {until}"
