"""What phones call themselves: every form gets its file; what it says decides the generation, if it may."""

from __future__ import annotations

from provisioner.app import Running
from provisioner.centrex.mac import MacAddress
from provisioner.operations.device_files import history_of
from provisioner.operations.installation import Installation
from tests.provisioner.conftest import apply_text
from tests.provisioner.web.asking import (
    PHONE,
    STRANGER,
    T46G,
    T46S,
    T54W,
    UNLISTED,
    VP530P,
    alarms,
    ask,
    claim,
    requests,
    row_of,
    service_of,
    settled,
    token_of,
)

AGENTS = {
    "Yealink SIP-T46G 28.72.0.1 00:15:65:00:00:01": ("T46G", "28.72.0.1"),
    "yealink SIP-T28P 2.70.0.140 00:15:65:00:00:02": ("T28P", "2.70.0.140"),
    "Yealink SIP-T38G  38.70.0.125 00:15:65:00:00:03": ("T38G", "38.70.0.125"),
    "VP530P 23.70.0.40 00:15:65:00:00:04": ("VP530P", "23.70.0.40"),
    "VP530 23.70.0.41 00:15:65:00:00:05": ("VP530", "23.70.0.41"),
    "W52P 25.30.0.2 00:15:65:00:00:06": ("W52P", "25.30.0.2"),
    "Yealink W52P 25.73.0.20 00:15:65:00:00:07": ("W52P", "25.73.0.20"),
    "Yealink SIP-W52P 25.73.0.20 00:15:65:00:00:08": ("W52P", "25.73.0.20"),
    "Yealink SIP VP-T49G 51.80.0.10 00:15:65:00:00:09": ("VP-T49G", "51.80.0.10"),
    "Yealink CP860 37.72.0.5 00:15:65:00:00:0a": ("CP860", "37.72.0.5"),
    "Yealink SIP-T56A  58.80.0.25 00156500000b": ("T56A", "58.80.0.25"),
    "Yealink-T46G 28.71.0.81 28.1.0.128.0.0.0": ("T46G", "28.71.0.81"),
    "Yealink SIP-T46G": ("T46G", None),
    "Mozilla/5.0 (compatible; a browser)": (None, None),
    "": (None, None),
}
"The forms of the vendor's phones, with the model and the firmware that they say; the last are no phone's."


def owner_of_all() -> str:
    """A company file with a phone of the model for each form."""
    devices = "\n".join(
        f"      - {{mac: 0015650000{number:02x}, model: {model or 'T46S'},"
        ' accounts: [{account: 1, line: "48221112233"}]}'
        for number, (model, _) in enumerate(AGENTS.values(), start=1)
    )
    return f"""
customers:
  - login: wszystkie
    name: Wszystkie modele
    lines: [{{number: "48221112233", product: telefonia-ip-plus}}]
    devices:
{devices}
"""


async def test_a_claimed_phone_gets_its_file_whatever_it_calls_itself(sample: Installation, running: Running):
    await apply_text(sample, owner_of_all())
    for number, (agent, (model, firmware)) in enumerate(AGENTS.items(), start=1):
        mac = f"0015650000{number:02x}"
        await claim(sample, mac)
        reply = await ask(running, f"/{mac}.cfg", agent=agent)
        assert (agent, reply.status) == (agent, 200)
        assert reply.settings["account.1.user_name"] == "48221112233"
        kept, row = (await requests(sample, running))[-1], await row_of(sample, mac)
        assert (kept.user_agent, kept.model_claimed, kept.firmware_claimed) == (agent, model, firmware)
        assert (row.firmware_seen, row.agent_seen) == (firmware, agent)
    assert await alarms(sample) == []


async def test_the_name_of_the_file_says_who_asks_and_not_the_agent(sample: Installation, running: Running):
    await claim(sample, T46G)
    agent = "Yealink SIP-T46S 66.85.0.5 80:5e:c0:12:34:56"
    reply = await ask(running, f"/{T46G}.cfg", agent=agent)
    assert reply.settings["account.1.user_name"] == "48223809986"


async def test_another_generation_of_firmware_gets_another_file_and_a_revision_that_says_why(
    sample: Installation, running: Running
):
    machine = await settled(sample, running, T46G, "28.72.0.1")
    path = f"/{await token_of(sample, T46G)}/{T46G}.cfg"
    old = await ask(running, path, agent=machine.user_agent)
    assert "auto_provision.pnp_enable" in old.settings
    new = await ask(running, path, agent="Yealink SIP-T46G 28.82.0.20 00:15:65:4a:a9:37")
    assert "static.auto_provision.pnp_enable" in new.settings
    assert new.header("ETag") != old.header("ETag")
    newest = (await history_of(sample, MacAddress(T46G)))[0]
    assert (newest.actor, newest.cause) == ("system", "the phone says that its firmware is 28.82.0.20")
    assert (await ask(running, path)).looks == new.looks, "without a word it stays so"


