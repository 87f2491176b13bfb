"""What the service token opens: phone book, browser pages, media and firmware; each token opens its own."""

from __future__ import annotations

import os
from collections.abc import Sequence

import pytest
from lxml import etree

from phone_templates.yealink.xml import BROWSER_LIMIT
from provisioner.app import Running
from provisioner.centrex.actor import COMMAND_LINE
from provisioner.files.company import read_company_file
from provisioner.operations.companies import apply
from provisioner.operations.installation import Installation
from provisioner.operations.rollouts import Reach, release
from tests.provisioner.conftest import apply_text
from tests.provisioner.firmware import put_firmware
from tests.provisioner.web.asking import (
    CLOSED,
    PHONE,
    STRANGER,
    T46S,
    T54W,
    UNLISTED,
    VP530P,
    Reply,
    ask,
    requests,
    service_of,
    settled,
    token_of,
)

MODEL_LEVEL = """
vendors:
  - vendor: yealink
    models:
      - model: T46S
        phone: {firmware: T46S-66.86.0.15.rom, ringtones: [_dzwonek.wav], logo: logo.jpg}
"""
BOOK, BESIDE = "001565aaaa01", "001565aaaa02"
"Phones of a company of their own."
NAMES = ["A & B <x>", "Żaneta Ćwięk", "\"'&amp;]]>", "O’Brien 💡"]
ROM = bytes(range(256)) * 400


async def test_the_phone_book_names_everybody_published(sample: Installation, running: Running):
    await publish(sample, NAMES)
    path = f"/{await service_of(sample, BOOK)}/phonebook.xml"
    reply = await ask(running, path)
    assert (reply.status, reply.header("Content-Type")) == (200, "text/xml; charset=utf-8")
    names = etree.fromstring(reply.body).xpath("/YealinkIPPhoneDirectory/DirectoryEntry/Name/text()")
    assert names == sorted([*NAMES, "Sprzedaż"])
    has_it = {"If-None-Match": reply.header("ETag") or ""}
    beside = await ask(running, f"/{await service_of(sample, BESIDE)}/phonebook.xml", headers=has_it)
    assert (beside.status, beside.body) == (304, b"")
    await publish(sample, ["Nowy"])
    assert (await ask(running, path, headers=has_it)).status == 200


async def test_the_phones_own_file_names_the_phone_book(sample: Installation, running: Running):
    machine = await settled(sample, running, T46S)
    url = next(value for value in machine.memory.settings.values() if value.endswith("/phonebook.xml"))
    assert url == f"{running.provisioning_url}/{await service_of(sample, T46S)}/phonebook.xml"
    assert (await ask(running, url.removeprefix(running.provisioning_url))).status == 200


async def test_the_directory_goes_on_over_several_pages(sample: Installation, running: Running):
    names = [f"Osoba {number:02}" for number in range(70)]
    await publish(sample, names)
    base = f"/{await service_of(sample, BOOK)}/browser"
    menu = etree.fromstring((await ask(running, f"{base}/menu.xml")).body)
    urls = [url.removeprefix(running.provisioning_url) for url in menu.xpath("//URI/text()")]
    assert urls == [f"{base}/{page}.xml" for page in ("directory", "directory-2", "directory-3", "phone")]
    found: list[str] = []
    for url in urls[:-1]:
        page = await ask(running, url)
        found += etree.fromstring(page.body).xpath("//MenuItem/Prompt/text()")
    assert [name for name in found if name.startswith("Osoba")] == names
    assert is_closed(await ask(running, f"{base}/directory-4.xml"))


async def test_no_page_is_longer_than_a_phone_reads(sample: Installation, running: Running):
    """The longest names of what takes most bytes, and more people than a menu has lines for."""
    await publish(sample, [f"{number:03}" + "&" * 125 for number in range(700)], company="&" * 128)
    service = await service_of(sample, BOOK)
    wanted, seen = ["menu"], []
    while wanted:
        name = wanted.pop()
        seen.append(name)
        reply = await ask(running, f"/{service}/browser/{name}.xml")
        assert (name, reply.status) == (name, 200)
        assert len(reply.body) <= BROWSER_LIMIT
        for url in etree.fromstring(reply.body).xpath("/YealinkIPPhoneTextMenu//URI/text()"):
            wanted.append(url.rpartition("/")[2].removesuffix(".xml"))
    assert sorted(name for name in seen if name.startswith("directory-"))[-1] == "directory-9"
    assert {"directory-24", "menu-2", "phone"} <= set(seen)


