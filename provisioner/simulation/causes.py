"""Why something of a simulation failed, and what an operator does about it."""

from __future__ import annotations

from enum import StrEnum


class Cause(StrEnum):
    """Of a failure."""

    NO_FILES = "no-files"
    SERVER_FAILED = "server-failed"
    NO_ACCOUNT = "no-account"
    UNUSABLE_ACCOUNT = "unusable-account"
    NOT_REACHED = "register-not-answered"
    REGISTER_REFUSED = "register-refused"
    SUBSCRIBE_REFUSED = "subscribe-refused"
    CALL_NOT_ANSWERED = "call-without-response"
    CALL_FAILED = "call-failed"
    CALL_LOST = "call-lost"
    LATE = "not-in-time"


ADVICE = {
    Cause.NO_FILES: "the server has no file for it: look with `centralka devices show MAC`, claim it again",
    Cause.SERVER_FAILED: "its files could not be had or read: look at what it asked for in"
    " `centralka devices show MAC`, and at the server's log",
    Cause.NO_ACCOUNT: "its file has no account that is on: give it one with `accounts` in the company file",
    Cause.UNUSABLE_ACCOUNT: "a virtual phone can't register as its file says (by a proxy or DNS SRV):"
    " leave it out",
    Cause.NOT_REACHED: "nobody answered REGISTER: does the server listen for SIP where phones are told to go,"
    " or had it too much to do (more seconds in `--over`)",
    Cause.REGISTER_REFUSED: "401 and 403: the password in the file is not the line's; 500 and 503: the server"
    " had too much to do (more seconds in `--over`)",
    Cause.SUBSCRIBE_REFUSED: "a key watches what is not there or not the company's: `centralka lint` says"
    " which; without an answer the server had too much to do",
    Cause.CALL_NOT_ANSWERED: "the server did not answer an INVITE: it had too much to do, or it ended",
    Cause.CALL_FAILED: "the switchboard refused a call: `centralka calls` and `centralka test-call NUMBER`"
    " say why; 500 and 503: it had too much to do",
    Cause.CALL_LOST: "the server knew nothing any more of a call that was up: look at its log",
    Cause.LATE: "it was not registered when the simulation ended: more seconds in `--over`, or fewer phones",
}
