"""A phone that boots: which files it asks for, when it applies them, and what it remembers.

Sans I/O: the driver performs each `Fetch` with `user_agent` and hands the answer back. It is the phone of our
tests and of the demonstration, so it is as strict as the guides allow: it refuses a file without its version
line and one that it can't decrypt, ignores names of other generations, and takes nothing over if a server
fails half way.
"""

from __future__ import annotations

import hashlib
from collections.abc import Generator
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import urljoin, urlsplit

from phone_templates.catalogue import Generation
from phone_templates.cfg import VERSION_LINE, BadCfg, parse
from phone_templates.values import CLEARED
from phone_templates.yealink.boot_file import BadBootFile, BootFile, parse_boot_file
from phone_templates.yealink.boot_memory import Memory
from phone_templates.yealink.encryption import BadAesKey, NotEncrypted, decrypted
from phone_templates.yealink.files import COMMON_BOOT_FILE
from phone_templates.yealink.models import Model
from phone_templates.yealink.user_agent import write_user_agent

_TRIES_OF_A_MISSING_FILE = 3
_ATTEMPTS = "static.auto_provision.attempt_before_failed"
_AGAIN_S = "static.auto_provision.retry_delay_after_file_transfer_failed"
"How often it tries where a server can't, and after how many seconds again. Earlier firmware has neither."
_USUAL_ATTEMPTS, _USUAL_AGAIN_S = 3, 5
_SERVER_ERROR = 500
_VERSION = VERSION_LINE.encode("ascii")

# Parameters whose files are fetched with the configuration, before anything is applied. Certificates, VPN
# archives and contacts work alike; these are the ones that our files send.
_RESOURCES = (
    "gui_lang.url",
    "ringtone.url",
    "wallpaper_upload.url",
    "lcd_logo.url",
    "directory_setting.url",
    "super_search.url",
    "local_contact.data.url",
    "dialplan_dialnow.url",
    "dialplan_replace_rule.url",
    "trusted_certificates.url",
    "server_certificates.url",
)


class Outcome(StrEnum):
    """How a boot ended."""

    APPLIED = "applied"
    UNCHANGED = "unchanged"
    "Every file is the one that was applied before."
    NOTHING_FOUND = "nothing_found"
    "No server known, or none of the files there."
    FAILED = "failed"
    "A server refused, failed or sent what can't be read: nothing was applied."


@dataclass(frozen=True, slots=True)
class Login:
    """What the phone was told to say to a server that asks who it is (HTTP Digest)."""

    user_name: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Fetch:
    """GET this; then call `BootMachine.answer`."""

    url: str
    login: Login | None = None
    "For the case that the server asks; None: the phone has none for it."
    after_s: float = 0.0
    "How long the phone waits before: the server could not just now."


@dataclass(frozen=True, slots=True)
class Apply:
    """The phone takes over settings."""

    settings: tuple[tuple[str, str], ...]
    "All that the files say, in their order; later ones win."
    ignored: tuple[str, ...]
    "Names among them that the firmware doesn't know."


@dataclass(frozen=True, slots=True)
class Update:
    """The phone fetches and installs firmware."""

    firmware_url: str


@dataclass(frozen=True, slots=True)
class Done:
    """The boot is over."""

    outcome: Outcome
    server_url: str | None = None
    "Where the files came from, or failed to."
    problem: str = ""
    "For people, when it failed."


Effect = Fetch | Apply | Update | Done


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int | None
    "None: no answer in time."
    body: bytes


@dataclass(frozen=True, slots=True)
class _File:
    name: str
    settings: tuple[tuple[str, str], ...]
    digest: str


class _ServerFailed(Exception):
    """A file that may well be there could not be had: nothing of this boot counts."""


_Steps = Generator[Effect, _Answer | None, None]


