"""Files that phones bring: from whom, how large, what is kept of them, and how they come back."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from sqlalchemy import select

from db.engine import Database
from db.errors import DatabaseUnavailable
from db.rotation import rotate
from db.schema import UploadRow
from phone_templates.yealink.backups import HIDDEN, Backup
from provisioner.app import Running, serving
from provisioner.centrex.errors import NotFound
from provisioner.centrex.mac import MacAddress
from provisioner.operations.installation import Installation
from provisioner.operations.uploads import Upload, diff_uploads, list_uploads, show_upload
from provisioner.settings import Memory, Security
from provisioner.web.autoprovision import uploads as receiving
from tests.provisioner.conftest import apply_text
from tests.provisioner.web.asking import (
    STRANGER,
    T23G,
    T46S,
    T54W,
    VP530P,
    Reply,
    ask,
    booted,
    release,
    requests,
    service_of,
    settled,
    token_of,
)

BACKUPS = "customers: [{login: nowyklienttestowy, phone: {backups: true}}]"
LOCAL = b"#!version:1.0.0.1\nlocal_time.time_format = 0\naccount.1.password = geheim4711\n"
CONTACTS = '<?xml version="1.0"?>\n<root_contact><contact display_name="Żaneta"/></root_contact>\n'.encode()
CALLS = b'<?xml version="1.0"?><root_call_log/>'
LOG = b"<131>Jan  1 00:00:00 sua [1]: registered\r\n"
FILES = {
    "-local.cfg": LOCAL,
    "-contact.xml": CONTACTS,
    "-calllog.xml": CALLS,
    "-sys.log": LOG,
    "-boot.log": LOG,
}
KIB = 1024


async def bring(
    server: Running, service: str, name: str, content: bytes, *, method: str = "PUT", **options: object
) -> Reply:
    """One file, brought as phones do."""
    return await ask(server, f"/{service}/{name}", method=method, data=content, **options)  # type: ignore[arg-type]


async def versions(installation: Installation, mac: str, backup: Backup | None = None) -> list[Upload]:
    """What is kept, the newest first."""
    return await list_uploads(installation, MacAddress(mac), backup)


@pytest.fixture
async def service(sample: Installation, running: Running) -> str:
    """The service token of the T46S."""
    return await service_of(sample, T46S)


@pytest.mark.parametrize("mac", [T46S, T54W])
async def test_a_phone_is_told_where_to_bring_its_files_and_gets_them_back_when_it_boots(
    sample: Installation, running: Running, mac: str
):
    await apply_text(sample, BACKUPS)
    machine = await settled(sample, running, mac)
    base = machine.memory.settings["static.auto_provision.custom.sync.path"]
    assert base == f"{running.provisioning_url}/{await service_of(sample, mac)}/"
    for kind in ("contact", "calllog", "log"):
        assert machine.memory.settings[f"static.auto_provision.local_{kind}.backup.path"] == base
    assert machine.memory.settings["static.auto_provision.custom.upload_method"] == "0"
    before = await booted(machine)
    asked = {each.url.rpartition("/")[2]: each.status for each in before.asked}
    assert asked[f"{mac}-local.cfg"] == 404
    for ending, content in FILES.items():
        url = f"{base}{mac}{ending}".removeprefix(running.provisioning_url)
        assert (await ask(running, url, method="PUT", data=content)).status == 200
    after = await booted(machine)
    asked = {each.url: each.status for each in after.asked if each.url.startswith(base)}
    assert asked == {f"{base}{mac}{ending}": 200 for ending in ("-local.cfg", "-contact.xml", "-calllog.xml")}
    assert machine.memory.settings["local_time.time_format"] == "0"


async def test_without_the_option_a_phone_is_told_to_bring_nothing(sample: Installation, running: Running):
    machine = await settled(sample, running, T46S)
    assert machine.memory.settings["static.auto_provision.custom.sync"] == "0"
    assert not [name for name in machine.memory.settings if "sync.path" in name or "backup.path" in name]
    old = await settled(sample, running, VP530P)
    assert not [name for name in old.memory.settings if "custom" in name or "backup." in name]


@pytest.mark.parametrize("method", ["PUT", "POST"])
async def test_what_was_brought_is_given_back_byte_for_byte(
    sample: Installation, running: Running, service: str, method: str
):
    for ending, content in FILES.items():
        brought = await bring(running, service, T46S + ending, content, method=method)
        assert (brought.status, brought.body) == (200, b"")
        given = await ask(running, f"/{service}/{T46S}{ending}")
        assert (given.status, given.body) == (200, content.replace(b"\r\n", b"\n"))
        kind = "text/xml" if ending.endswith(".xml") else "text/plain"
        assert given.header("Content-Type") == f"{kind}; charset=utf-8"
        again = await ask(
            running, f"/{service}/{T46S}{ending}", headers={"If-None-Match": given.header("ETag") or ""}
        )
        assert again.status == 304


async def test_a_form_holds_the_file_too(sample: Installation, running: Running, service: str):
    form = (
        b'--xYz\r\nContent-Disposition: form-data; name="mac"\r\n\r\n805ec0123456\r\n'
        b'--xYz\r\nContent-Disposition: form-data; name="file"; filename="805ec0123456-contact.xml"\r\n'
        b"Content-Type: text/xml\r\n\r\n" + CONTACTS + b"\r\n--xYz--\r\n"
    )
    headers = {"Content-Type": 'multipart/form-data; boundary="xYz"'}
    name = f"{T46S}-contact.xml"
    assert (await bring(running, service, name, form, method="POST", headers=headers)).status == 200
    assert (await ask(running, f"/{service}/{name}")).body == CONTACTS
    no_file = form.replace(b"filename", b"named")
    assert (await bring(running, service, name, no_file, method="POST", headers=headers)).status == 422


async def test_a_new_version_is_kept_only_when_something_changed(
    sample: Installation, running: Running, service: str
):
    name = f"{T46S}-local.cfg"
    for content in (LOCAL, LOCAL, LOCAL + b"lang.gui = English\n", LOCAL):
        assert (await bring(running, service, name, content)).status == 200
    kept = await versions(sample, T46S)
    assert [(each.kind, each.version, each.size) for each in kept] == [
        ("local", 3, len(LOCAL)),
        ("local", 2, len(LOCAL) + 19),
        ("local", 1, len(LOCAL)),
    ]
    reasons = [row.reason for row in await requests(sample, running)]
    assert reasons == ["uploaded", "uploaded-before", "uploaded", "uploaded"]


async def test_the_newest_versions_are_kept(sample: Installation):
    memory = Memory(uploads_per_file=3)
    bounded = replace(sample, settings=sample.settings.model_copy(update={"memory": memory}))
    async with serving(bounded, lambda _: None) as server:
        service = await service_of(sample, T46S)
        for number in range(5):
            await bring(server, service, f"{T46S}-sys.log", b"%d" % number)
        await bring(server, service, f"{T46S}-boot.log", b"x")
    kept = [(each.kind, each.version) for each in await versions(sample, T46S)]
    assert kept == [("boot-log", 1), ("sys-log", 5), ("sys-log", 4), ("sys-log", 3)]


async def test_the_users_changes_are_sealed_and_shown_without_secrets(
    sample: Installation, running: Running, service: str
):
    name = f"{T46S}-local.cfg"
    await bring(running, service, name, LOCAL)
    await bring(running, service, name, LOCAL.replace(b"= 0", b"= 1"))
    mac = MacAddress(T46S)
    assert await show_upload(sample, mac, Backup.LOCAL, 1) == (
        f"local_time.time_format = 0\naccount.1.password = {HIDDEN}\n"
    )
    difference = await diff_uploads(sample, mac, Backup.LOCAL)
    assert "-local_time.time_format = 0\n+local_time.time_format = 1" in difference
    assert "geheim" not in difference
    async with sample.database.read() as session:
        rows = list(await session.scalars(select(UploadRow)))
    assert [(row.content, row.digest) for row in rows] == [(None, None)] * 2
    assert not any(b"geheim" in (row.content_sealed or b"") for row in rows)
    await rotate(sample.database, sample.vault)
    assert (await ask(running, f"/{service}/{name}")).body == LOCAL.replace(b"= 0", b"= 1")


async def test_versions_that_are_not_there_are_said_to_be_missing(sample: Installation, running: Running):
    mac = MacAddress(T46S)
    with pytest.raises(NotFound, match="backups: true"):
        await show_upload(sample, mac, Backup.CONTACTS)
    await bring(running, await service_of(sample, T46S), f"{T46S}-contact.xml", CONTACTS)
    with pytest.raises(NotFound, match="1 to 1 are kept"):
        await show_upload(sample, mac, Backup.CONTACTS, 2)
    assert await diff_uploads(sample, mac, Backup.CONTACTS) == ""
    with pytest.raises(NotFound, match="no device"):
        await versions(sample, "001565ffffff")


@pytest.mark.parametrize(
    ("ending", "content"),
    [("-local.cfg", b"PK\x03\x04"), ("-contact.xml", b"<a"), ("-calllog.xml", b"<!DOCTYPE a []><a/>")],
)
async def test_what_is_not_what_its_name_says_is_refused_and_not_kept(
    sample: Installation, running: Running, service: str, ending: str, content: bytes
):
    reply = await bring(running, service, T46S + ending, content)
    assert (reply.status, reply.body) == (422, b"Not what its name says.\n")
    assert await versions(sample, T46S) == []
    assert (await requests(sample, running))[-1].reason == "unreadable"


async def endless() -> AsyncIterator[bytes]:
    while True:
        yield b"x" * KIB


@pytest.mark.parametrize(("ending", "longest"), [("-local.cfg", 256 * KIB), ("-sys.log", 1024 * KIB)])
async def test_a_file_is_taken_up_to_its_limit_however_its_length_is_said(
    sample: Installation, running: Running, service: str, ending: str, longest: int
):
    name = T46S + ending
    fits = b"#" * longest
    assert (await bring(running, service, name, fits)).status == 200
    for body in (fits + b"#", endless()):
        reply = await bring(running, service, name, body)  # type: ignore[arg-type]
        assert (reply.status, reply.body) == (413, b"Too large.\n")
    assert [each.size for each in await versions(sample, T46S)] == [longest]
    bomb = {"Content-Encoding": "deflate"}
    packed = zlib.compress(b"#" * (20 * longest))
    assert (await bring(running, service, name, packed, headers=bomb)).status == 413


async def half(server: Running, head: bytes, *, source: str = STRANGER) -> bytes:
    """What comes back when a body is announced and does not come."""
    host, _, port = server.provisioning_url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port), local_addr=(source, 0))
    try:
        writer.write(head + b"Host: x\r\n\r\n")
        return await reader.readuntil(b"\r\n\r\n")
    finally:
        writer.close()
        await writer.wait_closed()


async def test_a_stranger_is_answered_before_the_body_and_never_asked_for_it(
    sample: Installation, running: Running, service: str
):
    length = b"Content-Length: 100000000\r\n"
    expect = b"Expect: 100-continue\r\n"
    name = T46S.encode() + b"-local.cfg"
    unknown = b"PUT /" + b"0" * 32 + b"/" + name + b" HTTP/1.1\r\n"
    other = b"PUT /" + service.encode() + b"/" + T23G.encode() + b"-local.cfg HTTP/1.1\r\n"
    token = b"PUT /" + (await token_of(sample, T46S)).encode() + b"/" + name + b" HTTP/1.1\r\n"
    for head in (unknown, other, token):
        for more in (length, length + expect, b"Transfer-Encoding: chunked\r\n"):
            assert (await half(running, head + more)).startswith(b"HTTP/1.1 405 ")
    own = b"PUT /" + service.encode() + b"/" + name + b" HTTP/1.1\r\n"
    # A phone that is known, but brings too much, hears so.
    for more in (length, length + expect):
        assert (await half(running, own + more)).startswith(b"HTTP/1.1 413 ")
    assert (await half(running, own + b"Content-Length: 10\r\n" + expect)).startswith(b"HTTP/1.1 100 ")


async def test_what_may_not_be_brought_looks_alike(sample: Installation, running: Running, service: str):
    await settled(sample, running, T46S)
    paths = [
        f"/{'0' * 32}/{T46S}-local.cfg",
        f"/{await token_of(sample, T46S)}/{T46S}-local.cfg",
        f"/{await token_of(sample, T46S)}/{T46S}.cfg",
        f"/{service}/{T23G}-local.cfg",
        f"/{service}/{T46S}.cfg",
        f"/{service}/{T46S}.boot",
        f"/{service}/y000000000066.cfg",
        f"/{service}/phonebook.xml",
        f"/{service}/media/x",
        f"/{service}/../{T46S}-local.cfg",
        f"/{T46S}-local.cfg",
    ]
    for method in ("PUT", "POST"):
        replies = [await ask(running, path, method=method, data=LOCAL) for path in paths]
        assert len({reply.looks for reply in replies}) == 1
        assert replies[0].status == 405
    assert await versions(sample, T46S) == await versions(sample, T23G) == []
    closed = await ask(running, f"/{'0' * 32}/{T46S}-local.cfg")
    await bring(running, await service_of(sample, T23G), f"{T23G}-local.cfg", LOCAL)
    for path in (f"/{service}/{T23G}-local.cfg", f"/{service}/{T46S}-local.cfg", f"/{T23G}-local.cfg"):
        assert (await ask(running, path)).looks == closed.looks


async def test_a_released_phone_brings_and_gets_nothing_any_more(
    sample: Installation, running: Running, service: str
):
    await bring(running, service, f"{T46S}-local.cfg", LOCAL)
    await release(sample, T46S)
    assert (await bring(running, service, f"{T46S}-local.cfg", LOCAL + b"#")).status == 405
    assert (await ask(running, f"/{service}/{T46S}-local.cfg")).status == 404
    assert (await ask(running, f"/{await service_of(sample, T46S)}/{T46S}-local.cfg")).body == LOCAL


async def test_the_users_changes_leave_over_clear_text_only_to_configured_networks(sample: Installation):
    security = Security(clear_text_networks=("192.0.2.0/24",))
    strict = replace(sample, settings=sample.settings.model_copy(update={"security": security}))
    async with serving(strict, lambda _: None) as server:
        service = await service_of(sample, T46S)
        for ending in ("-local.cfg", "-contact.xml"):
            assert (await bring(server, service, T46S + ending, FILES[ending])).status == 200
        assert (await ask(server, f"/{service}/{T46S}-local.cfg")).status == 404
        assert (await ask(server, f"/{service}/{T46S}-contact.xml")).status == 200
        assert "clear-text" in [row.reason for row in await requests(sample, server)]


async def test_a_phone_that_goes_away_half_way_leaves_the_version_before(
    sample: Installation, running: Running, service: str, caplog: pytest.LogCaptureFixture
):
    caplog.set_level("INFO")
    name = f"{T46S}-local.cfg"
    await bring(running, service, name, LOCAL)
    host, _, port = running.provisioning_url.removeprefix("http://").partition(":")
    for framing in (
        b"Content-Length: 900\r\n\r\nlang.gui = English\n",
        b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
    ):
        _, writer = await asyncio.open_connection(host, int(port))
        writer.write(f"PUT /{service}/{name} HTTP/1.1\r\nHost: x\r\n".encode() + framing)
        await writer.drain()
        writer.close()
        await writer.wait_closed()
    assert (await ask(running, f"/{service}/{name}")).body == LOCAL
    assert len(await versions(sample, T46S)) == 1
    assert service not in caplog.text


async def test_a_body_that_does_not_come_is_waited_for_no_longer_than_its_time(
    sample: Installation, running: Running, service: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(receiving, "_BODY_S", 0.05)
    head = f"PUT /{service}/{T46S}-local.cfg HTTP/1.1\r\nContent-Length: 10\r\n".encode()
    assert (await half(running, head)).startswith(b"HTTP/1.1 408 ")
    assert (await requests(sample, running))[-1].reason == "too-slow"


async def test_a_file_that_can_not_be_kept_is_not_acknowledged(
    sample: Installation, running: Running, service: str, monkeypatch: pytest.MonkeyPatch
):
    def full(_: Database) -> None:
        raise DatabaseUnavailable("the disk is full")

    name = f"{T46S}-local.cfg"
    with monkeypatch.context() as broken:
        broken.setattr(Database, "change", full)
        reply = await bring(running, service, name, LOCAL)
        assert (reply.status, reply.header("Retry-After")) == (503, "60")
    assert (await ask(running, f"/{service}/{name}")).status == 404
    assert (await bring(running, service, name, LOCAL)).status == 200


async def test_many_phones_bring_their_files_at_once(sample: Installation, running: Running):
    macs = (T46S, T54W, T23G, VP530P)
    services = {mac: await service_of(sample, mac) for mac in macs}

    async def bring_all(mac: str) -> list[int]:
        bodies = [b"%d" % number for number in range(8)]
        replies = [await bring(running, services[mac], f"{mac}-sys.log", body) for body in bodies]
        return [reply.status for reply in replies]

    assert await asyncio.gather(*map(bring_all, macs)) == [[200] * 8] * 4
    for mac in macs:
        assert [each.version for each in await versions(sample, mac)] == list(range(8, 0, -1))