async def test_the_pages_speak_the_phones_language(sample: Installation, running: Running):
    path = f"/{await service_of(sample, T54W)}/browser/phone.xml"
    assert "Ten telefon" in (await ask(running, path)).body.decode()
    await apply_text(sample, "vendors: [{vendor: yealink, phone: {language: en}}]")
    page = await ask(running, path)
    assert etree.fromstring(page.body).xpath("string(Title)") == "This phone"
    text = etree.fromstring(page.body).xpath("string(Text)")
    assert text.splitlines() == ["T54W 24:9a:d8:00:00:54", "Sala konferencyjna", "Line 1: 48223809882 (104)"]


async def test_a_browser_page_has_an_etag(sample: Installation, running: Running):
    path = f"/{await service_of(sample, T54W)}/browser/menu.xml"
    page = await ask(running, path)
    headers = {"If-None-Match": page.header("ETag") or ""}
    assert (await ask(running, path, headers=headers)).status == 304
    head = await ask(running, path, method="HEAD")
    assert (head.looks[:2], head.body) == (page.looks[:2], b"")


@pytest.fixture
async def stored(sample: Installation, running: Running) -> dict[str, str]:
    """What the T46S is told of firmware and media, by parameter; the files lie in the data directory."""
    media = sample.media_dir("nowyklienttestowy")
    media.mkdir(parents=True)
    await put_firmware(sample, "T46S-66.86.0.15.rom", ROM)
    await put_firmware(sample, "T46S-66.86.0.5.rom", ROM)
    for file in (
        media / "_dzwonek.wav",
        media / "logo.jpg",
        media / "other.wav",
    ):
        file.write_bytes(ROM)
    for file in (sample.firmware_dir / "T46S-66.86.0.15.rom", *media.iterdir()):
        os.utime(file, (1_700_000_000, 1_700_000_000))
    await apply_text(sample, MODEL_LEVEL)
    machine = await settled(sample, running, T46S)
    wanted = ("static.firmware.url", "ringtone.url", "wallpaper_upload.url")
    return {name: machine.memory.settings[name].removeprefix(running.provisioning_url) for name in wanted}


async def test_a_phone_fetches_the_files_that_its_configuration_names(
    stored: dict[str, str], running: Running
):
    for path in stored.values():
        reply = await ask(running, path)
        assert (reply.status, reply.body) == (200, ROM)
        assert reply.header("Content-Type") == "application/octet-stream"
        head = await ask(running, path, method="HEAD")
        assert (head.status, head.header("Content-Length"), head.body) == (200, str(len(ROM)), b"")
        fresh = {"If-None-Match": reply.header("ETag") or ""}
        assert (await ask(running, path, headers=fresh)).status == 304


async def test_firmware_is_fetched_in_parts(stored: dict[str, str], sample: Installation, running: Running):
    size = len(ROM)
    for wanted, first, last in (
        ("bytes=0-9", 0, 9),
        ("bytes=100-", 100, size - 1),
        ("bytes=-6", size - 6, size - 1),
        ("bytes=5-5", 5, 5),
        ("bytes=102390-999999", size - 10, size - 1),
    ):
        reply = await ask(running, stored["static.firmware.url"], headers={"Range": wanted})
        assert (reply.status, reply.body) == (206, ROM[first : last + 1])
        assert reply.header("Content-Range") == f"bytes {first}-{last}/{size}"
        kept = (await requests(sample, running))[-1]
        assert (kept.status, kept.reason, kept.sent_bytes) == (206, "service", last - first + 1)
    for wanted in ("bytes=102400-", "bytes=x"):
        reply = await ask(running, stored["static.firmware.url"], headers={"Range": wanted})
        assert (reply.status, reply.header("Content-Range")) == (416, f"bytes */{size}")
        assert (await requests(sample, running))[-1].status == 416


async def test_a_download_goes_on_only_if_the_file_is_the_same(stored: dict[str, str], running: Running):
    path = stored["static.firmware.url"]
    changed = (await ask(running, path)).header("Last-Modified") or ""
    part = {"Range": "bytes=10-19"}
    assert (await ask(running, path, headers={**part, "If-Range": changed})).status == 206
    older = {**part, "If-Range": "Mon, 01 Jan 2001 00:00:00 GMT"}
    assert (await ask(running, path, headers=older)).body == ROM


