"""What commands ask of the living server about test calls (`provisioner.control`)."""

from __future__ import annotations

import asyncio
from dataclasses import asdict

from provisioner.centrex.actor import COMMAND_LINE
from provisioner.centrex.errors import BadValue
from provisioner.control.server import Said, Say, Verb
from provisioner.operations.hanging_up import Switchboard
from provisioner.operations.installation import Installation
from provisioner.operations.live_calls import prove_live, whom
from provisioner.operations.proof_runs import ProofRun, ask_for_run, plain_run, show_run
from provisioner.operations.proofs import Begun, ProvedCall, plain, without_messages
from provisioner.operations.test_calls import MOST_CALLS, MOST_SPEED, USUAL_SPEED, NoCallsHere, prove

_LOOK_S = 0.5
"Between two looks at how far a run is."


def test_call_verb(installation: Installation, switchboard: Switchboard) -> Verb:
    """`test-call`: `{"number": …, "customer": …, "calls": …, "speed": …, "messages": …}`.

    The last three are optional.

    Says `{"begun": …}` before each call and `{"call": …}` after it, then all of them as `{"proof": …}`, with
    the SIP messages of each where `messages` is true. With `"live": true` people's phones ring: it wants
    `"confirmed": true`, or says `{"rings": …}` and no more.
    """

    async def test(asked: Said, say: Say) -> None:
        number, customer = asked.get("number"), asked.get("customer")
        calls, speed = asked.get("calls"), asked.get("speed", USUAL_SPEED)
        with_messages = asked.get("messages", False)
        live, confirmed = asked.get("live", False), asked.get("confirmed", False)
        if not isinstance(number, str) or not isinstance(customer, str):
            raise BadValue("test-call wants number and customer as texts")
        if calls is not None and not (isinstance(calls, int) and 1 <= calls <= MOST_CALLS):
            raise BadValue(f"test-call wants calls as a number from 1 to {MOST_CALLS}")
        if not isinstance(speed, int | float) or not 1 <= speed <= MOST_SPEED:
            raise BadValue(f"test-call wants speed as a number from 1 to {MOST_SPEED}")
        if not isinstance(with_messages, bool):
            raise BadValue("test-call wants messages as true or false")
        if not isinstance(live, bool) or not isinstance(confirmed, bool):
            raise BadValue("test-call wants live and confirmed as true or false")

        async def tell(what: Begun | ProvedCall) -> None:
            if isinstance(what, Begun):
                await say({"begun": plain(what)})
            else:
                await say({"call": plain(without_messages(what))})

        if live and not confirmed:
            rings = await whom(installation, switchboard, number, customer)
            await say({"rings": [asdict(each) for each in rings]})
            return
        if live:
            proof = await prove_live(
                installation,
                switchboard,
                number,
                customer,
                tell,
                COMMAND_LINE,
                calls=calls or 1,
                confirmed=confirmed,
            )
        else:
            proof = await prove(
                installation, switchboard, number, customer, tell, COMMAND_LINE, calls=calls, speed=speed
            )
        await say({"proof": plain(proof if with_messages else without_messages(proof))})

    return test


def test_run_verb(installation: Installation, switchboard: Switchboard) -> Verb:
    """`test-run`: `{"customer": …, "speed": …}`, both optional: all numbers of a customer, or of all.

    Says `{"run": …}` whenever that is another, until it is over. It goes on where nobody listens any more.
    """

    async def test(asked: Said, say: Say) -> None:
        customer, speed = asked.get("customer"), asked.get("speed", installation.settings.test_calls.speed)
        if not isinstance(customer, str | None):
            raise BadValue("test-run wants customer as a text")
        if not isinstance(speed, int) or not 1 <= speed <= MOST_SPEED:
            raise BadValue(f"test-run wants speed as a whole number from 1 to {MOST_SPEED:g}")
        if switchboard.look is None:
            raise NoCallsHere
        run_id = await ask_for_run(installation, customer, speed, COMMAND_LINE)
        switchboard.look()
        last: ProofRun | None = None
        while last is None or not last.is_over:
            if last is not None:
                await asyncio.sleep(_LOOK_S)
            run = await show_run(installation, run_id)
            if run != last:
                await say({"run": plain_run(run)})
            last = run

    return test
