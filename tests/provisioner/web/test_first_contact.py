"""First contact: the window of a claim, who has it, and what is left of it afterwards."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from phone_templates.yealink.boot import Outcome
from provisioner.app import Running
from provisioner.centrex.errors import NotFound
from provisioner.centrex.mac import MacAddress
from provisioner.operations.claims import EndReason, Entry
from provisioner.operations.devices import show_device
from provisioner.operations.installation import Installation, utc_now
from provisioner.settings import Security
from tests.provisioner.web.asking import (
    CLOSED,
    HOUR,
    MODELS,
    PHONE,
    STRANGER,
    T46S,
    UNLISTED,
    VP530P,
    alarms,
    all_secrets,
    ask,
    booted,
    claim,
    decide,
    phone,
    release,
    secret,
    service_of,
    settled,
    shown,
    statements_sent,
    token_of,
)

OWN = f"/{VP530P}.cfg"
LINE = "line/48223809887/password"


async def window(installation: Installation, mac: str = VP530P) -> str:
    """How the newest window of the phone stands."""
    newest = (await show_device(installation, MacAddress(mac))).window
    assert newest is not None
    return newest.state


async def test_a_claim_opens_the_window_for_24_hours(sample: Installation):
    claimed = await claim(sample, VP530P)
    opened = claimed.expires_at - 24 * HOUR
    assert (await decide(sample, OWN, opened + 24 * HOUR)).reason == Entry.CLOSED
    await claim(sample, VP530P)
    assert (await decide(sample, OWN, opened + 23 * HOUR)).reason == Entry.OPEN


async def test_the_window_is_as_long_as_configured(sample: Installation):
    settings = sample.settings.model_copy(update={"security": Security(claim_hours=2)})
    before = utc_now()
    claimed = await claim(replace(sample, settings=settings), VP530P)
    assert before + 2 * HOUR <= claimed.expires_at <= utc_now() + 2 * HOUR


async def test_a_mac_that_is_not_listed_can_not_be_claimed(sample: Installation):
    with pytest.raises(NotFound, match="list it with"):
        await claim(sample, UNLISTED)


async def test_the_first_address_gets_the_file_again_when_the_power_was_cut(
    sample: Installation, running: Running
):
    await claim(sample, VP530P)
    first = await ask(running, OWN)
    assert first.status == 200
    assert await secret(sample, LINE) in first.body.decode()
    assert (await ask(running, OWN)).looks == first.looks
    assert await window(sample) == "open"


async def test_the_first_file_says_the_tokens_address_and_turns_discovery_off(
    sample: Installation, running: Running
):
    for mac in MODELS:
        await claim(sample, mac)
        machine = phone(running, mac)
        replies = [await ask(running, f"/{mac}.cfg", agent=machine.user_agent) for _ in range(2)]
        assert replies[0].body == replies[1].body
        prefix = "static." if machine.generation.prefixes_static else ""
        switches = ["auto_provision.pnp_enable", "auto_provision.dhcp_option.enable", "zero_touch.enable"]
        if mac == VP530P:
            switches = ["auto_provision.pnp_enable", "auto_provision.dhcp_enable"]
        meant = {f"{prefix}{switch}": "0" for switch in switches}
        meant[f"{prefix}auto_provision.server.url"] = (
            f"{running.provisioning_url}/{await token_of(sample, mac)}/"
        )
        assert meant.items() <= replies[0].settings.items()


async def test_the_first_success_under_the_token_closes_the_window(sample: Installation, running: Running):
    await claim(sample, VP530P)
    await ask(running, OWN)
    token = await token_of(sample, VP530P)
    assert (await ask(running, f"/{token}/{VP530P}.cfg")).status == 200
    assert await window(sample) == EndReason.USED
    again = await ask(running, OWN)
    assert (again.status, again.body) == CLOSED


async def test_a_second_address_ends_the_window_and_neither_keeps_what_it_got(
    sample: Installation, running: Running
):
    sharing = await settled(sample, running, T46S)
    sharing_before = await booted(sharing)
    assert sharing_before.done.outcome is Outcome.UNCHANGED
    await claim(sample, VP530P)
    first = await ask(running, OWN, source=STRANGER)
    given = {
        name: value for name, value in (await all_secrets(sample)).items() if value in first.body.decode()
    }
    raced = await ask(running, OWN)
    assert (raced.status, raced.body) == CLOSED
    assert await window(sample) == EndReason.RACED

    # Nothing of the first file is worth anything.
    today = await all_secrets(sample)
    tokens = [value for name, value in given.items() if name.startswith("token")]
    assert len(given) >= 4
    assert [name for name in given if not name.startswith("token") and today[name] == given[name]] == []
    for reply in [await ask(running, f"/{token}/{VP530P}.cfg", source=STRANGER) for token in tokens]:
        assert (reply.status, reply.body) == CLOSED
    assert (await ask(running, OWN, source=STRANGER)).status == 404

    (alarm,) = await alarms(sample)
    assert alarm.kind == "claim-raced"
    assert STRANGER in alarm.text
    assert PHONE in alarm.text
    assert (await show_device(sample, MacAddress(VP530P))).alarms == (alarm.text,)

    # The other phone on the same line hears the new password under its own token.
    assert (await booted(sharing)).done.outcome is Outcome.APPLIED
    assert await secret(sample, LINE) in sharing.memory.settings.values()


async def test_after_a_race_a_new_claim_brings_the_phone_in(sample: Installation, running: Running):
    await claim(sample, VP530P)
    await ask(running, OWN, source=STRANGER)
    machine = phone(running, VP530P)
    await booted(machine)
    await claim(sample, VP530P)
    assert (await booted(machine)).done.outcome is Outcome.APPLIED
    assert (await booted(machine)).done.server_url == machine.stored_url


async def test_a_phone_with_a_token_of_before_goes_on_after_a_race(sample: Installation, running: Running):
    machine = await settled(sample, running, VP530P)
    await claim(sample, VP530P)
    await ask(running, OWN, source=STRANGER)
    await ask(running, OWN, source="127.0.0.98")
    assert (await booted(machine)).done.outcome is Outcome.APPLIED
    assert await secret(sample, LINE) in machine.memory.settings.values()
    assert (await booted(machine)).done.server_url == machine.stored_url


async def test_two_addresses_at_once_never_both_win(sample: Installation, running: Running):
    raised = set()
    for _ in range(5):
        await claim(sample, VP530P)
        replies = await asyncio.gather(
            *(ask(running, OWN, source=source) for source in (PHONE, STRANGER, "127.0.0.98", "127.0.0.97"))
        )
        assert sorted(reply.status for reply in replies) == [200, 404, 404, 404]
        (won,) = [reply for reply in replies if reply.status == 200]
        url = won.settings["auto_provision.server.url"].removeprefix(running.provisioning_url)
        assert (await ask(running, f"{url}{VP530P}.cfg")).status == 404
        assert await secret(sample, LINE) not in won.body.decode()
        (alarm,) = await alarms(sample)
        raised.add(alarm.id)
    assert len(raised) == 5, "each in the place of the one before"


async def test_retries_of_one_address_at_once_are_one_phone(sample: Installation, running: Running):
    await claim(sample, VP530P)
    replies = await asyncio.gather(*(ask(running, OWN) for _ in range(8)))
    assert {reply.status for reply in replies} == {200}
    assert await window(sample) == "open"


async def test_a_window_that_lapses_leaves_a_delivered_token_alive(sample: Installation):
    expires = (await claim(sample, VP530P)).expires_at
    assert (await decide(sample, OWN, expires - HOUR)).content is not None
    assert (await decide(sample, OWN, expires)).content is None
    token = await token_of(sample, VP530P)
    assert (await decide(sample, f"/{token}/{VP530P}.cfg", expires + HOUR)).content is not None


async def test_a_window_that_lapses_undelivered_is_of_no_use_to_anybody(sample: Installation):
    expires = (await claim(sample, VP530P)).expires_at
    never_told = await token_of(sample, VP530P)
    assert (await decide(sample, OWN, expires + HOUR)).content is None
    await claim(sample, VP530P)
    assert await token_of(sample, VP530P) != never_told
    assert (await decide(sample, OWN, utc_now(), source=STRANGER)).content is not None


async def test_a_token_used_after_its_window_lapsed_ends_the_window_as_lapsed(sample: Installation):
    expires = (await claim(sample, VP530P)).expires_at
    await decide(sample, OWN, expires - HOUR)
    token = await token_of(sample, VP530P)
    await decide(sample, f"/{token}/{VP530P}.cfg", expires + HOUR)
    assert await window(sample) == EndReason.LAPSED


async def test_the_old_token_dies_at_the_new_ones_first_use_and_not_before(
    sample: Installation, running: Running
):
    await settled(sample, running, VP530P)
    old = await token_of(sample, VP530P)
    await claim(sample, VP530P)
    new = await token_of(sample, VP530P)
    assert new != old
    await ask(running, OWN)
    assert new in (await ask(running, f"/{old}/{VP530P}.cfg")).body.decode()
    assert (await ask(running, f"/{new}/{VP530P}.cfg")).status == 200
    reply = await ask(running, f"/{old}/{VP530P}.cfg")
    assert (reply.status, reply.body) == CLOSED


async def test_a_second_claim_takes_the_place_of_the_first(sample: Installation, running: Running):
    await claim(sample, VP530P)
    assert (await ask(running, OWN, source=STRANGER)).status == 200
    await claim(sample, VP530P)
    assert (await ask(running, OWN)).status == 200, "the first address of the new window"


async def test_first_contact_after_a_token_worked_is_closed_and_named_so(
    sample: Installation, running: Running
):
    machine = await settled(sample, running, VP530P)
    machine.factory_reset()
    lost = await booted(machine)
    assert [asked.status for asked in lost.asked if asked.url.endswith(OWN)] == [404, 404, 404]
    asked = (await shown(sample, running, VP530P)).requests
    assert asked[0].reason == Entry.RESET_OR_STRANGER == "factory-reset-or-stranger"


async def test_release_revokes_all_that_the_phone_has(sample: Installation, running: Running):
    await settled(sample, running, VP530P)
    token, service = await token_of(sample, VP530P), await service_of(sample, VP530P)
    assert (await ask(running, f"/{service}/phonebook.xml")).status == 200
    await claim(sample, VP530P)
    await release(sample, VP530P)
    for path in (OWN, f"/{token}/{VP530P}.cfg", f"/{service}/phonebook.xml"):
        reply = await ask(running, path)
        assert (reply.status, reply.body) == CLOSED
    assert await window(sample) == EndReason.RELEASED
    asked = (await shown(sample, running, VP530P)).requests
    assert [each.reason for each in asked[:2]] == ["unknown-token", "factory-reset-or-stranger"]


async def test_a_token_that_is_revoked_while_its_first_use_waits_gives_nothing(sample: Installation):
    await claim(sample, VP530P)
    path = f"/{await token_of(sample, VP530P)}/{VP530P}.cfg"
    async with asyncio.TaskGroup() as tasks, sample.database.change():
        tasks.create_task(release(sample, VP530P))
        with statements_sent() as sent:
            used = tasks.create_task(decide(sample, path, utc_now()))
            while not any("device_tokens" in statement for statement in sent):  # noqa: ASYNC110
                await asyncio.sleep(0)
    assert (used.result().content, used.result().reason) == (None, "unknown-token")


async def test_a_released_phone_comes_back_after_a_reset_and_a_claim(sample: Installation, running: Running):
    machine = await settled(sample, running, VP530P)
    await release(sample, VP530P)
    machine.factory_reset()
    await claim(sample, VP530P)
    assert (await booted(machine)).done.outcome is Outcome.APPLIED


async def test_head_takes_no_window_and_ends_none(sample: Installation, running: Running):
    await claim(sample, VP530P)
    closed = await ask(running, OWN, method="HEAD", source=STRANGER)
    assert closed.looks == (await ask(running, f"/{UNLISTED}.cfg", method="HEAD", source=STRANGER)).looks
    own = await ask(running, OWN)
    assert own.status == 200, "a stranger's HEAD has not taken the window"
    head = await ask(running, OWN, method="HEAD")
    assert (head.status, head.header("ETag"), head.body) == (200, own.header("ETag"), b"")
    await ask(running, OWN, method="HEAD", source=STRANGER)
    assert await window(sample) == "open"
    assert await alarms(sample) == []


async def test_head_under_the_token_proves_nothing(sample: Installation, running: Running):
    await claim(sample, VP530P)
    await ask(running, OWN)
    token = await token_of(sample, VP530P)
    assert (await ask(running, f"/{token}/{VP530P}.cfg", method="HEAD")).status == 200
    assert await window(sample) == "open"
    assert (await ask(running, OWN)).status == 200


@pytest.mark.parametrize("mac", MODELS)
async def test_a_phone_with_dhcp_option_66_reaches_its_token_on_its_second_boot(
    sample: Installation, running: Running, mac: str
):
    await claim(sample, mac)
    machine = phone(running, mac)
    own = f"{running.provisioning_url}/{await token_of(sample, mac)}/"
    first = await booted(machine)
    assert (first.done.outcome, first.done.server_url) == (Outcome.APPLIED, f"{running.provisioning_url}/")
    assert machine.stored_url == own
    assert not machine.discovers
    for _ in range(3):  # and there it stays, although DHCP still answers
        again = await booted(machine)
        assert again.done.server_url == own
        assert own + f"{mac}.cfg" in [asked.url for asked in again.asked if asked.status == 200]

    machine.factory_reset()
    assert (await booted(machine)).done.server_url == f"{running.provisioning_url}/"
    assert machine.stored_url is None, "the file of strangers names no server"
    await claim(sample, mac)
    assert (await booted(machine)).done.outcome is Outcome.APPLIED
    back = await booted(machine)
    assert back.done.server_url == f"{running.provisioning_url}/{await token_of(sample, mac)}/"
