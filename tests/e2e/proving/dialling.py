"""Ways to break what codes do that phones dial."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from provisioner.centrex.codes import Case, Code, Disturb, Forward, Hide, LogIn
from provisioner.pbx import router
from provisioner.pbx.twin_sources import TwinCodes
from sip.call.ringing import Outcome
from sip.call.tree.phone import Refusal
from tests.e2e.proving.breaking import Break, instead, put


def misread(change: Callable[[Code], Code | None]) -> Break:
    """The router takes codes for other ones, or for none."""

    def read(codes: object, dialled: str, original: Callable[..., Code | None]) -> Code | None:
        code = original(codes, dialled)
        return None if code is None else change(code)

    return instead(router, "code_in", lambda original: lambda codes, dialled: read(codes, dialled, original))


async def _refuses(*_: object) -> Refusal:
    return Refusal(Outcome.REFUSED, 403)


unknown = misread(lambda _: None)
refused = put(TwinCodes, "carry_out", _refuses)
disturbs_the_wrong_way = misread(
    lambda code: replace(code, dnd=not code.dnd) if isinstance(code, Disturb) else code
)
never_taken_back = misread(lambda code: replace(code, enabled=True) if isinstance(code, Forward) else code)
all_instead_of_busy = misread(
    lambda code: replace(code, case=Case.ALWAYS) if isinstance(code, Forward) else code
)
logs_the_wrong_way = misread(
    lambda code: replace(code, logged_in=not code.logged_in) if isinstance(code, LogIn) else code
)
hides_instead_of_showing = misread(
    lambda code: replace(code, is_hidden=True) if isinstance(code, Hide) else code
)


def forwards_to(number: str) -> Break:
    """Whatever number was dialled after the code."""
    return misread(lambda code: replace(code, to=number) if isinstance(code, Forward) and code.to else code)
