"""What lines are set to do with calls, in data and by codes, and what may be dialled beside extensions."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping

import aiohttp
from lxml import etree

from provisioner.settings import split_address
from sip.transport.flow import Address
from tests.e2e.exchange import Site
from tests.e2e.features.stage import (
    NAMES,
    Stage,
    answers,
    dials_code,
    hung_up,
    named,
    rings,
    rings_alone,
    rung,
    silent,
    turned_down,
)
from tests.e2e.softphones.loopback import free, listened_to
from tests.e2e.softphones.program import running
from tests.e2e.softphones.sipp import written

COMPANY = """\
    centrex:
      distinctive_ring: true
      speed_dial: {entries: [{number: "34", target: "48225550004"}]}
"""
SERVICES: Mapping[str, str] = {
    "101": """\
forwarding: {always: {to: "103", enabled: false}, busy: {to: "103"}, no_answer: {to: "103", after: 1}}""",
    "103": "dnd: true, call_waiting: false",
    "106": 'forwarding: {unreachable: {to: "102"}}',
}


async def calls_are_forwarded_as_the_data_has_it(stage: Stage) -> None:
    """When nobody answers, when the line is busy, and when no phone is there."""
    begun = asyncio.get_running_loop().time()
    await stage["104"].dials("101")
    ring = await rung(stage, "101", "103")
    assert ring["103"].at - begun >= 1
    assert {each.shown for each in ring.values()} == {named("104")}
    await stage["101"].is_hung_up()
    await answers(stage, "103", "104")
    await hung_up(stage, "104", "103")
    await turned_down(stage, "104", "101", "101", "103")
    await turned_down(stage, "104", "106", "102")


async def calls_are_forwarded_as_codes_have_it(stage: Stage) -> None:
    """Always, to where the data says; and in each case to somebody else, until it is taken back."""
    line = stage.baresip("101")
    await dials_code(line, "*21*")
    await turned_down(stage, "104", "101", "103")
    await silent(stage, "101")
    await dials_code(line, "*21*102")
    await turned_down(stage, "104", "101", "102")
    await silent(stage, "101", "103")
    await dials_code(line, "%2321%23")
    await dials_code(line, "*22*102")
    await turned_down(stage, "104", "101", "101", "102")
    await dials_code(line, "*23*102")
    await stage["104"].dials("101")
    assert {each.shown for each in (await rung(stage, "101", "102")).values()} == {named("104")}
    await silent(stage, "103")
    await hung_up(stage, "104", "101", "102")
    await dials_code(line, "%2322%23")
    await turned_down(stage, "104", "101", "101")


async def calls_go_on_when_a_phone_has_gone(stage: Stage) -> None:
    """It has said so by a code before; so this comes last."""
    await dials_code(stage.baresip("103"), "*24*101")
    await stage["103"].unregister()
    await turned_down(stage, "104", "103", "101")


async def who_is_not_to_be_disturbed_is_busy(stage: Stage) -> None:
    """By data, which a code takes back; and by a code."""
    line, caller = stage.baresip("103"), stage.baresip("104")
    for _ in range(2):
        await caller.dials("103")
        assert await caller.is_refused_with() == 486
        await silent(stage, "103")
        await dials_code(line, "%2326")
        await turned_down(stage, "104", "103", "103")
        await dials_code(line, "*26")
    await dials_code(line, "%2326")


async def a_second_call_waits_or_finds_the_line_busy(stage: Stage) -> None:
    """At one line it rings while it talks, until it has two; at the other it doesn't."""
    for busy, waits in (("101", True), ("103", False)):
        await stage["102"].dials(busy)
        await rings_alone(stage, busy, shows=named("102"))
        await answers(stage, busy, "102")
        caller = stage.baresip("104")
        await caller.dials(busy)
        if waits:
            assert (await rings(stage[busy])).shown == named("104")
            third = stage.baresip("103")
            await third.dials(busy)
            assert await third.is_refused_with() == 486
            await caller.hangs_up()
        else:
            assert await caller.is_refused_with() == 486
        await caller.is_hung_up()
        await hung_up(stage, "102", busy)


