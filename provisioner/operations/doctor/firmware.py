"""Whether the firmware folder holds what was added."""

from __future__ import annotations

from collections.abc import AsyncIterator
from itertools import groupby

from provisioner.operations.doctor.check import Check, failure, ok, some, warning
from provisioner.operations.firmware_check import check_firmware
from provisioner.operations.installation import Installation, database_file


async def check_firmware_files(installation: Installation) -> AsyncIterator[Check]:
    """Files that phones would ask for in vain, and those that lie there for nothing. Reads all of them."""
    damages = sorted(await check_firmware(installation), key=lambda each: each.fault)
    for fault, each in groupby(damages, key=lambda damage: damage.fault):
        files = list(each)
        message = f"{len(files)} firmware files ({fault}): {some([file.name for file in files])}"
        advice = files[0].advice
        if not fault.is_missed:
            yield warning("firmware", message, advice)
            continue
        if database_file(installation.data_dir, installation.settings) is None:
            advice += (
                f"; where several machines share the database, each needs the files: share"
                f" {installation.firmware_dir}, or copy it to all of them"
            )
        yield failure("firmware", message, advice)
    if not damages:
        yield ok("firmware", "every firmware file is as it was added")
