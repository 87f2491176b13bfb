"""What is not there is refused with what to do, on whichever way it is asked for."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from uuid import UUID

import pytest

from provisioner.centrex.actor import COMMAND_LINE
from provisioner.centrex.errors import NotFound
from provisioner.centrex.mac import MacAddress
from provisioner.operations import missing
from provisioner.operations.alarms import Wanted as Alarms
from provisioner.operations.alarms import acknowledge, alarm_page
from provisioner.operations.api_tokens import create_token
from provisioner.operations.calls import show_call
from provisioner.operations.devices import list_devices
from provisioner.operations.encryption import rotate
from provisioner.operations.exchanges import exchange_called
from provisioner.operations.installation import Installation, utc_now
from provisioner.operations.line_services import set_dnd
from provisioner.operations.proof_history import show_proof
from provisioner.operations.proof_runs import show_run
from provisioner.operations.registrations import Wanted as Lines
from provisioner.operations.registrations import list_registrations
from provisioner.operations.uploads import list_uploads

PHONE, NOBODY = MacAddress("001565000099"), UUID(int=0)
CUSTOMER, LINE, DEVICE = "list it with `apply` first", "correct the number", "`devices import` first"
ASKED: dict[str, tuple[Callable[[Installation], Awaitable[object]], str]] = {
    "token": (lambda each: create_token(each, "x", COMMAND_LINE, customer="nikt"), CUSTOMER),
    "devices": (lambda each: list_devices(each, "nikt"), CUSTOMER),
    "encryption": (lambda each: rotate(each, "nikt", COMMAND_LINE), CUSTOMER),
    "exchange": (lambda each: exchange_called(each, "nikt"), CUSTOMER),
    "alarms": (lambda each: alarm_page(each, Alarms(customer="nikt")), CUSTOMER),
    "registrations": (lambda each: list_registrations(each, Lines(customer="nikt")), CUSTOMER),
    "registrations of a line": (lambda each: list_registrations(each, Lines(line="0")), LINE),
    "registrations of a phone": (lambda each: list_registrations(each, Lines(mac=PHONE)), DEVICE),
    "services": (lambda each: set_dnd(each, "0", COMMAND_LINE, dnd=True), LINE),
    "uploads": (lambda each: list_uploads(each, PHONE), DEVICE),
    "call": (lambda each: show_call(each, NOBODY), "`centralka calls` and /api/v1/calls"),
    "test call": (lambda each: show_proof(each, 7), "the portal and /api/v1/test-calls"),
    "run": (lambda each: show_run(each, 7), "`centralka test-calls list` and /api/v1/test-runs"),
    "alarm": (lambda each: acknowledge(each, 7, COMMAND_LINE, utc_now()), "`centralka alarms list` and /api"),
}


@pytest.mark.parametrize("asked", ASKED)
async def test_it_is_said_what_to_do(firma: Installation, asked: str):
    ask, advice = ASKED[asked]
    with pytest.raises(NotFound, match=advice) as refused:
        await ask(firma)
    assert refused.value.code == "not-found"


def test_no_saying_lacks_its_advice():
    functions = inspect.getmembers(missing, inspect.isfunction)
    sayings = [each for name, each in functions if name.startswith("no_")]
    assert len(sayings) >= 7
    for say in sayings:
        what, _, to_do = str(say(*["x"] * len(inspect.signature(say).parameters))).partition(": ")
        assert what, say
        assert to_do, say
