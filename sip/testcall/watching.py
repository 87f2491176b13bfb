"""The lamps of a test phone: it subscribes to what numbers do (RFC 6665, RFC 4235). pyVoIP has none."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from lxml import etree

from sip.testcall import wording
from sip.testcall.asking import Asking, Response
from sip.testcall.observed import Light

_CONTENT = "application/dialog-info+xml"
_EXPIRES_S = 3600
"No test lasts as long: it is not refreshed."
_NAMESPACE = "{urn:ietf:params:xml:ns:dialog-info}"
_LIGHTS = {"early": Light.RINGS, "confirmed": Light.TALKS}


class Watching:
    """All lamps of one phone."""

    def __init__(
        self,
        asking: Asking,
        subscribed: Callable[[str, int], None],
        shows: Callable[[str, Light], None],
    ) -> None:
        """Told is with which status a number may be watched, and what a lamp shows whenever that is new."""
        self._asking = asking
        self._subscribed = subscribed
        self._shows = shows
        self._watched: dict[str, str] = {}
        "The number of each subscription, by Call-ID."
        self._shown: dict[str, Light] = {}

    def watch(self, number: str, request: str) -> None:
        """Subscribes to a number; `request` is the SUBSCRIBE, as `subscribe` words it."""
        (call_id,) = wording.values(request, "Call-ID")
        self._watched[call_id] = number

        def answered(came: Response) -> None:
            if came.status >= 200:
                self._subscribed(number, came.status)

        self._asking.ask(request, answered)

    def notified(self, notify: str) -> int:
        """Takes a NOTIFY, and returns the status of its answer (RFC 6665 §4.1.3)."""
        (call_id,) = wording.values(notify, "Call-ID")
        if call_id not in self._watched:
            return 481
        with suppress(etree.XMLSyntaxError):
            self._show(notify.partition("\r\n\r\n")[2])
            return 200
        return 400

    def _show(self, document: str) -> None:
        """Raises `lxml.etree.XMLSyntaxError`."""
        parser = etree.XMLParser(resolve_entities=False, no_network=True)
        root = etree.fromstring(document.encode(), parser)
        number = wording.user_of(f"<{root.get('entity', '')}>")
        states = {state.text or "" for state in root.iterfind(f"{_NAMESPACE}dialog/{_NAMESPACE}state")}
        light = max((_LIGHTS.get(state, Light.DARK) for state in states), key=_rank, default=Light.DARK)
        if self._shown.get(number) is not light:
            self._shown[number] = light
            self._shows(number, light)


def subscribe(number: str, user: str, server: str, contact: str, via: str, call_id: str, tag: str) -> str:
    """A SUBSCRIBE to what `number` does."""
    return "\r\n".join(
        (
            f"SUBSCRIBE sip:{number}@{server} SIP/2.0",
            f"Via: {via}",
            "Max-Forwards: 70",
            f"From: <sip:{user}@{server}>;tag={tag}",
            f"To: <sip:{number}@{server}>",
            f"Call-ID: {call_id}",
            "CSeq: 1 SUBSCRIBE",
            f"Contact: <{contact}>",
            "Event: dialog",
            f"Accept: {_CONTENT}",
            f"Expires: {_EXPIRES_S}",
            "Content-Length: 0\r\n\r\n",
        )
    )


def _rank(light: Light) -> int:
    return list(Light).index(light)
