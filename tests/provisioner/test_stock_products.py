"""The products that a new database comes with are those of the domain."""

from __future__ import annotations

import sqlalchemy as sa

from db.engine import Database
from provisioner.centrex.features import PRODUCTS, Feature, effective


async def test_a_new_database_has_the_products_of_the_domain_feature_by_feature(database: Database) -> None:
    query = sa.text(
        "SELECT p.name, p.title, f.name, x.value, x.locked FROM products p"
        " JOIN product_features x ON x.product_id = p.id JOIN features f ON f.id = x.feature_id"
    )
    async with database.read() as session:
        stored = {tuple(row) for row in await session.execute(query)}
    assert stored == {
        (code, product.name, feature.value, str(int(effective(feature, product).value)), locked)
        for code, product in PRODUCTS.items()
        for feature in Feature
        for locked in (effective(feature, product, {}).locked,)
    }
