"""Which listed phone a REGISTER comes from, as far as that can be told. A hint, and never authority.

A line that one phone has on an account is that phone's. Where several have it, phones that say their MAC are
told apart by it (`register_mac` in their files, or the end of `+sip.instance`), others by the address that
they fetched their files from. A phone that refreshes is the one that it was, whose line it may be by now.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from contextlib import suppress

from db.engine import Database
from db.queries.registrations import PhoneOfLine, phones_of_lines
from phone_templates.yealink.user_agent import parse_user_agent
from provisioner.pbx.keys import LINE
from provisioner.pbx.news import News
from sip.binding import Binding
from sip.message.errors import MessageError
from sip.message.message import Request

_MOST_LINES = 250_000
_NOT_HEX = re.compile("[^0-9a-f]")
_MAC_DIGITS = 12


class Attribution:
    """Knows the phones of lines, once they were looked up."""

    def __init__(self, database: Database, news: News) -> None:
        self._database = database
        self._news = news
        self._phones: dict[int, tuple[PhoneOfLine, ...]] = {}
        self._in_doubt: set[int] = set()
        "Lines whose phones may be others since they were looked up: there were news meanwhile."
        news.on_news(self._hear)

    async def look_up(self, line_ids: Collection[int]) -> None:
        """Finds out which phones have these lines, as far as it isn't known. Raises `StorageError`."""
        while self._in_doubt:
            self._phones.pop(self._in_doubt.pop(), None)
        unknown = {each for each in line_ids if each not in self._phones}
        if not unknown:
            return
        moment = self._news.moment
        found: dict[int, list[PhoneOfLine]] = {each: [] for each in unknown}
        for phone in await phones_of_lines(self._database, unknown):
            found[phone.line_id].append(phone)
        if len(self._phones) + len(found) > _MOST_LINES:
            self._phones.clear()
        self._phones.update((line_id, tuple(phones)) for line_id, phones in found.items())
        if moment != self._news.moment:
            self._in_doubt = unknown

    def device_of(self, line_id: int, request: Request, source: str, held: Sequence[Binding]) -> int | None:
        """The phone that `request` comes from, by the address `source`; `held` are the line's bindings."""
        phones = self._phones.get(line_id, ())
        before = next((each.device_id for each in held if each.call_id == request.call_id), None)
        if len(phones) <= 1 and before in (None, *(phone.device_id for phone in phones)):
            return phones[0].device_id if phones else None
        said = _macs_said(request)
        for phone in phones:
            if phone.mac in said:
                return phone.device_id
        if before is not None:
            # All registrations of one phone have one Call-ID until it starts anew (RFC 3261 §10.2). It may
            # have lost the line meanwhile and not know: it is to be found when it is to be told that.
            return before
        there = [phone.device_id for phone in phones if phone.contacted_from == source]
        if len(there) == 1:
            return there[0]
        # One of them may have fetched from there since they were looked up.
        del self._phones[line_id]
        return None

    def _hear(self, scopes: Sequence[str]) -> None:
        # They change with the customer's data, which is seldom, and are looked up for many lines at once.
        if not all(scope.startswith(LINE) for scope in scopes):
            self._phones.clear()


def _macs_said(request: Request) -> set[str]:
    """What may be MACs: twelve hex digits each."""
    said = [request.headers.get("Mac") or ""]
    # A REGISTER that can't be read is refused elsewhere.
    with suppress(MessageError):
        said += [each.instance or "" for each in request.contact]
    agent = parse_user_agent(request.headers.get("User-Agent") or "")
    if agent is not None and agent.mac is not None:
        said.append(agent.mac)
    # The MAC is the node of a UUID of version 1, its last twelve digits (RFC 4122 §4.1.6).
    return {_NOT_HEX.sub("", each.lower())[-_MAC_DIGITS:] for each in said}
