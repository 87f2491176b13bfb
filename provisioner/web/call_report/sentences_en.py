"""The sentences of findings in English. What stands in braces is filled in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from provisioner.web.call_report.meanings import Meaning
from sip.testcall.findings import Code
from sip.testcall.observed import Light
from sip.testcall.plan import Does, Setting
from sip.testcall.scenario import Kind

FINDINGS: Final[Mapping[Code, str]] = {
    Code.NOT_REGISTERED: "Test phone {who} could not register, so this call proves nothing.",
    Code.PHONE_FAILED: "Test phone {who} failed, so this call proves nothing. Why: {seen}.",
    Code.NOT_DIALLED: "The test phone that was to call never did, so this call proves nothing.",
    Code.DID_NOT_RING: "Phone {who} did not ring, and should have.",
    Code.RANG_WRONGLY: "Phone {who} rang, and should not have.",
    Code.STRANGER_RANG: "Phone {who} rang, and nothing that is set leads to it.",
    Code.RANG_AGAIN: "Phone {who} rang more often than it should: {seen} in place of {expected}.",
    Code.SENT_ON: "Phone {who} sends its calls elsewhere by itself; no setting here says so.",
    Code.WRONG_ORDER: "Wrong order: {seen}. It should be: {expected}.",
    Code.NOT_TOGETHER: "Phone {who} did not begin to ring with the others, but {seen} s after them.",
    Code.TOO_EARLY: "Phone {who} began to ring too early: after {seen} s in place of {expected} s.",
    Code.TOO_LATE: "Phone {who} began to ring too late: after {seen} s in place of {expected} s.",
    Code.TOO_SHORT: "Phone {who} rang too short: {seen} s in place of {expected} s.",
    Code.TOO_LONG: "Phone {who} rang too long: {seen} s in place of {expected} s.",
    Code.RANG_ON: "Phone {who} did not stop ringing when it should. It rang on for: {seen} s.",
    Code.MISSED_CALL: "Phone {who} will show a missed call, though somebody else took it.",
    Code.FALSE_ELSEWHERE: "Phone {who} will show no missed call, though nobody took it.",
    Code.NO_WINNER: "Nobody got the call, and phone {expected} should have.",
    Code.WRONG_WINNER: "Phone {seen} got the call. It should have been: {expected}.",
    Code.TWO_WINNERS: "Several phones got the call at once: {seen}. It should be one.",
    Code.CALLER_NOT_CONNECTED: "A phone answered, and the caller was never told.",
    Code.ANSWERED_BY_NOBODY: "The caller was told that somebody had answered, and nobody had.",
    Code.NO_RINGBACK: "Phones rang, and the caller was not told that they did.",
    Code.SLOW: "The caller was told only {seen} s after the first phone had rung.",
    Code.NOT_TURNED_DOWN: "Nobody answered, and the caller waited on, because nobody said so.",
    Code.WRONG_STATUS: "The caller got the wrong answer: {seen} in place of {expected}.",
    Code.WRONG_NUMBER: "Phone {who} showed the number {seen} in place of {expected}.",
    Code.WRONG_NAME: 'Phone {who} showed the name "{seen}" in place of "{expected}".',
    Code.NOT_HIDDEN: "Phone {who} showed who calls ({seen}), though the caller hid the number.",
    Code.WRONG_RING: "Phone {who} rang with the wrong tune. It should be: {expected}. It was: {seen}.",
    Code.NO_AUDIO: "The two did not hear each other at all.",
    Code.ONE_WAY_AUDIO: "Sound went one way only: phone {who} did not hear phone {expected}.",
    Code.WRONG_AUDIO: "Phone {who} heard somebody who does not belong to the call: {seen}.",
    Code.LOSS: "{seen} of the sound did not reach phone {who}; {expected} may be lost at the most.",
    Code.NOT_HUNG_UP: "The caller hung up, and phone {who} was not told.",
    Code.CUT_OFF: "The call broke off after {seen} s, before anybody had hung up.",
    Code.CODE_REFUSED: "The switchboard did not take code {expected} from phone {who}. Its answer: {seen}.",
    Code.CODE_IDLE: "The switchboard took code {expected} from phone {who}, and that changed nothing.",
    Code.LAMP_REFUSED: "Phone {who} may not show on a lamp what this number does: it was answered {seen}.",
    Code.LAMP_WRONG: 'A lamp of phone {who} showed "{seen}" in place of "{expected}".',
    Code.LAMP_LATE: 'A lamp of phone {who} showed "{expected}" only after {seen} s.',
    Code.NOT_RANDOM: "The order is not by chance: chance does so less than once in a million times ({seen}).",
}

BLAMES: Final[Mapping[Setting, str]] = {
    Setting.STRATEGY: "the strategy of group {of} (in which order its members ring)",
    Setting.MEMBERS: "the members of group {of}",
    Setting.RING_DELAY: "the ring delay of {member} in group {of}",
    Setting.RING_TIME: "the ring time of {member} in group {of}",
    Setting.STOP: "stop-here of a member of group {of}",
    Setting.LOGGED_IN: "that {member} is logged out of group {of}",
    Setting.PRESENTATION: "the caller presentation of group {of} (what displays show)",
    Setting.OVERFLOW: "where group {of} sends calls that nobody answers",
    Setting.SKIP_FORWARDING: "skip-forwarding of {member} in group {of}",
    Setting.FORWARD_ALWAYS: "forwarding of all calls: {of}",
    Setting.FORWARD_BUSY: "forwarding when busy: {of}",
    Setting.FORWARD_NO_ANSWER: "forwarding when nobody answers: {of}",
    Setting.FORWARD_UNREACHABLE: "forwarding when out of reach: {of}",
    Setting.DND: "do not disturb: {of}",
    Setting.LINE: "the line assigned to {of}",
    Setting.SHORT_NUMBER: "the short number {of}",
    Setting.HIDE_NUMBER: "hiding the number",
    Setting.DISTINCTIVE_RING: "the distinctive ring",
    Setting.CODE: "the code {of}",
    Setting.LAMP: "the lamp (BLF) of {of}",
    Setting.CALLER: "the caller's number and name",
    Setting.EXCHANGE: "the switchboard itself, and no setting",
    Setting.PHONE: "phone {of}, or the network between it and the switchboard",
}

DOES: Final[Mapping[Does, str]] = {
    Does.HIDE_NUMBER: "hides the number in one call",
    Does.SHOW_NUMBER: "shows the number in one call",
    Does.DND_ON: "turns do not disturb on",
    Does.DND_OFF: "turns do not disturb off",
    Does.FORWARD_ALWAYS_ON: "forwards all calls",
    Does.FORWARD_ALWAYS_OFF: "ends the forwarding of all calls",
    Does.FORWARD_BUSY_ON: "forwards calls while the line is busy",
    Does.FORWARD_BUSY_OFF: "ends the forwarding of a busy line",
    Does.FORWARD_NO_ANSWER_ON: "forwards calls that nobody answers",
    Does.FORWARD_NO_ANSWER_OFF: "ends the forwarding of calls that nobody answers",
    Does.FORWARD_UNREACHABLE_ON: "forwards calls while the phone is off",
    Does.FORWARD_UNREACHABLE_OFF: "ends the forwarding while the phone is off",
    Does.GROUP_LOGIN: "logs into the group",
    Does.GROUP_LOGOUT: "logs out of the group",
}

SCENARIOS: Final[Mapping[Kind, str]] = {
    Kind.FIRST_ANSWERS: "Everybody wants to answer: only one gets the call",
    Kind.RACE: "All answer at the same moment: only one gets the call",
    Kind.LAST_ANSWERS: "Only the last one answers",
    Kind.NO_ANSWER: "Nobody answers",
    Kind.BUSY: "The first one is busy",
    Kind.DECLINED: "The first one turns the call down",
    Kind.UNREGISTERED: "The first phone is switched off",
    Kind.CALLER_GIVES_UP: "The caller hangs up before anybody answers",
    Kind.HIDDEN: "The caller hides the number",
    Kind.SHORT_NUMBER: "The caller dials the short number",
    Kind.LIVE: "People's own phones ring",
    Kind.LAMP: "A lamp on a colleague's phone shows what the number does",
    Kind.SHOWN: "The caller dials the code by which the number may be seen",
    Kind.DND_DIALLED: "Who is called has dialled the code of do not disturb",
    Kind.DND_TAKEN_BACK: "Who is called has dialled the code of do not disturb, and the one that ends it",
    Kind.FORWARD_DIALLED: "Who is called has forwarded all calls by a code",
    Kind.FORWARD_TAKEN_BACK: "Who is called has forwarded all calls by a code, and taken that back",
    Kind.BUSY_DIALLED: "Who is called has forwarded by a code calls that find the line busy",
    Kind.BUSY_TAKEN_BACK: "Forwarding where busy dialled and taken back; who is called is busy",
    Kind.NO_ANSWER_DIALLED: "Who is called has forwarded by a code calls that are not answered",
    Kind.NO_ANSWER_TAKEN_BACK: "Forwarding where nobody answers dialled and taken back; nobody answers",
    Kind.UNREACHABLE_DIALLED: "Who is called has forwarded by a code calls while the phone is off",
    Kind.UNREACHABLE_TAKEN_BACK: "Forwarding while a phone is off dialled and taken back; the phone is off",
    Kind.LOGGED_OUT: "A member has logged out of the group by a code",
    Kind.LOGGED_IN: "A member has logged out of the group by a code, and in again",
}

MEANINGS: Final[Mapping[Meaning, str]] = {
    Meaning.CALL: "Please connect me to {number}.",
    Meaning.CALL_AGAIN: "Once more {number}, and here is proof of who calls.",
    Meaning.RING: "Here is a call for you: ring.",
    Meaning.CHANGE: "I change something in the call, such as holding it.",
    Meaning.ACKNOWLEDGE: "I have heard that.",
    Meaning.CANCEL: "No need to ring any more.",
    Meaning.HANG_UP: "I hang up.",
    Meaning.TRANSFER: "Connect this call to {number}.",
    Meaning.WATCH: "Tell me when something changes: {number}.",
    Meaning.NEWS: "Something has changed, so I tell you.",
    Meaning.OTHER: "Another message.",
    Meaning.WHO_ARE_YOU: "First show me who you are.",
    Meaning.WAIT: "One moment.",
    Meaning.RINGS: "It rings.",
    Meaning.HEAR: "Nobody has answered yet, but something can be heard.",
    Meaning.ANSWERED: "Answered.",
    Meaning.FINE: "All right.",
    Meaning.ELSEWHERE: "Try another number.",
    Meaning.NO_SUCH_NUMBER: "There is no such number.",
    Meaning.NOBODY: "Nobody has answered.",
    Meaning.BUSY: "Busy.",
    Meaning.STOPPED: "It rings no longer.",
    Meaning.DECLINED: "Turned down.",
    Meaning.REFUSED: "That can't be connected.",
}
"As who sends the message would say it."

LIGHTS: Final[Mapping[str, str]] = {
    Light.DARK: "nothing happens",
    Light.RINGS: "rings",
    Light.TALKS: "talks",
}

SINGLE: Final[Mapping[Kind, str]] = {
    Kind.FIRST_ANSWERS: "The phone answers",
    Kind.BUSY: "The phone is busy",
    Kind.DECLINED: "The phone turns the call down",
    Kind.UNREGISTERED: "The phone is switched off",
}
"Where there is but one phone."
