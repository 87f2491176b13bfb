"""Products and their features: inherited from product to customer to line, locked where a level says so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from provisioner.centrex.errors import BadValue, Conflict


class Feature(StrEnum):
    """What a product may have. The first ones are switches, the last ones are counts."""

    CENTREX = "centrex"
    "Extensions, groups and codes of ours."
    CALL_LOGS = "call_logs"
    RECORDING = "recording"
    GROUP_STATISTICS = "group_statistics"
    OWN_EXCHANGE = "own_exchange"
    "A customer's own PBX registers, or sits at a fixed address, with a range of numbers."
    CONCURRENT_CALLS = "concurrent_calls"
    "At most so many calls at once."

    @property
    def is_count(self) -> bool:
        """Whether its value is a number, not a switch."""
        return self is Feature.CONCURRENT_CALLS


class Source(StrEnum):
    """The level that a value comes from, from the most general to the most special."""

    PRODUCT = "product"
    CUSTOMER = "customer"
    LINE = "line"


@dataclass(frozen=True, slots=True)
class FeatureSetting:
    """What one level says about a feature."""

    value: bool | int
    "On or off; for a count, how many."
    locked: bool = False
    "The levels below can't change it."
    reason: str = ""
    "Why it is so, for the page: whom to ask, which contract."


Settings = Mapping[Feature, FeatureSetting]


@dataclass(frozen=True, slots=True)
class Product:
    """What a line is sold as."""

    code: str
    "Its name in files, such as telefonia-ip-plus."
    name: str
    features: Settings = field(default_factory=dict)
    "What it says; a feature that it doesn't name, it lacks."


@dataclass(frozen=True, slots=True)
class FeatureValue:
    """A feature as it is for one line or customer."""

    value: bool | int
    source: Source
    'Pages show "inherited from ..." by it.'
    locked: bool
    "The level that asks can't change it: one above has locked it."
    reason: str


def _lacked(name: str) -> FeatureSetting:
    return FeatureSetting(value=False, locked=True, reason=f"{name} does not have it")


def _has(*features: Feature) -> dict[Feature, FeatureSetting]:
    return {feature: FeatureSetting(value=True) for feature in features}


_ONE_LINE = {Feature.CONCURRENT_CALLS: FeatureSetting(value=2), **_has(Feature.CENTREX)}
"One call and one waiting."

STANDARD = Product("telefonia-ip-standard", "Telefonia IP standard", _ONE_LINE)
PLUS = Product(
    "telefonia-ip-plus",
    "Telefonia IP plus",
    {**_ONE_LINE, **_has(Feature.CALL_LOGS, Feature.RECORDING, Feature.GROUP_STATISTICS)},
)
TRUNK = Product(
    "biznes-trunk",
    "Biznes Trunk",
    {Feature.CONCURRENT_CALLS: FeatureSetting(value=30), **_has(Feature.OWN_EXCHANGE)},
)

PRODUCTS: Mapping[str, Product] = {product.code: product for product in (STANDARD, PLUS, TRUNK)}
"The products that come with it, by code."


def effective(
    feature: Feature, product: Product, customer: Settings | None = None, line: Settings | None = None
) -> FeatureValue:
    """The feature's value for the lowest level given: a line, else a customer, else the product itself.

    A level's word counts unless a level above has locked the feature; then the lock and its reason count.
    """
    setting = product.features.get(feature) or _lacked(product.name)
    source = Source.PRODUCT
    locked = False
    for level, said in ((Source.CUSTOMER, customer), (Source.LINE, line)):
        if said is None:
            continue
        locked = setting.locked
        if locked:
            break
        if feature in said:
            setting, source = said[feature], level
    return FeatureValue(setting.value, source, locked, setting.reason)


def override(
    settings: Settings, feature: Feature, setting: FeatureSetting, inherited: FeatureValue
) -> Settings:
    """A level's settings with its own word for a feature.

    `inherited` is `effective` for the level that asks. Raises `Conflict` when a level above has locked the
    feature, `BadValue` when the value is of the wrong kind.
    """
    if inherited.locked:
        because = f" ({inherited.reason})" if inherited.reason else ""
        raise Conflict(
            f"{feature} is locked by the {inherited.source}{because}: ask your operator to change it"
        )
    if feature.is_count:
        if isinstance(setting.value, bool) or setting.value < 0:
            raise BadValue(f"{feature} is a count: give a whole number, 0 or more")
    elif not isinstance(setting.value, bool):
        raise BadValue(f"{feature} is a switch: give true or false")
    return {**settings, feature: setting}


def reset(settings: Settings, feature: Feature) -> Settings:
    """A level's settings without a word of its own: the feature is inherited again."""
    return {name: setting for name, setting in settings.items() if name is not feature}
