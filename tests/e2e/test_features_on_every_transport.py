"""Soft phones of three makers use each feature on each transport, set up by the files that they are given.

The scenes of a test have its server and phones one after another: each leaves everything as it was.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from sip.transport.flow import Transport
from tests.e2e.exchange import Site
from tests.e2e.features import groups, lamps, lines, talks
from tests.e2e.features.stage import stage

on_every_transport = pytest.mark.parametrize("transport", list(Transport))


@on_every_transport
async def test_groups_ring_whom_they_should(
    transport: Transport, tmp_path: Path, migrated_sqlite: Path
) -> None:
    async with stage(
        tmp_path, migrated_sqlite, transport,
        baresips=("101", "103", "104"), linphones=("102",), company=groups.COMPANY,
    ) as phones:  # fmt: skip
        for scene in groups.SCENES:
            await scene(phones)


@on_every_transport
async def test_lines_do_as_they_are_told(transport: Transport, tmp_path: Path, migrated_sqlite: Path) -> None:
    site = Site.make()
    async with stage(
        tmp_path, migrated_sqlite, transport, site=site, tables=lines.tables(site),
        baresips=("101", "103", "104"), linphones=("102",), company=lines.COMPANY, services=lines.SERVICES,
    ) as phones:  # fmt: skip
        for scene in lines.SCENES:
            await scene(phones)


@on_every_transport
async def test_phones_talk_and_keys_light_up(
    transport: Transport, tmp_path: Path, migrated_sqlite: Path
) -> None:
    async with stage(
        tmp_path, migrated_sqlite, transport,
        baresips=("103", "104"), linphones=("101", "102"), company=lamps.COMPANY,
    ) as phones:  # fmt: skip
        for scene in (*talks.SCENES, *lamps.SCENES):
            await scene(phones)


async def test_phones_of_different_transports_ring_in_a_group(tmp_path: Path, migrated_sqlite: Path) -> None:
    async with stage(
        tmp_path, migrated_sqlite, Transport.UDP,
        others={"102": Transport.TCP, "103": Transport.TLS, "104": Transport.TLS},
        baresips=("101", "103", "104"), linphones=("102",), company=groups.COMPANY,
    ) as phones:  # fmt: skip
        await groups.members_ring_in_their_order(phones)
        await groups.members_ring_together(phones)
