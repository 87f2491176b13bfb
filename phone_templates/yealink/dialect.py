"""The vendor's values for what a phone's description says in plain words, generation by generation.

Names that differ between generations are the templates' business; here are the values.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from phone_templates.catalogue import Generation
from phone_templates.spec import CallerIdSource, Codec, Dtmf, Language, Srtp, Transport

TRANSPORTS: Final = {Transport.UDP: 0, Transport.TCP: 1, Transport.TLS: 2, Transport.DNS_SRV: 3}
DTMF: Final = {Dtmf.INBAND: 0, Dtmf.RFC2833: 1, Dtmf.INFO: 2, Dtmf.AUTO: 3}
CALLER_ID_SOURCES: Final = {source: number for number, source in enumerate(CallerIdSource)}

SCREEN_LANGUAGES: Final = {Language.POLISH: "Polish", Language.ENGLISH: "English"}
WEB_LANGUAGES: Final = {Language.POLISH: "English", Language.ENGLISH: "English"}
"The phone's own web pages have no Polish."

STATIC_FAMILIES: Final = ("auto_provision", "firmware", "network", "security", "syslog", "zero_touch")
"Of the families that the templates write, those that V81 and later call `static.`."


def full_name(name: str, generation: Generation) -> str:
    """The parameter's name on that generation: templates leave `static.` out."""
    family = name.partition(".")[0]
    return f"static.{name}" if generation.prefixes_static and family in STATIC_FAMILIES else name


def srtp(mode: Srtp, generation: Generation) -> int:
    """`account.X.srtp_encryption`; firmware before V81 has optional and compulsory the other way round."""
    if mode is Srtp.OFF:
        return 0
    return 1 if (mode is Srtp.OPTIONAL) == generation.prefixes_static else 2


@dataclass(frozen=True, slots=True)
class NumberedCodec:
    """A row of `account.X.codec.Y`, as firmware up to V81 has it."""

    number: int
    codec: Codec
    payload: str | None = None
    "`payload_type`; None where the facts don't say, and what the phone has stays."
    rtpmap: int | None = None
    "The RTP payload type number."
    preferred: bool = True
    "The bit rate that we mean where a codec has several."


NUMBERED_CODECS: Final = (
    NumberedCodec(1, Codec.PCMU, "PCMU", 0),
    NumberedCodec(2, Codec.PCMA, "PCMA", 8),
    NumberedCodec(3, Codec.G723, "G723_53", 4, preferred=False),
    NumberedCodec(4, Codec.G723, "G723_63", 4),
    NumberedCodec(5, Codec.G729, "G729", 18),
    NumberedCodec(6, Codec.G722, "G722", 9),
    NumberedCodec(7, Codec.ILBC, "iLBC", 106),
    NumberedCodec(8, Codec.G726, preferred=False),
    NumberedCodec(9, Codec.G726, preferred=False),
    NumberedCodec(10, Codec.G726),
    NumberedCodec(11, Codec.G726, preferred=False),
)
"8 to 11 are G.726 at 16, 24, 32 and 40 kbit/s."


@dataclass(frozen=True, slots=True)
class NamedCodec:
    """A codec as V82 and later name it."""

    name: str
    codec: Codec
    preferred: bool = True


NAMED_CODECS: Final = (
    NamedCodec("pcmu", Codec.PCMU),
    NamedCodec("pcma", Codec.PCMA),
    NamedCodec("g722", Codec.G722),
    NamedCodec("g729", Codec.G729),
    NamedCodec("opus", Codec.OPUS),
    NamedCodec("g723_53", Codec.G723, preferred=False),
    NamedCodec("g723_63", Codec.G723),
    NamedCodec("g726_16", Codec.G726, preferred=False),
    NamedCodec("g726_24", Codec.G726, preferred=False),
    NamedCodec("g726_32", Codec.G726),
    NamedCodec("g726_40", Codec.G726, preferred=False),
    NamedCodec("ilbc", Codec.ILBC),
    NamedCodec("ilbc_13_33kbps", Codec.ILBC),
    NamedCodec("ilbc_15_2kbps", Codec.ILBC, preferred=False),
)
"Models differ in how they call iLBC: `ilbc`, or by its two bit rates."

_REGISTRATION = "mac=$mac&ip=$ip&model=$model&firmware=$firmware"
_CALL = "mac=$mac&account=$active_user&local=$local&remote=$remote&call=$call_id"
_STATE = "mac=$mac&account=$active_user"

EVENTS: Final = {
    "setup_completed": _REGISTRATION,
    "setup_autop_finish": _REGISTRATION,
    "ip_change": _REGISTRATION,
    "log_on": f"{_REGISTRATION}&account=$active_user&host=$active_host",
    "log_off": f"{_REGISTRATION}&account=$active_user&host=$active_host",
    "registered": f"{_REGISTRATION}&account=$active_user&host=$active_host",
    "unregistered": f"{_REGISTRATION}&account=$active_user&host=$active_host",
    "register_failed": f"{_REGISTRATION}&account=$active_user&host=$active_host",
    "off_hook": _STATE,
    "on_hook": _STATE,
    "incoming_call": _CALL,
    "outgoing_call": _CALL,
    "call_established": _CALL,
    "call_terminated": _CALL,
    "missed_call": _CALL,
    "answer_new_incoming_call": _CALL,
    "reject_incoming_call": _CALL,
    "forward_incoming_call": _CALL,
    "transfer_call": _CALL,
    "blind_transfer_call": _CALL,
    "attended_transfer_call": _CALL,
    "transfer_finished": _CALL,
    "transfer_failed": _CALL,
    "hold": _CALL,
    "unhold": _CALL,
    "held": _CALL,
    "unheld": _CALL,
    "mute": _CALL,
    "unmute": _CALL,
    "call_remote_canceled": _CALL,
    "cancel_callout": _CALL,
    "remote_busy": _CALL,
    "dnd_on": _STATE,
    "dnd_off": _STATE,
    "always_fwd_on": _STATE,
    "always_fwd_off": _STATE,
    "busy_fwd_on": _STATE,
    "busy_fwd_off": _STATE,
    "no_answer_fwd_on": _STATE,
    "no_answer_fwd_off": _STATE,
    "idle_to_busy": _STATE,
    "busy_to_idle": _STATE,
    "call_waiting_on": _STATE,
    "call_waiting_off": _STATE,
    "handfree": _STATE,
    "headset": _STATE,
    "reject_new_incoming_call": _CALL,
    "peripheral_information": _REGISTRATION,
}
"`action_url.EVENT` and what the phone fills in; which of them a generation has, its catalogue says."

_RESPELLED_EVENTS: Final = {"log_on": "registered", "log_off": "unregistered"}


def event_called(name: str) -> str | None:
    """The event that a phone of any generation calls `name`, as V81 and later call it; None: no event."""
    return _RESPELLED_EVENTS.get(name, name) if name in EVENTS else None


ACTION_URL_LIMIT: Final = 511
"Characters that a phone keeps of an action URL."
