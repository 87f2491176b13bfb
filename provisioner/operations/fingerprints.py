"""What a number's test calls expect, as a short text: while it is the same, so is what they prove."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import replace
from importlib.metadata import version

from provisioner.centrex.exchange import Exchange
from provisioner.centrex.trial_caller import with_caller
from provisioner.operations.trials import trials


def fingerprint(exchange: Exchange, number: str, emergency_numbers: Collection[str]) -> str:
    """Of what is configured for a number, and of the version that obeys it.

    It is another one exactly when a phone would ring otherwise, or may: who has answered last is no
    configuration, and who stands by is not what is proved. Raises `NotFound`, `BadValue`.
    """
    asked = with_caller(replace(exchange, used={}), emergency_numbers)
    expected = trials(asked, number, emergency_numbers=emergency_numbers)
    digest = hashlib.sha256(version("centralka").encode())
    for each in expected:
        digest.update(repr(replace(each, bystanders=())).encode())
    return digest.hexdigest()[:32]
