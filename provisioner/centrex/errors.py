"""What the domain refuses. Every refusal has a stable code for programs and says what to do."""

from __future__ import annotations

from collections.abc import Iterator


class CentralkaError(Exception):
    """Root of our refusals.

    `code` is stable and for programs; `str(error)` is for people and says what to do.
    """

    code = "refused"


class BadValue(CentralkaError):
    """A value that no rule of the domain can take: wrong form, range or characters."""

    code = "bad-value"


class NotFound(CentralkaError):
    """What was named is not there (or is somebody else's, which must look the same)."""

    code = "not-found"


class Conflict(CentralkaError):
    """Two things of one company contradict each other; the message names both."""

    code = "conflict"


class Forbidden(CentralkaError):
    """The actor's role may not do this."""

    code = "forbidden"


def within(group: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    """The errors of a group: task groups within task groups wrap each other's."""
    for each in group.exceptions:
        if isinstance(each, BaseExceptionGroup):
            yield from within(each)
        else:
            yield each
