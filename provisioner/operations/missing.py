"""What is said of what is not there, or not for the one who asks to see: nobody can tell which."""

from __future__ import annotations

from uuid import UUID

from provisioner.centrex.errors import NotFound
from provisioner.centrex.mac import MacAddress


def no_customer(login: str) -> NotFound:
    """No customer has this login."""
    return NotFound(f"there is no customer {login!r}: correct the login, or list it with `apply` first")


def no_device(mac: MacAddress | str) -> NotFound:
    """No device is listed by this MAC."""
    return NotFound(f"there is no device {mac}: list it with `apply` or `devices import` first")


def no_line(number: str) -> NotFound:
    """No line has this number."""
    return NotFound(f"there is no line {number!r}: correct the number, or list it with `apply` first")


def no_file(mac: MacAddress, file: str) -> NotFound:
    """A device has no file of that kind."""
    return NotFound(f"device {mac} has no {file} file: `centralka devices show {mac}` lists what it has")


def no_call(call: UUID | str) -> NotFound:
    """No call that is kept has this id."""
    return NotFound(f"there is no call {call}: `centralka calls` and /api/v1/calls list what is kept")


def no_test_call(number: int | str) -> NotFound:
    """No test call that is kept has this number."""
    return NotFound(f"there is no test call {number}: the portal and /api/v1/test-calls list what is kept")


def no_alarm(number: int | str) -> NotFound:
    """No alarm of this number waits."""
    return NotFound(
        f"no alarm {number} waits for anybody: `centralka alarms list` and /api/v1/alarms show those that do"
    )


def no_run(number: int | str) -> NotFound:
    """No run of test calls has this number."""
    return NotFound(
        f"there is no run of test calls {number}: `centralka test-calls list` and /api/v1/test-runs list"
        " what is kept"
    )
