"""English."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from provisioner.operations.unrung import Known, Reason

_MEMBERS: Final = "Order, delays and ring times are set in group {of}."
_AS_SET: Final = "That is as configured."
_NOTHING: Final = "Nothing has to be done."

ANSWERS: Final[Mapping[Reason, tuple[str, str]]] = {
    Reason.RANG: (
        "It did ring: at {at}, for {seconds}.",
        "If nobody heard it, look at the phone's ringer volume, and whether it has do not disturb turned on.",
    ),
    Reason.ANSWERED: ("It rang at {at}, and somebody answered there after {seconds}.", _NOTHING),
    Reason.NOT_REGISTERED: (
        "No phone of {who} was registered then: it was switched off, or without network.",
        "Look at the phone's power and network cable. The registrations show whether it is there again.",
    ),
    Reason.SILENT_PHONE: (
        "The call was sent to the phone of {who}, and the phone never said that it rings.",
        "Restart the phone. If it happens again, the network between it and the switchboard loses calls.",
    ),
    Reason.CALLS_ITSELF: ("{who} made this call, and nobody is called by himself.", _NOTHING),
    Reason.DO_NOT_DISTURB: (
        "{who} had do not disturb turned on.",
        "A code on the phone turns it off (usually #26), or the settings of the line.",
    ),
    Reason.NO_CALL_WAITING: (
        "{who} was in a call, and takes no second one meanwhile.",
        "Turn call waiting on for this line if it is to ring then, too.",
    ),
    Reason.BUSY: (
        "{who} was busy; the record doesn't say with what.",
        "See whether somebody was in a call then.",
    ),
    Reason.PHONE_BUSY: (
        "The phone of {who} itself said that it is busy: somebody talked, or it has do not disturb "
        "turned on.",
        "Look for do not disturb on the phone's display.",
    ),
    Reason.FULL: (
        "{who} was in as many calls as its line may have.",
        "Raise the number of concurrent calls of the line, or give it another product.",
    ),
    Reason.SITE_FULL: (
        "The site of {who} was in as many calls as it may have.",
        "Raise the number of concurrent calls of the site, or let {who} forward calls when it is busy.",
    ),
    Reason.DECLINED: (
        "The call was turned down at the phone of {who} before it rang.",
        "Ask who did so, and why.",
    ),
    Reason.REFUSED: (
        "The phone of {who} did not take the call (it answered {status}).",
        "Look at the phone's settings, such as codecs, or restart it.",
    ),
    Reason.MOVED: (
        "The phone of {who} has itself sent the call to another number.",
        "Turn forwarding off in the phone itself if it is to ring.",
    ),
    Reason.TOO_LATE: (
        "Before the phone of {who} rang, {other} had answered.",
        "Nothing has to be done: in a group the first one gets the call.",
    ),
    Reason.GIVEN_UP_AT_ONCE: ("The caller hung up before the phone of {who} rang.", _NOTHING),
    Reason.CUT_OFF: ("The call ended before: {case}.", "If it happens again, the server's log says more."),
    Reason.NO_LINE: ("{who} has no line, so there is nothing to ring.", "Give it a line."),
    Reason.CALLER_FULL: (
        "The caller was in as many calls as its line may have, so nobody was called at all.",
        "Raise the number of concurrent calls of the caller's line, or give it another product.",
    ),
    Reason.CALLER_SITE_FULL: (
        "The caller's site was in as many calls as it may have, so nobody was called at all.",
        "Raise the number of concurrent calls of the caller's site.",
    ),
    Reason.CODE: ("A code was dialled, and no number: nobody was to ring.", _NOTHING),
    Reason.NO_SUCH_NUMBER: (
        "Nobody had the number {dialled} that was dialled.",
        "See whether it was dialled right, or make it.",
    ),
    Reason.NOT_LED_TO: (
        "The number {dialled} that was dialled doesn't lead to {who}. It leads to: {led_to}.",
        "If {who} is to ring, put it into the group that is dialled, or forward to it.",
    ),
    Reason.LOGGED_OUT: (
        "{who} was logged out of group {of}.",
        "A code on the phone logs it in (usually *50), or the settings of the group.",
    ),
    Reason.AFTER_STOP: (
        "In group {of} nobody rings after {other}: it has stop set.",
        "Take stop away from {other}, or put {who} before it.",
    ),
    Reason.FORWARDED_AWAY: (
        "{who} forwards all its calls to {other}, so it doesn't ring itself.",
        "A code on the phone ends that (usually #21#), or the settings of the line.",
    ),
    Reason.FORWARDING_OFF: (
        "The call could come here only by the forwarding of {of} ({case}), and that is turned off.",
        "Turn that forwarding on, or put {who} into the group.",
    ),
    Reason.FORWARDING_NOT_DUE: (
        "{of} forwards calls to here only {case}, and this time it was otherwise: {other}.",
        "Forward that case, too, if it is to ring here then.",
    ),
    Reason.NOT_ITS_TURN_ANSWERED: (
        "Before the turn of {who} came, {other} had answered.",
        f"{_AS_SET} {_MEMBERS}",
    ),
    Reason.NOT_ITS_TURN_GIVEN_UP: (
        "The caller hung up after {seconds}, before the turn of {who} came.",
        "If callers wait for too long, shorten ring times, or put {who} further to the front. " + _MEMBERS,
    ),
    Reason.DELAY_ANSWERED: (
        "{who} begins to ring in group {of} after {seconds}, and {other} had answered before.",
        f"{_AS_SET} {_MEMBERS}",
    ),
    Reason.DELAY_GIVEN_UP: (
        "{who} begins to ring in group {of} after {seconds}, and the caller hung up before.",
        "If that is too long, shorten the delay. " + _MEMBERS,
    ),
    Reason.OVERFLOW_ANSWERED: (
        "{who} rings only where nobody in group {of} answers, and {other} did.",
        _AS_SET,
    ),
    Reason.OVERFLOW_GIVEN_UP: (
        "{who} rings only where nobody in group {of} answers, and the caller hung up after {seconds}.",
        "If callers wait for too long, shorten the ring times in group {of}.",
    ),
    Reason.GROUP_TIME_OVER: (
        "Group {of} rings for {seconds} as a part of another group, and that was over before the turn "
        "of {who} came.",
        "Give group {of} more time in that group, or less to those before {who}.",
    ),
    Reason.MAY_COME: ("The call goes on, and {who} may ring yet.", "Ask when it is over."),
    Reason.UNKNOWN: (
        "The call's record doesn't show that.",
        "Test calls to the number show who rings and who doesn't.",
    ),
}

KNOWN: Final[Mapping[Known, str]] = {
    Known.RECORD: "The record of this call says so.",
    Known.THEN: "The record of this call says so, and what was set at that moment.",
    Known.TODAY: "What was set at that moment was not noted; this rests on today's settings, and they "
    "may differ.",
}

CASES: Final[Mapping[str, str]] = {
    "always": "always",
    "busy": "when busy",
    "no_answer": "when nobody answers",
    "unreachable": "when out of reach",
}
