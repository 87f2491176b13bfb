"""sipsak 0.9: says one REGISTER, logs in when it is asked to, and ends."""

from __future__ import annotations

from pathlib import Path

from provisioner.virtual_phones.account import Account
from sip.transport.flow import Address
from tests.e2e.softphones.program import running


async def register(account: Account, folder: Path, contact: Address, expires_s: int | None = None) -> int:
    """Its exit code: 0 is a 200. `expires_s` of 0 takes the binding of `contact` back."""
    expires_s = account.expires_s if expires_s is None else expires_s
    command = ["sipsak", "-U", "-E", str(account.transport), "-H", contact.host]
    # Without -u it does not log in, though it has a password.
    command += ["-u", account.auth_name, "-a", account.password, "-x", str(expires_s)]
    command += ["-C", f"sip:{account.user_name}@{contact}", "-s", f"sip:{account.user_name}@{account.server}"]
    async with running(command, folder) as program:
        return await program.ended()
