"""The SIP accounts that a phone has been given, read from its settings as its firmware reads them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from phone_templates.catalogue import Generation
from phone_templates.yealink.boot import BootMachine
from phone_templates.yealink.user_agent import write_user_agent
from sip.transport.flow import Address, Transport

_TRANSPORTS = {"0": Transport.UDP, "1": Transport.TCP, "2": Transport.TLS}
"What the vendor's numbers stand for; 3 is DNS SRV, which our files never say."


@dataclass(frozen=True, slots=True)
class Account:
    """One `account.N` that is on: all that a phone has to know to register."""

    number: int
    user_name: str
    "Of the AOR."
    auth_name: str
    "Of the digest."
    password: str = field(repr=False)
    server: Address
    transport: Transport
    expires_s: int
    "What it asks for."
    mac: str
    "Twelve lower-case hex digits."
    sends_mac: bool
    "`register_mac`: REGISTER says which phone of a shared line it is."
    user_agent: str
    "What such a phone calls itself over SIP: no MAC."
    retry_s: float = 30.0
    "After which it tries again where it was not registered; the vendor's, unless the file says another."

    @property
    def aor(self) -> str:
        """Without a port, as phones write it."""
        return f"sip:{self.user_name}@{self.server.host}"

    @property
    def registrar(self) -> str:
        """Where its REGISTER goes, as a URI."""
        return f"sip:{self.server};transport={self.transport}"

    @classmethod
    def read(cls, phone: BootMachine, number: int) -> Self | None:
        """`account.number` of a phone that has booted; None: it is off.

        Raises `KeyError` where a setting that the phone needs is missing.
        """
        given = _Settings(phone.memory.settings, f"account.{number}")
        if given.get("enable") != "1":
            return None
        if given.get("outbound_proxy_enable", "0") != "0":
            raise NotImplementedError("the software phone goes by no proxy")
        # Firmware before V71 has one server and no numbers; the rest moved there later.
        has_numbered_server = phone.generation is not Generation.V70
        keeps_old_names = phone.generation in (Generation.V70, Generation.V71)
        host, port = (
            ("sip_server.1.address", "sip_server.1.port")
            if has_numbered_server
            else ("sip_server_host", "sip_server_port")
        )
        return cls(
            number=number,
            user_name=given["user_name"],
            auth_name=given["auth_name"],
            password=given["password"],
            server=Address(given[host], int(given[port])),
            transport=_TRANSPORTS[given["transport" if keeps_old_names else "sip_server.1.transport_type"]],
            expires_s=int(given["expires" if keeps_old_names else "sip_server.1.expires"]),
            mac=phone.mac,
            sends_mac=given.get("register_mac") == "1",
            user_agent=write_user_agent(phone.model, phone.firmware, None, phone.name),
            retry_s=float(given.get("reg_fail_retry_interval") or 30),
        )


class _Settings:
    """The settings of one account."""

    def __init__(self, settings: Mapping[str, str], prefix: str) -> None:
        self._settings, self._prefix = settings, prefix

    def __getitem__(self, name: str) -> str:
        return self._settings[f"{self._prefix}.{name}"]

    def get(self, name: str, default: str | None = None) -> str | None:
        return self._settings.get(f"{self._prefix}.{name}", default)


def accounts(phone: BootMachine) -> tuple[Account, ...]:
    """Those that are on, on a phone that has booted. Raises as `Account.read`."""
    read = (Account.read(phone, number) for number in range(1, phone.model.accounts + 1))
    return tuple(each for each in read if each is not None)