async def who_hides_is_shown_to_nobody(stage: Stage) -> None:
    """Until the next call; and who calls may say that it is to be shown."""
    for code, shown in (("*67", "Anonymous anonymous"), ("*68", named("104")), ("", named("104"))):
        for callee in ("101", "102"):
            await turned_down(stage, "104", f"{code}{callee}", callee, shows=shown)
    log = stage.linphone("102").log()
    hidden = next(each for each in log.split("INVITE sip:")[1:] if "anonymous.invalid" in each)
    assert "Serwis" not in hidden.partition("\n\n")[0]
    assert "Privacy: id" in hidden.partition("\n\n")[0]


async def short_numbers_and_the_directory_lead_to_phones(stage: Stage) -> None:
    """What the phone book of a phone lists is dialled as it stands there."""
    await turned_down(stage, "104", "34", "103")
    settings = (await stage.served.boots(stage.devices["106"])).memory.settings
    async with (
        aiohttp.ClientSession() as http,
        http.get(settings["remote_phonebook.data.1.url"]) as response,
    ):
        assert response.status == 200
        book = etree.fromstring(await response.read())
    listed = {entry.findtext("Name"): entry.findtext("Telephone") for entry in book.iter("DirectoryEntry")}
    assert set(listed) == set(NAMES.values()) - {NAMES["106"]}
    assert listed["Biuro"] is not None
    await turned_down(stage, "104", listed["Biuro"], "102")


async def calls_from_inside_ring_differently(stage: Stage) -> None:
    """As the phone has been told to tell them apart."""
    settings = (await stage.served.boots(stage.devices["106"])).memory.settings
    phone = stage.linphone("102")
    before = len(phone.log())
    await turned_down(stage, "104", "102", "102")
    invite = re.search(r"^INVITE sip:.*?^\r?$", phone.log()[before:], re.MULTILINE | re.DOTALL)
    assert invite is not None
    assert f"info={settings['distinctive_ring_tones.alert_info.1.text']}" in invite[0]
    for header in ("From", "P-Asserted-Identity", "Remote-Party-ID"):
        assert f'{header}: "Serwis" <sip:104@' in invite[0]


async def a_phone_sends_calls_on_and_none_goes_round(stage: Stage) -> None:
    """By a 302, which is followed; to itself, and to one that sends it back, it is not."""
    mover, caller = stage.linphone("102"), stage.baresip("104")
    host = stage.served.site.sip.host

    async def moves(to: str) -> None:
        await caller.dials("102")
        assert (await rings(mover)).shown == named("104")
        await mover.moves(f"sip:{to}@{host}")

    await moves("103")
    await rings_alone(stage, "103", shows=named("104"))
    await answers(stage, "103", "104")
    await hung_up(stage, "103", "104")
    await moves("102")
    assert await caller.is_refused_with() == 480
    await dials_code(stage.baresip("103"), "*21*102")
    await moves("103")
    assert await caller.is_refused_with() == 482
    await dials_code(stage.baresip("103"), "%2321%23")


async def an_emergency_call_reaches_the_gateway(stage: Stage) -> None:
    """It shows the number of its line, though the caller hides."""
    gateway = Address(*split_address(str(stage.served.installation.settings.sip.emergency_gateway)))
    command = ["sipp", "-sn", "uas", "-m", "1", "-nostdin", "-i", gateway.host, "-p", str(gateway.port)]
    command += ["-trace_msg", "-message_file", "messages"]
    async with running(command, stage.folder):
        await listened_to(gateway)
        await stage["104"].dials("*67112")
        await stage["104"].talks()
        await stage["104"].hangs_up()
        # It would wait for whatever else comes.
        said = (await written(stage.folder / "messages", "INVITE sip:.*^BYE sip:"))[0]
    assert f"INVITE sip:112@{gateway} SIP/2.0" in said
    assert f"\nFrom: <sip:{stage.devices['104'].line}@" in said


def tables(site: Site) -> str:
    """Of the configuration file."""
    return f'[sip]\nemergency_gateway = "{free(site.host(200))}"\n'


SCENES = (
    who_is_not_to_be_disturbed_is_busy,
    calls_are_forwarded_as_the_data_has_it,
    calls_are_forwarded_as_codes_have_it,
    a_second_call_waits_or_finds_the_line_busy,
    who_hides_is_shown_to_nobody,
    short_numbers_and_the_directory_lead_to_phones,
    calls_from_inside_ring_differently,
    a_phone_sends_calls_on_and_none_goes_round,
    an_emergency_call_reaches_the_gateway,
    calls_go_on_when_a_phone_has_gone,
)
