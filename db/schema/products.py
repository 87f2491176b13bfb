"""Products and the features that they give to customers and lines."""

from __future__ import annotations

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from db.schema.base import Base, Numbered, one_of


class ProductRow(Numbered):
    """What a line is sold as, such as `telefonia-ip-plus`."""

    __tablename__ = "products"

    name: Mapped[str] = mapped_column(unique=True)
    title: Mapped[str]
    "As a bill names it."


class FeatureRow(Numbered):
    """Something that a product has or lacks. Values are text, read by `type`."""

    __tablename__ = "features"
    __table_args__ = (one_of("type", "flag", "number", "text"),)

    name: Mapped[str] = mapped_column(unique=True)
    type: Mapped[str]
    default: Mapped[str]
    "Holds where no product, customer or line says otherwise; a flag is `0` or `1`."


class ProductFeatureRow(Base):
    """What a product says of a feature."""

    __tablename__ = "product_features"

    product_id: Mapped[int] = mapped_column(ForeignKey("products.id", ondelete="CASCADE"), primary_key=True)
    feature_id: Mapped[int] = mapped_column(
        ForeignKey("features.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    value: Mapped[str]
    locked: Mapped[bool] = mapped_column(default=False)
    "Customers and lines may not set it otherwise."
    reason: Mapped[str] = mapped_column(default="")
    "Why it is locked, for people."
