"""kill -9 in the middle of `apply` leaves the company as it was, or as the file says it: never between.

There are more phones than fit into a slice: where the change was kept and their files were not yet, they are
written by who comes next.
"""
from __future__ import annotations

import asyncio
import os
import sqlite3
import sys
from collections import Counter
from pathlib import Path

from sqlalchemy import select

from db.schema import DeviceFileRow, DeviceRow, RevisionRow
from provisioner.centrex.customer import Customer
from provisioner.centrex.mac import MacAddress
from provisioner.operations.context import surroundings
from provisioner.operations.installation import Installation
from provisioner.operations.owed import settle
from provisioner.operations.revisions import digest_of
from provisioner.phones.check import phone_files
from provisioner.store.customers import load_customer
from tests.copies import config_file
from tests.forked import Moments, forking
from tests.provisioner.operations.small import line, phone, written

ROUNDS = 50 if os.environ.get("CENTRALKA_PROVE") else 2
PHONES = 24
LISTEN = 'portal = "127.0.0.1:0"\nprovisioning = "127.0.0.1:0"\nsip = "127.0.0.1:0"'
"As `loopback_settings` have it."
MODELS = ("T46S", "T54W", "VP530P", "T23G")


def company(phones: int, *, name: str, language: str) -> str:
    """A company file; two that differ in all of it touch every phone, and make and remove some."""
    numbers = [f"4822111{each:04}" for each in range(phones)]
    return written(
        {
            "login": "firma",
            "name": name,
            "phone": {"language": language},
            "lines": [line(each) for each in numbers],
            "extensions": [
                {"number": f"{201 + at}", "line": each, "name": f"{name} {at}", "published": True}
                for at, each in enumerate(numbers)
            ],
            "devices": [
                phone(
                    MacAddress.parse(f"0015650000{at:02x}"),
                    MODELS[at % len(MODELS)],
                    each,
                    keys=[{"key": 1, "type": "blf", "value": f"{201 + (at + 1) % phones}"}],
                )
                for at, each in enumerate(numbers)
            ],
        }
    )


async def test_a_company_whose_change_is_killed_is_the_old_one_or_the_new_one(
    installation: Installation, database_url: str, tmp_path: Path
):
    files = [tmp_path / "monday.yaml", tmp_path / "tuesday.yaml"]
    files[0].write_text(company(PHONES, name="Poniedziałek", language="pl"), encoding="utf-8")
    files[1].write_text(company(PHONES - 6, name="Wtorek", language="en"), encoding="utf-8")
    where = ("--data-dir", tmp_path, "--config", config_file(tmp_path, database_url, listen=LISTEN))
    with forking() as commands:
        said = {}
        for file in (*files, files[0]):
            run = await asyncio.to_thread(commands.run, "apply", file, *where)
            assert run.was_acknowledged, run.said
            said[file] = await looked_at(installation)
        assert said[files[0]] != said[files[1]]
        moments, seen = Moments(ROUNDS, run.lasted_s), Counter[str]()
        while (killed := seen["the old one"] + seen["the new one"]) < ROUNDS:
            old, new = files
            after_s = moments.of(killed)
            run = await asyncio.to_thread(commands.run, "apply", new, *where, killed_after_s=after_s)
            # Whether a killed change is kept is settled when its transaction is over.
            async with installation.database.change():
                pass
            # What it has kept is all of the change, and files that are still owed: the next one settles them.
            await settle(installation)
            found = await looked_at(installation)
            assert found in (said[old], said[new])
            is_new = found == said[new]
            if run.was_killed:
                seen["the new one" if is_new else "the old one"] += 1
            else:
                assert run.was_acknowledged, run.said
                assert is_new
                seen["ended before"] += 1
                moments.measured(run)
            again = await asyncio.to_thread(commands.run, "apply", new, *where)
            assert again.was_acknowledged, again.said
            assert ("Nothing changes" in again.said) is is_new
            if not is_new:
                moments.measured(again)
            assert await looked_at(installation) == said[new]
            files.reverse()
    sys.stderr.write(f"killed {ROUNDS} times: {dict(seen)}\n")


async def looked_at(installation: Installation) -> Customer:
    """The company as it is stored, whole, with every phone's files as this company has them."""
    url = installation.database.url
    if url.drivername == "sqlite":
        with sqlite3.connect(f"file:{url.database}?mode=ro", uri=True) as file:
            assert file.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            assert file.execute("PRAGMA foreign_key_check").fetchall() == []
        file.close()
    async with installation.database.read() as session:
        stored = await load_customer(session, installation.vault, "firma")
        assert stored is not None
        texts = phone_files(stored.customer, await surroundings(session, installation, stored))
        query = (
            select(DeviceRow.mac, DeviceFileRow.name, RevisionRow.content, RevisionRow.digest)
            .join(DeviceFileRow, DeviceFileRow.device_id == DeviceRow.id)
            .join(RevisionRow, DeviceFileRow.current_revision_id == RevisionRow.id)
        )
        found = [tuple(row) for row in await session.execute(query)]
    assert {(mac, name): content for mac, name, content, _ in found} == {
        (mac.hex, file): text for mac, of_phone in texts.items() for file, text in of_phone.items()
    }
    assert all(digest == digest_of(content) for *_, content, digest in found)
    return stored.customer
