"""Features are inherited from product to customer to line, and locks hold below."""

from __future__ import annotations

import pytest

from provisioner.centrex.errors import BadValue, Conflict
from provisioner.centrex.features import (
    PLUS,
    PRODUCTS,
    STANDARD,
    TRUNK,
    Feature,
    FeatureSetting,
    FeatureValue,
    Product,
    Source,
    effective,
    override,
    reset,
)

OFF = FeatureSetting(value=False)
LOCKED_OFF = FeatureSetting(value=False, locked=True, reason="contract of 2015")


def test_the_three_products_have_what_their_names_promise() -> None:
    assert set(PRODUCTS) == {"telefonia-ip-standard", "telefonia-ip-plus", "biznes-trunk"}
    assert effective(Feature.CALL_LOGS, PLUS).value is True
    assert effective(Feature.CALL_LOGS, STANDARD).value is False
    assert effective(Feature.OWN_EXCHANGE, TRUNK).value is True


def test_a_level_that_says_nothing_inherits() -> None:
    assert effective(Feature.RECORDING, PLUS, {}, {}) == FeatureValue(True, Source.PRODUCT, False, "")


def test_the_lowest_word_counts() -> None:
    on = FeatureSetting(value=True)
    assert effective(Feature.RECORDING, PLUS, {Feature.RECORDING: OFF}, {}).source is Source.CUSTOMER
    value = effective(Feature.RECORDING, PLUS, {Feature.RECORDING: OFF}, {Feature.RECORDING: on})
    assert value == FeatureValue(True, Source.LINE, False, "")


def test_a_lock_outweighs_every_word_below_it_and_says_why() -> None:
    value = effective(
        Feature.RECORDING,
        PLUS,
        {Feature.RECORDING: LOCKED_OFF},
        {Feature.RECORDING: FeatureSetting(value=True)},
    )
    assert value == FeatureValue(False, Source.CUSTOMER, True, "contract of 2015")


def test_the_level_that_locks_is_not_locked_itself() -> None:
    assert not effective(Feature.RECORDING, PLUS, {Feature.RECORDING: LOCKED_OFF}).locked


def test_what_a_product_lacks_is_locked_below_it_and_names_the_product() -> None:
    value = effective(Feature.CALL_LOGS, STANDARD, {Feature.CALL_LOGS: FeatureSetting(value=True)})
    assert value == FeatureValue(False, Source.PRODUCT, True, "Telefonia IP standard does not have it")


def test_a_locked_feature_is_not_overridden() -> None:
    inherited = effective(Feature.CALL_LOGS, STANDARD, {})
    with pytest.raises(
        Conflict, match=r"call_logs is locked by the product \(Telefonia IP standard does not have it"
    ):
        override({}, Feature.CALL_LOGS, FeatureSetting(value=True), inherited)


def test_an_override_counts_until_it_is_reset() -> None:
    inherited = effective(Feature.RECORDING, PLUS, {})
    own = override({}, Feature.RECORDING, OFF, inherited)
    assert effective(Feature.RECORDING, PLUS, own).value is False
    assert effective(Feature.RECORDING, PLUS, reset(own, Feature.RECORDING)) == inherited
    assert reset({}, Feature.RECORDING) == {}


def test_a_lock_that_goes_gives_the_word_below_it_back() -> None:
    line = {Feature.RECORDING: OFF}
    locked = Product("p", "P", {Feature.RECORDING: FeatureSetting(value=True, locked=True)})
    assert effective(Feature.RECORDING, locked, {}, line).value is True
    assert effective(Feature.RECORDING, PLUS, {}, line).value is False


@pytest.mark.parametrize(
    ("feature", "value"),
    [(Feature.CONCURRENT_CALLS, True), (Feature.CONCURRENT_CALLS, -1), (Feature.RECORDING, 1)],
)
def test_a_value_of_the_wrong_kind_is_refused(feature: Feature, value: bool | int) -> None:
    with pytest.raises(BadValue, match=feature):
        override({}, feature, FeatureSetting(value=value), effective(feature, PLUS, {}))
