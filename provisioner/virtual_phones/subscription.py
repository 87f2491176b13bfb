"""What a phone wants to be told: lamps of its keys, and whether messages wait (RFC 6665 §4.1)."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass

from phone_templates.yealink.boot import BootMachine
from phone_templates.yealink.key_types import Bank, UnknownKeyType, key_number
from provisioner.virtual_phones.asking import ask
from provisioner.virtual_phones.registration import Registration
from sip.dialog import Dialog
from sip.errors import SipError
from sip.message.message import Request
from sip.message.values import Event
from sip.server import SipServer

_EXPIRES_S = 1800
"The vendor's, for lamps and messages alike."
_AGAIN_S = 60.0
_BANKS = {"linekey": Bank.LINE, "memorykey": Bank.MEMORY, "expansion_module": Bank.EXPANSION}
_ACCEPT = {
    "dialog": "application/dialog-info+xml",
    "message-summary": "application/simple-message-summary",
}


@dataclass(frozen=True, slots=True)
class Wish:
    """Something that the settings have the phone subscribe to."""

    account: int
    package: str
    user: str
    "Of the URI that it is about."


def wishes(phone: BootMachine) -> tuple[Wish, ...]:
    """Of a phone that has booted: one for each extension that a key watches, and each mailbox."""
    settings = phone.memory.settings
    found: dict[Wish, None] = {}
    for name, value in settings.items():
        key, _, last = name.rpartition(".")
        bank = _BANKS.get(key.partition(".")[0])
        if last == "type" and bank is not None and value == _blf(bank, phone):
            watched = settings.get(f"{key}.value", "")
            first = 0 if phone.model.zero_based_blf_lines else 1
            number = settings.get(f"{key}.line", "")
            if watched and number.isdecimal():
                found[Wish(int(number) + 1 - first, "dialog", watched)] = None
        elif last == "subscribe_mwi" and key.startswith("account.") and value == "1":
            number = key.partition(".")[2]
            user = settings.get(f"{key}.user_name", "")
            if number.isdecimal() and user:
                found[Wish(int(number), "message-summary", user)] = None
    return tuple(found)


def _blf(bank: Bank, phone: BootMachine) -> str | None:
    try:
        return str(key_number("blf", bank, phone.generation))
    except UnknownKeyType:
        return None


class Subscription:
    """One of them, while the phone is on the line."""

    def __init__(
        self,
        wish: Wish,
        registration: Registration,
        server: SipServer,
        told: Callable[[Subscription], None],
    ) -> None:
        """`told` hears of each answer."""
        self.wish = wish
        self.registration = registration
        self.status: int | None = None
        "Of the last answer; None: there was none."
        self._server, self._told = server, told
        self._call_id, self._tag = secrets.token_hex(16), secrets.token_hex(8)
        self._cseq = 0
        self._dialog: Dialog | None = None
        self._expires_s = _EXPIRES_S
        self._last: Request | None = None

    async def stay(self, hurry: float = 1.0) -> None:
        """Once it is registered: subscribes, and refreshes in good time, until it is cancelled.

        Where it failed it waits a `hurry`th of what it would.
        """
        await self.registration.is_up.wait()
        while True:
            await self._subscribe(_EXPIRES_S)
            self._told(self)
            is_there = self.status is not None and self.status < 300
            await asyncio.sleep(self._expires_s / 2 if is_there else _AGAIN_S / hurry)

    async def end(self) -> None:
        """Wants to hear no more (§4.1.2.3)."""
        if self._dialog is not None:
            await self._subscribe(0)

    def takes(self, notify: Request) -> bool:
        """Whether a NOTIFY is for it."""
        if notify.call_id != self._call_id:
            return False
        state = notify.subscription_state
        if state is not None and state.state == "terminated":
            self._dialog = None
        return True

    async def _subscribe(self, expires_s: int) -> None:
        answer = await ask(
            self._server, self.registration.flow, self.registration.login, lambda: self._request(expires_s)
        )
        self.status = None if answer is None else answer.status
        if answer is None or answer.status >= 300:
            self._dialog = None
        elif self._dialog is None and self._last is not None and expires_s:
            try:
                self._dialog = Dialog.as_client(self._last, answer)
            except SipError:
                self.status = 502
            self._expires_s = answer.expires_s or _EXPIRES_S

    def _request(self, expires_s: int) -> Request:
        if self._dialog is not None:
            request = self._dialog.request("SUBSCRIBE")
        else:
            self._cseq += 1
            request = self.registration.request("SUBSCRIBE", self.wish.user, self._cseq)
            request.from_ = request.from_.with_tag(self._tag)
            request.call_id = self._call_id
        request.contact = (self.registration.contact,)
        request.event = Event(self.wish.package)
        request.headers.add("Accept", _ACCEPT[self.wish.package])
        request.expires_s = expires_s
        self._last = request
        return request