async def test_a_file_that_the_phones_configuration_does_not_name_is_closed(
    stored: dict[str, str], sample: Installation, running: Running
):
    service, other = await service_of(sample, T46S), await service_of(sample, T54W)
    for path in (
        f"/{service}/media/other.wav",
        f"/{service}/firmware/T46S-66.86.0.5.rom",
        f"/{service}/media/T46S-66.86.0.15.rom",
        f"/{service}/firmware/logo.jpg",
        f"/{other}/firmware/T46S-66.86.0.15.rom",
        f"/{other}/media/logo.jpg",
        stored["ringtone.url"].replace(service, await token_of(sample, T46S)),
        stored["ringtone.url"].replace(f"/{service}", ""),
    ):
        assert is_closed(await ask(running, path))
    (sample.media_dir("nowyklienttestowy") / "logo.jpg").unlink()
    assert is_closed(await ask(running, stored["wallpaper_upload.url"]))


async def test_a_phone_that_waits_for_other_media_may_fetch_those_that_it_is_told_meanwhile(
    stored: dict[str, str], sample: Installation, running: Running
):
    (sample.media_dir("nowyklienttestowy") / "new.jpg").write_bytes(ROM)
    said = "customers: [{login: nowyklienttestowy, phone: {logo: new.jpg}}]"
    await apply(sample, read_company_file(said.encode()), COMMAND_LINE, staged=True)
    old = stored["wallpaper_upload.url"]
    new = old.replace("logo.jpg", "new.jpg")
    assert ((await ask(running, old)).status, is_closed(await ask(running, new))) == (200, True)
    await release(sample, "nowyklienttestowy", Reach(), COMMAND_LINE)
    assert (is_closed(await ask(running, old)), (await ask(running, new)).status) == (True, 200)


async def test_each_token_opens_its_own(sample: Installation, running: Running):
    await settled(sample, running, T46S)
    device, service = await token_of(sample, T46S), await service_of(sample, T46S)
    configurations = (f"{T46S}.cfg", "y000000000066.cfg", f"{T46S}.boot", f"{VP530P}.cfg")
    pages = ("phonebook.xml", "browser/menu.xml", "browser/directory.xml", "browser/phone.xml")
    for name in configurations:
        assert is_closed(await ask(running, f"/{service}/{name}"))
    for name in pages:
        assert is_closed(await ask(running, f"/{device}/{name}"))
        assert is_closed(await ask(running, f"/{name}"))
        assert (await ask(running, f"/{service}/{name}")).status == 200
    for name in (
        "browser/secrets.xml",
        "browser/menu-0.xml",
        "browser/phone-2.xml",
        "phonebook.XML",
        "action/x",
    ):
        assert is_closed(await ask(running, f"/{service}/{name}"))


async def test_no_page_holds_a_configurations_secret(sample: Installation, running: Running):
    await settled(sample, running, T46S)
    device, service = await token_of(sample, T46S), await service_of(sample, T46S)
    for name in ("phonebook.xml", "browser/menu.xml", "browser/directory.xml", "browser/phone.xml"):
        reply = await ask(running, f"/{service}/{name}", source=STRANGER)
        assert device not in reply.body.decode()


async def test_the_service_token_proves_nothing_of_the_device(sample: Installation, running: Running):
    service = await service_of(sample, T46S)
    await ask(running, f"/{service}/phonebook.xml", agent="Yealink SIP-T46S 66.86.0.15", source=PHONE)
    await ask(running, f"/{service}/{UNLISTED}.cfg")
    assert [row.reason for row in await requests(sample, running)] == ["service", "no-such-file"]


def is_closed(reply: Reply) -> bool:
    return (reply.status, reply.body) == CLOSED


async def publish(installation: Installation, names: Sequence[str], company: str = "Firma") -> None:
    """Makes a company of these people, where `BOOK` and `BESIDE` are phones."""
    quoted = [name.replace("'", "''") for name in names]
    people = [f"{{number: '{1000 + n}', name: '{name}', published: true}}" for n, name in enumerate(quoted)]
    await apply_text(
        installation,
        f"""
customers:
  - login: ksiazka
    name: "{company}"
    centrex: {{extension_length: 4}}
    hunt_groups: [{{number: "6000", name: Sprzedaż, members: [{{extension: "1000"}}]}}]
    devices: [{{mac: {BOOK}, model: T54W}}, {{mac: {BESIDE}, model: VP530P}}]
    extensions:
"""
        + "".join(f"      - {person}\n" for person in people),
    )
