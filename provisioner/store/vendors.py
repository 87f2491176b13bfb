"""The levels of vendors and models as rows, and back."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from db.queries.customers import settings_of_vendors
from db.vault import Vault
from provisioner.centrex.devices import ModelLevel, VendorLevel
from provisioner.store.options import IsSecret, Said, read_level, write_level

YEALINK = "yealink"
"The one vendor so far: every model level is its."


async def load_vendor(session: AsyncSession, vault: Vault) -> VendorLevel:
    """What is said for every Yealink phone and for its models."""
    rows = await settings_of_vendors(session)
    own = read_level([row for row in rows if row.level == "vendor"], vault)
    models = sorted({row.model for row in rows if row.model is not None})
    return VendorLevel(
        YEALINK,
        own.phone,
        own.settings,
        tuple(
            ModelLevel(model, said.phone, said.settings)
            for model in models
            for said in (read_level([row for row in rows if row.model == model], vault),)
        ),
    )


async def save_vendor(session: AsyncSession, vault: Vault, vendor: VendorLevel, is_secret: IsSecret) -> None:
    """Makes the rows what the levels say."""
    rows = await settings_of_vendors(session)
    own = [row for row in rows if row.level == "vendor"]
    said = Said(vendor.phone, vendor.settings)
    write_level(session, vault, own, said, is_secret, level="vendor", vendor=vendor.vendor)
    wanted = {model.model: model for model in vendor.models}
    for model in sorted(wanted.keys() | {row.model for row in rows if row.model is not None}):
        level = wanted.get(model, ModelLevel(model))
        there = [row for row in rows if row.model == model]
        said = Said(level.phone, level.settings)
        write_level(session, vault, there, said, is_secret, level="model", model=model)
    await session.flush()