async def test_another_version_of_the_same_generation_is_noted_and_changes_no_byte(
    sample: Installation, running: Running
):
    machine = await settled(sample, running, T46S, "66.85.0.5")
    path = f"/{await token_of(sample, T46S)}/{T46S}.cfg"
    old = await ask(running, path, agent=machine.user_agent)
    new = await ask(running, path, agent=machine.user_agent.replace("66.85.0.5", "66.85.0.90"))
    assert new.looks == old.looks
    assert (await row_of(sample, T46S)).firmware_seen == "66.85.0.90"


async def test_nobody_changes_a_phones_generation_without_authority(sample: Installation, running: Running):
    await settled(sample, running, T46S, "66.85.0.5")
    before = await history_of(sample, MacAddress(T46S))
    other = "Yealink SIP-T46S 66.86.0.15 80:5e:c0:12:34:56"
    service = await service_of(sample, T46S)
    for path in (
        f"/{T46S}.cfg",
        f"/{'0' * 32}/{T46S}.cfg",
        "/y000000000066.cfg",
        f"/{service}/phonebook.xml",
    ):
        await ask(running, path, source=STRANGER, agent=other)
    assert (await row_of(sample, T46S)).firmware_seen == "66.85.0.5"
    assert await history_of(sample, MacAddress(T46S)) == before


async def test_the_second_address_in_a_window_changes_no_generation(sample: Installation, running: Running):
    await claim(sample, T46S)
    await ask(running, f"/{T46S}.cfg", agent="Yealink SIP-T46S 66.85.0.5 80:5e:c0:12:34:56")
    await ask(running, f"/{T46S}.cfg", source=STRANGER, agent="Yealink SIP-T46S 66.86.0.15")
    assert (await row_of(sample, T46S)).firmware_seen == "66.85.0.5"


async def test_firmware_that_no_file_can_be_written_for_raises_an_alarm_and_keeps_the_old_file(
    sample: Installation, running: Running
):
    await apply_text(
        sample,
        """
customers:
  - login: stare
    name: Stare oprogramowanie
    lines: [{number: "48221112233", product: telefonia-ip-plus}]
    devices:
      - mac: 001565000001
        model: T46G
        accounts: [{account: 1, line: "48221112233"}]
        settings: {features.dnd.allow: "1"}
""",
    )
    await claim(sample, "001565000001")
    new = await ask(running, "/001565000001.cfg", agent="Yealink SIP-T46G 28.83.0.10")
    assert new.settings["features.dnd.allow"] == "1"
    path = f"/{await token_of(sample, '001565000001')}/001565000001.cfg"
    for _ in range(3):
        old = await ask(running, path, agent="Yealink SIP-T46G 28.71.0.81")
        assert (old.status, old.body) == (200, new.body)
    (alarm,) = await alarms(sample)
    assert (alarm.kind, alarm.source) == ("firmware", PHONE)
    assert "28.71.0.81" in alarm.text
    assert "features.dnd.allow" in alarm.text
    row = await row_of(sample, "001565000001")
    assert (row.firmware_seen, row.agent_seen) == ("28.83.0.10", "Yealink SIP-T46G 28.71.0.81")


async def test_an_agent_that_is_no_text_is_kept_readable(sample: Installation, running: Running):
    for agent in ("Yealink SIP-T46S\t66.85.0.5", "Yealink \x9b31m 66.85.0.5", "x" * 5000, "Żółw", "A" * 300):
        reply = await ask(running, f"/{UNLISTED}.cfg", agent=agent)
        assert reply.status == 404
    kept = await requests(sample, running)
    assert len(kept) == 5
    assert all(row.user_agent.isprintable() and len(row.user_agent) <= 300 for row in kept)


async def test_a_phone_that_leaves_its_mac_out_is_found_by_its_path(sample: Installation, running: Running):
    for mac in (VP530P, T54W):
        await claim(sample, mac)
        assert (await ask(running, f"/{mac}.cfg", agent="Yealink SIP-T54W 96.86.0.70")).status == 200
    assert [row.mac for row in await requests(sample, running)] == [VP530P, T54W]
