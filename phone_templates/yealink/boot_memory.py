"""What a phone keeps of its provisioning over a restart, and how its firmware reads that."""

from __future__ import annotations

from dataclasses import dataclass, field

from phone_templates.catalogue import Generation
from phone_templates.cfg import REPEATABLE
from phone_templates.values import CLEARED
from phone_templates.yealink.parameters import catalogue


@dataclass(slots=True)
class Memory:
    """Of one phone. A factory reset is a new one."""

    generation: Generation
    "Of the firmware that it runs."
    settings: dict[str, str] = field(default_factory=dict)
    "Parameters that the firmware knows, as last provisioned."
    passwords: dict[str, str] = field(default_factory=dict)
    "Of the phone's own pages, by user."
    digests: dict[str, str] = field(default_factory=dict)
    "MD5 of each file as it was applied, by file name."
    firmware_url: str = ""
    "Where the installed firmware came from."

    def setting(self, bare_name: str, default: str = "") -> str:
        """A parameter by its name without `static.`."""
        return self.settings.get(self._prefixed(bare_name), default)

    def put(self, bare_name: str, value: str) -> None:
        """Types a parameter in."""
        self.settings[self._prefixed(bare_name)] = value

    def is_on(self, switch: str) -> bool:
        """Whether a switch is, as it is where nobody has touched it."""
        return self.setting(switch, "1") == "1"

    def number(self, name: str, usual: int) -> int:
        """A setting that is one or more; 1 where the firmware doesn't know it."""
        if catalogue().find(name, self.generation) is None:
            return 1
        said = self.settings.get(name, "")
        return max(1, int(said)) if said.isdecimal() else usual

    def file_key(self, *, for_own_file: bool = True) -> str | None:
        """What the phone decrypts its own file with, or its model's; None: it can't decrypt.

        The vendor's default keys are left out: nobody should rely on what everybody knows.
        """
        file = "mac" if for_own_file else "com"
        families = ("aes_key", "aes_key_16")
        return next(filter(None, (self.setting(f"auto_provision.{each}.{file}") for each in families)), None)

    def take_over(self, settings: tuple[tuple[str, str], ...], *, overwrite: bool) -> tuple[str, ...]:
        """Keeps what files say; the names that this firmware doesn't know are left out and returned."""
        kept = self.settings
        if overwrite:
            # overwrite_mode 1: what is blank or gone returns to its default, `static.` parameters excepted.
            kept = {name: value for name, value in kept.items() if name.startswith("static.")}
        ignored = []
        for name, value in settings:
            if catalogue().find(name, self.generation) is None:
                ignored.append(name)
            elif name in REPEATABLE:
                user, _, password = value.partition(":")
                self.passwords[user] = password
            elif value == CLEARED or (overwrite and not value and not name.startswith("static.")):
                kept.pop(name, None)
            elif value or not self.generation.prefixes_static:
                # Since V81 a blank value changes nothing (overwrite_mode 0).
                kept[name] = value
        self.settings = kept
        return tuple(ignored)

    def run(self, generation: Generation) -> None:
        """Other firmware. Settings that it spells differently are taken along."""
        self.generation = generation
        self.settings = {self._known(name): value for name, value in self.settings.items()}

    def _known(self, name: str) -> str:
        """How the firmware spells a parameter, if it knows it by either spelling."""
        bare = name.removeprefix("static.")
        spellings = (f"static.{bare}", bare) if self.generation.prefixes_static else (bare,)
        known = (each for each in spellings if catalogue().find(each, self.generation) is not None)
        return next(known, name)

    def _prefixed(self, bare_name: str) -> str:
        """How this firmware spells a parameter that newer ones prefix."""
        return f"static.{bare_name}" if self.generation.prefixes_static else bare_name
