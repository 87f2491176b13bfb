"""A phone's files: its description in, .cfg text out.

The templates lay out, `cfg.parse` reads what they said, raw settings win over it, and `cfg.write` writes the
file: one writer for whatever the source. The text depends on the description alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from phone_templates import cfg
from phone_templates.catalogue import Generation
from phone_templates.spec import Clock, Language, Phone
from phone_templates.values import CLEARED, Text, cfg_value
from phone_templates.yealink import view
from phone_templates.yealink.dialect import full_name
from phone_templates.yealink.models import Model, find_model
from phone_templates.yealink.view import BadPhone

_FOLDERS: Final = {
    Generation.V70: "v70",
    Generation.V71: "v71",
    Generation.V80: "v80",
    Generation.V81: "v81",
    Generation.V86: "v86",
}

# The phone asks the server to keep forwarding and do-not-disturb, and then must not dial codes for them.
_KEY_SYNC = re.compile(r"(.*\.)?feature_key_sync(\.enable)?")
_SERVICE_CODE = re.compile(r"(.*\.)?(dnd|always|busy|no_answer|\w+_fwd)\.(on|off)_code")


@dataclass(frozen=True, slots=True)
class PhoneFiles:
    """What one phone may fetch under its own address. Secrets are references: see `values.fill`."""

    mac_file: str
    "Everything."
    model_file: str
    "Language, time, schedule and firmware, which the MAC file says too, in the same words."
    boot_file: str | None
    "Names the other two; None for firmware older than V81, which knows no boot file."


def render(phone: Phone) -> PhoneFiles:
    """The phone's files. Raises a `PhoneTemplatesError` that says what its description must not say."""
    model = find_model(phone.model)
    mac_file = _said(view.mac_file(model, phone, feature_key_sync=_feature_key_sync(phone.settings)))
    model_file = _said(view.model_file(model, phone))
    return PhoneFiles(
        mac_file=cfg.write(_with_settings(mac_file, phone.settings, only_known=False)),
        model_file=cfg.write(_with_settings(model_file, phone.settings, only_known=True))
        + _firmware_section(model, phone),
        boot_file=_boot_file(model, phone) if phone.generation.prefixes_static else None,
    )


def first_contact_file(model: Model, generation: Generation, language: Language, clock: Clock) -> str:
    """The model's file for a phone that no claim has let in: nothing of a customer, and ask again soon."""
    return cfg.write(_said(view.first_contact(model, generation, language, clock)))


def _said(file: view.File) -> list[tuple[str, str]]:
    """What the templates say, in their order."""
    template = _environment().get_template(f"{_FOLDERS[file.generation]}/phone.cfg.j2")
    return [
        (full_name(name, file.generation), value) for name, value in cfg.parse(template.render(file=file))
    ]


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("phone_templates.yealink"),
        undefined=StrictUndefined,
        finalize=cfg_value,
        autoescape=False,  # noqa: S701 - .cfg has no escaping; cfg_value refuses what it can't hold
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
    )


def _with_settings(
    said: list[tuple[str, str]], settings: Mapping[str, Text], *, only_known: bool
) -> list[tuple[str, str]]:
    """`said` with raw settings in place of what they name, and the others behind it by name."""
    raw = {_identity(name, value): (name, value) for name, value in _contents(settings)}
    merged = [raw.pop(_identity(name, value), (name, value)) for name, value in said]
    return merged if only_known else merged + [raw[identity] for identity in sorted(raw)]


def _contents(settings: Mapping[str, Text]) -> list[tuple[str, str]]:
    # Only here a person may say the word that clears a setting: it was written for this one parameter.
    return [
        (name, CLEARED if value == CLEARED else cfg_value(value)) for name, value in sorted(settings.items())
    ]


def _identity(name: str, value: str) -> tuple[str, str]:
    """What makes two settings the same one: the name, and of passwords whose it is."""
    return (name, value.partition(":")[0] if name in cfg.REPEATABLE else "")


def _feature_key_sync(settings: Mapping[str, Text]) -> bool:
    """Whether raw settings let the server keep forwarding and do-not-disturb.

    Raises `BadPhone` where they set codes for it as well: the phone would do both.
    """
    sync = [name for name, value in sorted(settings.items()) if _KEY_SYNC.fullmatch(name) and value == "1"]
    codes = [name for name in sorted(settings) if _SERVICE_CODE.fullmatch(name)]
    if sync and codes:
        raise BadPhone(f"{sync[0]} and {codes[0]} contradict each other: keep one of the two")
    return bool(sync)


def _firmware_section(model: Model, phone: Phone) -> str:
    """What the VP530 finds its firmware by, beside `firmware.url`. It knows no word for HTTPS there."""
    if not model.firmware_section or phone.firmware_url is None:
        return ""
    folder, slash, name = cfg_value(phone.firmware_url).rpartition("/")
    if not folder.startswith("http://"):
        return ""
    return cfg.firmware_section(
        (
            ("path", "/tmp/download.cfg"),  # noqa: S108 - a path on the phone
            ("server_type", "http"),
            ("http_url", folder + slash),
            ("firmware_name", name),
        )
    )


def _boot_file(model: Model, phone: Phone) -> str:
    """The later file wins, and what neither says any more goes back to the factory's value."""
    return (
        f"{cfg.VERSION_LINE}\n"
        f'include:config "{model.model_file}"\n'
        f'include:config "{phone.mac}.cfg"\n'
        "overwrite_mode = 1\n"
    )