class BootMachine:
    """One phone at its plug."""

    def __init__(
        self,
        mac: str,
        model: Model,
        firmware: str | None = None,
        *,
        name: str | None = None,
        dhcp_url: str | None = None,
        pnp_url: str | None = None,
        zero_touch_url: str | None = None,
        stored_url: str | None = None,
        stored_key: str | None = None,
    ) -> None:
        """`mac` is twelve lower-case hex digits; `name` what this phone calls itself.

        `dhcp_url`, `pnp_url` and `zero_touch_url` are what discovery finds; `stored_url` is what was typed in
        or told before, and `stored_key` what its own file is decrypted with.
        Raises `UnwritableModel` and `BadFirmware`.
        """
        self.mac = mac
        self.model = model
        self.name = name or model.name
        self.firmware = firmware or f"{model.firmware_prefixes[-1]}.{model.newest}.0.10"
        self.memory = Memory(model.generation(self.firmware))
        dhcp = "dhcp_enable" if self.generation is Generation.V70 else "dhcp_option.enable"
        # The order varies between firmwares; this one is of V81.
        self._discovery: dict[str, str | None] = {
            "zero_touch.enable": zero_touch_url,
            "auto_provision.pnp_enable": pnp_url,
            f"auto_provision.{dhcp}": dhcp_url,
        }
        self._steps: _Steps | None = None
        self._asked: str | None = None
        if stored_url:
            self.memory.put("auto_provision.server.url", stored_url)
        if stored_key:
            self.memory.put("auto_provision.aes_key.mac", stored_key)

    @property
    def generation(self) -> Generation:
        """Of the firmware that it runs."""
        return self.memory.generation

    @property
    def user_agent(self) -> str:
        """What it calls itself over HTTP."""
        silent = self.memory.setting("auto_provision.user_agent_mac.enable", "1") == "0"
        return write_user_agent(self.model, self.firmware, None if silent else self.mac, self.name)

    @property
    def stored_url(self) -> str | None:
        """The provisioning server that it has been told."""
        return self.memory.setting("auto_provision.server.url") or None

    @property
    def discovers(self) -> bool:
        """Whether it would still take a server from the network, which outranks the stored one."""
        return any(self.memory.is_on(switch) for switch in self._discovery)

    @property
    def asks_again_after_minutes(self) -> int | None:
        """How often it asks on its own while it runs; None: it doesn't."""
        minutes = self.memory.setting("auto_provision.repeat.minutes", "1440")
        on = self.memory.setting("auto_provision.repeat.enable") == "1"
        return int(minutes) if on and minutes.isdecimal() else None

    def install(self, firmware: str) -> None:
        """Run other firmware from now on. Settings that it spells differently are taken along.

        Raises `BadFirmware`.
        """
        self.memory.run(self.model.generation(firmware))
        self.firmware = firmware

    def factory_reset(self) -> None:
        """Forget everything that was provisioned or typed in."""
        self.memory = Memory(self.generation)
        self._steps = None
        self._asked = None

    def start(self) -> list[Effect]:
        """Plug it in, or let it ask again. A boot that was under way is lost, as in a power cut."""
        self._steps = self._boot()
        return self._advance(None)

    def answer(self, url: str, status: int | None, body: bytes = b"") -> list[Effect]:
        """The server's answer to the last `Fetch`; a `status` of None is none in time."""
        if url != self._asked:
            raise ValueError(f"the phone did not ask for {url}")
        return self._advance(_Answer(status, body))

    def _advance(self, answer: _Answer | None) -> list[Effect]:
        """The effects up to the next `Fetch`, or to the end."""
        if self._steps is None:
            raise ValueError("the phone is not booting: call start()")
        effects: list[Effect] = []
        self._asked = None
        while True:
            try:
                effect = self._steps.send(answer)
            except StopIteration:
                self._steps = None
                return effects
            effects.append(effect)
            if isinstance(effect, Fetch):
                self._asked = effect.url
                return effects
            answer = None

    def _boot(self) -> _Steps:
        """Try one server after the other until one has anything for this phone."""
        failed: Done | None = None
        for server_url in self._server_urls():
            try:
                boot_file, found = yield from self._configuration(server_url)
                if found:
                    yield from self._take_over(server_url, boot_file, found)
                    return
            except (_ServerFailed, BadCfg, BadBootFile) as error:
                failed = failed or Done(Outcome.FAILED, server_url, str(error))
        yield failed or Done(Outcome.NOTHING_FOUND)

    def _configuration(
        self, server_url: str
    ) -> Generator[Effect, _Answer | None, tuple[BootFile | None, list[_File]]]:
        """The files that the server has for this phone, and the boot file if that named them."""
        base = _directory(server_url)
        boot_file: BootFile | None = None
        urls = [urljoin(base, self.model.model_file), urljoin(base, f"{self.mac}.cfg")]
        if self.generation.prefixes_static:
            for name in (f"{self.mac}.boot", COMMON_BOOT_FILE):
                boot_url = urljoin(base, name)
                body = yield from self._fetched(boot_url)
                if body is not None:
                    boot_file = parse_boot_file(_text(name, body), {self.name, *self.model.names})
                    # A boot file hides the two classic files: only what it names is fetched.
                    urls = [urljoin(boot_url, include) for include in boot_file.includes]
                    break
        found = []
        for url in urls:
            body = yield from self._fetched(url)
            if body is not None:
                found.append(self._file(url, body))
        if found and (local_url := self._local_file_url(base, found)):
            body = yield from self._fetched(local_url)
            if body is not None:
                found.append(self._file(local_url, body))
        return boot_file, found

    def _local_file_url(self, base: str, found: list[_File]) -> str | None:
        """Where the server keeps what the user changed on the phone, if `found` says that it does."""
        told = {name: value for file in found for name, value in file.settings}
        switches = ("static.auto_provision.custom.protect", "static.auto_provision.custom.sync")
        if not self.generation.prefixes_static or any(told.get(switch) != "1" for switch in switches):
            return None
        path = told.get("static.auto_provision.custom.sync.path", base)
        return urljoin(_directory(path), f"{self.mac}-local.cfg")

    def _fetched(self, url: str) -> Generator[Effect, _Answer | None, bytes | None]:
        """The file, or None if it is not there. Raises `_ServerFailed`."""
        tries = 1 if self.generation.prefixes_static else _TRIES_OF_A_MISSING_FILE
        for _ in range(tries):
            answer = yield from self._answered(url)
            if answer.status == 200:
                return answer.body
            if answer.status != 404:
                why = "no answer in time" if answer.status is None else f"status {answer.status}"
                raise _ServerFailed(f"{url}: {why}")
        return None

    def _answered(self, url: str) -> Generator[Effect, _Answer | None, _Answer]:
        """What the server says, asked again as long as it says that it can't.

        Whatever that says of `Retry-After`: the vendor's guides know no such thing.
        """
        attempts = self.memory.number(_ATTEMPTS, _USUAL_ATTEMPTS)
        again_s = self.memory.number(_AGAIN_S, _USUAL_AGAIN_S)
        after_s = 0
        while True:
            answer = yield Fetch(url, self._login(url), after_s)
            assert answer is not None  # noqa: S101 - `_advance` sends one after every Fetch
            attempts -= 1
            if answer.status is None or answer.status < _SERVER_ERROR or attempts <= 0:
                return answer
            after_s = again_s

    def _take_over(self, server_url: str, boot_file: BootFile | None, found: list[_File]) -> _Steps:
        """Fetch what the files name, apply them, and only then update the firmware."""
        changed = any(self.memory.digests.get(file.name) != file.digest for file in found)
        if changed:
            settings = tuple(pair for file in found for pair in file.settings)
            yield from self._fetch_resources(server_url, dict(settings))
            ignored = self.memory.take_over(settings, overwrite=boot_file is not None and boot_file.overwrite)
            self.memory.digests.update((file.name, file.digest) for file in found)
            yield Apply(settings, ignored)
        firmware_url = self.memory.setting("firmware.url")
        if firmware_url and firmware_url != self.memory.firmware_url:
            self.memory.firmware_url = firmware_url
            yield Update(firmware_url)
        yield Done(Outcome.APPLIED if changed else Outcome.UNCHANGED, server_url)

    def _fetch_resources(self, server_url: str, settings: dict[str, str]) -> _Steps:
        """Ask for each file that the settings name. A phone does without those that it can't get."""
        base = _directory(server_url)
        named = {name.removeprefix("static."): value for name, value in settings.items()}
        for resource in _RESOURCES:
            if address := named.get(resource, "").replace(CLEARED, ""):
                url = urljoin(base, address)
                yield Fetch(url, self._login(url))
        for backup, file_name in (("local_contact", "contact"), ("local_calllog", "calllog")):
            if named.get(f"auto_provision.{backup}.backup.enable") == "1":
                path = named.get(f"auto_provision.{backup}.backup.path", base)
                url = urljoin(_directory(path), f"{self.mac}-{file_name}.xml")
                yield Fetch(url, self._login(url))

    def _file(self, url: str, body: bytes) -> _File:
        """A configuration file, read. Raises `BadCfg` for what a phone refuses."""
        name = urlsplit(url).path.rpartition("/")[2]
        text = _text(name, self._plain(name, body))
        if text.partition("\n")[0].rstrip("\r") != VERSION_LINE:
            raise BadCfg(1, f"{name} does not begin with {VERSION_LINE}")
        digest = hashlib.md5(body, usedforsecurity=False).hexdigest()
        return _File(name, tuple(parse(text)), digest)

    def _plain(self, name: str, body: bytes) -> bytes:
        """A file as it is, or decrypted (`update_file_mode` 0: both are taken). Raises `BadCfg`."""
        if body.startswith(_VERSION):
            if self.memory.setting("auto_provision.update_file_mode") == "1":
                raise BadCfg(1, f"{name} is not encrypted")
            return body
        key = self.memory.file_key(for_own_file=name == f"{self.mac}.cfg")
        if key is not None:
            try:
                plain = decrypted(body, key)
            except (BadAesKey, NotEncrypted):
                return body
            if plain.startswith(_VERSION):
                return plain
        return body

    def _server_urls(self) -> list[str]:
        """Where it looks, in order: discovery outranks the stored URL until it is turned off."""
        found = [url for switch, url in self._discovery.items() if self.memory.is_on(switch)]
        return list(dict.fromkeys(url for url in [*found, self.stored_url] if url))

    def _login(self, url: str) -> Login | None:
        """The login of its provisioning server, for that server alone."""
        user_name = self.memory.setting("auto_provision.server.username")
        if not user_name or self.stored_url is None or urlsplit(url)[:2] != urlsplit(self.stored_url)[:2]:
            return None
        return Login(user_name, self.memory.setting("auto_provision.server.password"))


def _text(name: str, body: bytes) -> str:
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadCfg(1, f"{name} is not UTF-8") from error


def _directory(url: str) -> str:
    return url if url.endswith("/") else url + "/"
