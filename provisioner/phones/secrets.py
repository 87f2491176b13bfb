"""How a file refers to a secret: by its name and version, so that new secrets are new bytes."""

from __future__ import annotations

from collections.abc import Mapping

from phone_templates.values import Secret

Versions = Mapping[str, int]
"How often each secret was set, by its name without the version."


def referred(name: str, versions: Versions) -> Secret:
    """The secret `name` as a file refers to it: with its version, 1 where it was never changed."""
    return Secret(f"{name}@{versions.get(name, 1)}")
