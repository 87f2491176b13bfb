"""What SIP messages mean, said as who sends them would say it: for people who have never seen one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sip.testcall import wording


class Meaning(StrEnum):
    """Of a message."""

    CALL = "call"
    CALL_AGAIN = "call-again"
    RING = "ring"
    CHANGE = "change"
    ACKNOWLEDGE = "acknowledge"
    CANCEL = "cancel"
    HANG_UP = "hang-up"
    TRANSFER = "transfer"
    WATCH = "watch"
    NEWS = "news"
    OTHER = "other"
    WHO_ARE_YOU = "who-are-you"
    WAIT = "wait"
    RINGS = "rings"
    HEAR = "hear"
    ANSWERED = "answered"
    FINE = "fine"
    ELSEWHERE = "elsewhere"
    NO_SUCH_NUMBER = "no-such-number"
    NOBODY = "nobody"
    BUSY = "busy"
    STOPPED = "stopped"
    DECLINED = "declined"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Read:
    """A message, as far as it is looked at."""

    label: str
    "The method, or the status and its phrase."
    meaning: Meaning
    number: str
    "Of a request: the user part of where it goes."


_ANSWERS: Final = {
    100: Meaning.WAIT,
    180: Meaning.RINGS,
    183: Meaning.HEAR,
    401: Meaning.WHO_ARE_YOU,
    404: Meaning.NO_SUCH_NUMBER,
    407: Meaning.WHO_ARE_YOU,
    480: Meaning.NOBODY,
    486: Meaning.BUSY,
    487: Meaning.STOPPED,
    600: Meaning.BUSY,
    603: Meaning.DECLINED,
}
_ASKS: Final[Mapping[str, Meaning]] = {
    "ACK": Meaning.ACKNOWLEDGE,
    "PRACK": Meaning.ACKNOWLEDGE,
    "CANCEL": Meaning.CANCEL,
    "BYE": Meaning.HANG_UP,
    "UPDATE": Meaning.CHANGE,
    "REFER": Meaning.TRANSFER,
    "SUBSCRIBE": Meaning.WATCH,
    "NOTIFY": Meaning.NEWS,
}
_STATUS = re.compile(r"SIP/2\.0 ([1-6][0-9]{2}) ?(.*)", re.I)
_LONGEST_LABEL = 28


def read(text: str, *, came: bool) -> Read:
    """What a message of a phone says; `came`: to the phone."""
    first = text.partition("\r\n")[0]
    if (answer := _STATUS.fullmatch(first)) is not None:
        cseq = " ".join(wording.values(text, "CSeq")).split()
        is_of_invite = cseq[-1:] == ["INVITE"]
        label = f"{answer[1]} {answer[2]}".strip()[:_LONGEST_LABEL]
        return Read(label, meaning_of(int(answer[1]), is_of_invite=is_of_invite), "")
    method, _, rest = first.partition(" ")
    number = wording.user_of(rest.partition(" ")[0])
    return Read(method[:_LONGEST_LABEL], _request(method, text, came=came), number)


def meaning_of(status: int, *, is_of_invite: bool = True) -> Meaning:
    """What an answer means, to an INVITE or to another request."""
    if 200 <= status < 300:
        return Meaning.ANSWERED if is_of_invite else Meaning.FINE
    if 300 <= status < 400:
        return Meaning.ELSEWHERE
    return _ANSWERS.get(status, Meaning.HEAR if status < 200 else Meaning.REFUSED)


def _request(method: str, text: str, *, came: bool) -> Meaning:
    if method != "INVITE":
        return _ASKS.get(method, Meaning.OTHER)
    if any(";tag=" in to for to in wording.values(text, "To")):
        return Meaning.CHANGE
    if came:
        return Meaning.RING
    names = {name for name, _ in wording.headers(text)}
    return Meaning.CALL_AGAIN if names & {"authorization", "proxy-authorization"} else Meaning.CALL
