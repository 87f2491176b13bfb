"""What phones do with a call that they are in, or that is about to be theirs."""

from __future__ import annotations

import asyncio

from tests.e2e.features.stage import (
    Stage,
    answers,
    hear_each_other,
    hung_up,
    named,
    rings_alone,
    turned_down,
)
from tests.e2e.softphones import scenes, sipp
from tests.e2e.softphones.loopback import free
from tests.e2e.tones import hears


async def phones_of_two_makers_hear_each_other(stage: Stage) -> None:
    """Whichever of them calls, and whichever hangs up."""
    for caller, callee, ends in (
        ("104", "102", "102"),
        ("102", "104", "102"),
        ("104", "103", "104"),
        ("102", "101", "101"),
    ):
        await stage[caller].dials(callee)
        await rings_alone(stage, callee, shows=named(caller))
        await answers(stage, callee, caller)
        await hung_up(stage, ends, caller, callee)


async def a_caller_gives_up_and_a_callee_turns_down(stage: Stage) -> None:
    """Either way neither has a call any more."""
    for callee in ("102", "103"):
        await stage["104"].dials(callee)
        await rings_alone(stage, callee, shows=named("104"))
        await hung_up(stage, "104", callee)
        await turned_down(stage, "104", callee, callee)


async def a_phone_is_put_on_hold_and_heard_again(stage: Stage) -> None:
    """linphones: baresip has nothing in its file of what it hears after it was on hold."""
    alice, bob = stage.linphone("101"), stage.linphone("102")
    await alice.dials("102")
    await rings_alone(stage, "102", shows=named("101"))
    await answers(stage, "102", "101")
    await alice.holds()
    await bob.is_held()
    await asyncio.gather(alice.resumes(), bob.talks())
    await hear_each_other(stage, "101", "102")
    await hung_up(stage, "101", "102")


async def a_call_is_passed_on(stage: Stage) -> None:
    """To a number, without asking there."""
    await stage["104"].dials("103")
    await rings_alone(stage, "103", shows=named("104"))
    await answers(stage, "103", "104")
    assert (await stage.baresip("103").command("transfer", "102"))["ok"]
    await rings_alone(stage, "102", "101", shows=named("104"))
    await stage["102"].accepts()
    await stage["102"].talks()
    await hear_each_other(stage, "102", "104")
    await stage["103"].is_hung_up()
    await hung_up(stage, "102", "104")


async def a_call_is_passed_on_to_who_was_asked_first(stage: Stage) -> None:
    """Who passes it on has talked to both."""
    passing = stage.linphone("102")
    await stage["101"].dials("102")
    await rings_alone(stage, "102", shows=named("101"))
    # Before all have acknowledged it is too early to ask for anything, and linphone asks only once.
    await answers(stage, "102", "101")
    await passing.holds()
    await passing.dials("103")
    await rings_alone(stage, "103", "104", shows=named("102"))
    await answers(stage, "103", "102")
    passing.passes_first_to_second()
    await hear_each_other(stage, "103", "101")
    await passing.is_hung_up()
    await hung_up(stage, "103", "101")


async def a_third_maker_calls_and_its_sound_comes_and_goes(stage: Stage) -> None:
    """sipp holds each message against what it expects, and sends back what it hears."""
    device = stage.devices["106"]
    account, listens = await stage.served.account(device), free(stage.served.host(device))
    sound = free(listens.host).port
    caller = scenes.Caller(account, "104")
    steps = (
        *caller.begins("INVITE", body=scenes.session(sound)),
        scenes.may_get(100),
        scenes.waits_for(180),
        scenes.waits_for(200, is_first=True),
        caller.says("ACK", 2),
        scenes.gets("BYE"),
        scenes.answers("200 OK"),
    )
    trusted = stage.served.certificate.chain
    playing = sipp.plays(steps, "caller", account, stage.folder, listens, trusted=trusted, echoes_at=sound)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(playing)
        await rings_alone(stage, "104", shows=named("106"))
        await stage["104"].accepts()
        await stage["104"].talks()
        await hears(stage["104"].heard(), 700)
        await hung_up(stage, "104", "104")


SCENES = (
    phones_of_two_makers_hear_each_other,
    a_caller_gives_up_and_a_callee_turns_down,
    a_phone_is_put_on_hold_and_heard_again,
    a_call_is_passed_on,
    a_call_is_passed_on_to_who_was_asked_first,
    a_third_maker_calls_and_its_sound_comes_and_goes,
)
