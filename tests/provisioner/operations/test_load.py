"""What can wait does, while the process has much to do."""

from __future__ import annotations

from provisioner.operations.load import Load


def test_load_is_the_share_of_a_core_that_was_used_in_the_last_second():
    now, used = 0.0, 0.0
    load = Load(60, lambda: now, lambda: used)
    assert not load.is_high
    now, used = 1.0, 0.7
    assert load.is_high
    # Within a second it is not measured anew: that would be no share of anything.
    now, used = 1.5, 0.7
    assert load.is_high
    now, used = 2.0, 1.2
    assert not load.is_high
