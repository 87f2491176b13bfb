"""What an event package is to the notifier."""

from __future__ import annotations

from typing import Protocol, TypeVar

S_contra = TypeVar("S_contra", contravariant=True)


class Package(Protocol[S_contra]):
    """One kind of state that can be subscribed to. States are immutable, and `==` if there is no news."""

    @property
    def name(self) -> str:
        """What Event says."""

    @property
    def content_type(self) -> str:
        """Of the bodies."""

    @property
    def default_s(self) -> int:
        """How long a subscription lasts that asks for no time."""

    @property
    def interval_s(self) -> float:
        """The least time between two notifications of one subscription."""

    def body(self, state: S_contra, before: S_contra | None, version: int) -> bytes:
        """What tells of `state`. `before`: what the subscriber knows; None: nothing, or it wants all of it.

        `version` counts the notifications of the subscription from 0.
        """
