"""What phones say of themselves, over HTTP and SIP.

Some leave the vendor's word out (VP530P, W52P), some the colons of the MAC address (T56A), some the address
itself; one puts its hardware version there. The header only describes a phone: its file's name says who asks.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from phone_templates.yealink.models import Model, known_model

_VENDOR = re.compile(r"yealink(?:-|$)", re.IGNORECASE)
_FIRMWARE = re.compile(r"[0-9]{1,4}(?:\.[0-9]{1,4}){2,3}")
_HARDWARE = re.compile(r"[0-9]{1,4}(?:\.[0-9]{1,4}){4,9}")
_MAC = re.compile(r"[0-9a-f]{2}([:.-]?)[0-9a-f]{2}(?:\1[0-9a-f]{2}){4}", re.IGNORECASE)
_LONGEST = 256


@dataclass(frozen=True, slots=True)
class PhoneAgent:
    """What a phone says of itself, as far as it does."""

    model: str | None = None
    "Without vendor and `SIP-`, otherwise as the phone has it; a model that we may not know."
    firmware: str | None = None
    mac: str | None = None
    "Twelve lower-case hex digits."
    hardware: str | None = None
    "Hardware version."


# A request asks more than once, and a phone says the same each time.
@lru_cache(maxsize=4096)
def parse_user_agent(text: str) -> PhoneAgent | None:
    """The phone that calls itself so, or None for what is no Yealink phone. Never raises."""
    words = text[:_LONGEST].split()
    by_vendor = bool(words) and _VENDOR.match(words[0]) is not None
    if by_vendor:
        words[0] = _VENDOR.sub("", words[0])
    words = [word for word in words if word and word.upper() != "SIP"]
    place = next((i for i, word in enumerate(words) if _FIRMWARE.fullmatch(word)), None)
    named = words[:1] if place is None else words[:place]
    model = re.sub("^SIP-", "", " ".join(named), flags=re.IGNORECASE) or None
    if not by_vendor and (place is None or known_model(model or "") is None):
        return None
    after = [] if place is None else words[place + 1 :]
    return PhoneAgent(
        model=model,
        firmware=None if place is None else words[place],
        mac=next((re.sub("[:.-]", "", word).lower() for word in after if _MAC.fullmatch(word)), None),
        hardware=next((word for word in after if _HARDWARE.fullmatch(word)), None),
    )


def write_user_agent(model: Model, firmware: str, mac: str | None, name: str | None = None) -> str:
    """What a phone of the model says over HTTP; `mac` is twelve hex digits, None leaves it out.

    `name` is what this one is called, where the model goes by several.
    """
    colons = ":".join(mac[i : i + 2] for i in range(0, 12, 2)) if mac else ""
    text = model.user_agent.format(name=name or model.name, firmware=firmware, mac=colons, hex=mac or "")
    return text.rstrip()
