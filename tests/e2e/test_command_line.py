"""The command as people run it: a process of its own, told by its exit code and its words."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from provisioner.cli import main
from tests.databases import PostgresServer
from tests.provisioner.conftest import SAMPLE

COMMAND = str(Path(sys.executable).with_name("centralka"))
T46S, T54W, VP530P = "80:5e:c0:12:34:56", "24:9a:d8:00:00:54", "00:15:65:31:4b:c0"
LOGIN = "nowyklienttestowy"
_ENVIRONMENT = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8"}
_LONGEST_S = 60


@dataclass(frozen=True)
class Said:
    """What a run of the command said."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True)
class Shop:
    """A data directory, and the command that works on it."""

    folder: Path
    monkeypatch: pytest.MonkeyPatch
    capsys: pytest.CaptureFixture[str]

    def start(self, *arguments: str | Path, **environment: str) -> subprocess.Popen[str]:
        """The installed command as a process."""
        return subprocess.Popen(
            [COMMAND, *map(str, arguments)],
            cwd=self.folder,
            env=_ENVIRONMENT | environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def process(self, *arguments: str | Path) -> Said:
        """The same on the data directory; it has to end well."""
        return well(end(self.start(*arguments, "--data-dir", "data")))

    def run(self, *arguments: str | Path, **environment: str) -> Said:
        """What the installed command calls, in this process: it need not load the program again."""
        for name, value in environment.items():
            self.monkeypatch.setenv(name, value)
        self.monkeypatch.chdir(self.folder)
        self.monkeypatch.setattr(sys, "argv", ["centralka", *map(str, arguments)])
        self.capsys.readouterr()
        code: Any = 0
        try:
            main()
        except SystemExit as stopped:
            code = stopped.code
        for name in environment:
            self.monkeypatch.delenv(name)
        said = self.capsys.readouterr()
        return Said(code, said.out, said.err)

    def __call__(self, *arguments: str | Path) -> Said:
        """The same on the data directory; it has to end well."""
        return well(self.run(*arguments, "--data-dir", "data"))

    def write(self, name: str, text: str) -> str:
        (self.folder / name).write_text(text, encoding="utf-8")
        return name


def end(process: subprocess.Popen[str]) -> Said:
    """What a process said. It never lets a traceback pass."""
    out, err = process.communicate(timeout=_LONGEST_S)
    assert "Traceback" not in err + out, err
    return Said(process.returncode, out, err)


def well(said: Said) -> Said:
    assert (said.code, said.err) == (0, ""), said
    return said


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shop:
    """A shop without anything."""
    return Shop(tmp_path, monkeypatch, capsys)


@pytest.fixture
def shop(empty: Shop, tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """A shop of the test's own, with the sample company in it."""
    made = tmp_path_factory.getbasetemp() / "sample-shop"
    if not made.exists():
        empty("init")
        empty("apply", SAMPLE)
        shutil.copytree(empty.folder / "data", made)
    else:
        shutil.copytree(made, empty.folder / "data")
    return empty


def test_a_company_goes_from_an_empty_folder_to_the_bytes_of_a_phone(empty: Shop):
    said = empty.process("init")
    (password,) = re.findall(r"password: (\S{20,})$", said.out, re.MULTILINE)
    data = empty.folder / "data"
    assert stat.S_IMODE(data.stat().st_mode) == 0o700
    for name in ("centralka.db", "secrets.key"):
        assert stat.S_IMODE((data / name).stat().st_mode) == 0o600
    assert not any(password.encode() in each.read_bytes() for each in data.iterdir() if each.is_file())
    again = empty.run("init", "--data-dir", "data")
    assert again.code == 1
    assert "is initialised already" in again.err
    assert again.err.count("\n") == 1

    dry = empty.process("apply", SAMPLE, "--dry-run")
    assert dry.out.splitlines()[-1].endswith("5 phones get new bytes. Nothing was kept.")
    assert empty("devices", "list", "--json").json == []
    wet = empty.process("apply", SAMPLE)
    assert wet.out.splitlines()[:-1] == dry.out.splitlines()[:-1]
    assert empty("apply", SAMPLE).out == "Nothing changes.\n"
    assert empty("apply", SAMPLE, "--json").json == {
        "dry_run": False,
        "changes": [],
        "files": [],
        "rollouts": [],
    }
    text = empty.process("render", "805EC0123456").out
    assert text.startswith("#!version:1.0.0.1\n")
    assert "account.1.user_name = 48223809880\n" in text
    assert re.search(r"^account\.1\.password = \S{20}$", text, re.MULTILINE)


def test_phones_are_listed_shown_claimed_and_released(shop: Shop):
    listed = shop("devices", "list", "--json").json
    assert [(row["mac"], row["rung"]) for row in listed][:2] == [
        (VP530P, "listed"),
        ("00:15:65:4a:a9:37", "listed"),
    ]
    assert T46S in shop("devices", "list").out
    nobody = shop.run("devices", "list", "--customer", "nikt", "--json", "--data-dir", "data")
    assert (nobody.code, nobody.err) == (
        1,
        "there is no customer 'nikt': correct the login, or list it with `apply` first\n",
    )
    assert f"{T46S} may fetch its file until" in shop("devices", "claim", T46S).out
    claimed = shop("devices", "claim", T54W, "--json").json
    assert claimed["mac"] == T54W
    shown = shop("devices", "show", T54W, "--json").json
    assert (shown["window"]["state"], shown["summary"]["customer"]) == ("open", LOGIN)
    assert "window: open" in shop("devices", "show", "80-5E-C0-12-34-56").out
    assert "is released" in shop("devices", "release", T54W).out
    assert shop("devices", "show", T54W, "--json").json["window"]["state"] == "released"


def test_phones_of_a_spreadsheet_are_imported_after_a_dry_run(shop: Shop):
    rows = shop.write("t.csv", "mac;model;line;extension;name\n001565000001;T46S;48223809880;;Żaneta\n")
    arguments = ("devices", "import", rows, "--customer", LOGIN)
    dry = shop(*arguments, "--dry-run").out
    assert "add device 00:15:65:00:00:01: model T46S, name Żaneta" in dry
    assert len(shop("devices", "list", "--json").json) == 5
    assert shop(*arguments, "--json").json["changes"][0]["kind"] == "add"
    assert len(shop("devices", "list", "--json").json) == 6


def test_a_changed_file_is_compared_rolled_back_and_let_go(shop: Shop):
    changed = shop.write("f.yaml", SAMPLE.read_text().replace("Dział sprzedaży", "Handel"))
    before = shop("render", T46S).out
    assert "new bytes: 80:5e:c0:12:34:56 805ec0123456.cfg revision 2" in shop("apply", changed).out
    difference = shop("diff", T46S).out
    assert "-account.1.label = Dział sprzedaży\n" in difference
    assert "+account.1.label = Handel\n" in difference
    assert [each["number"] for each in shop("diff", T46S, "--json").json] == [2, 1]
    assert "revision 3" in shop("rollback", T46S, "--revision", "1").out
    assert shop("render", T46S).out == before
    assert "Handel" in shop("rollback", T46S, "--resume").out + shop("render", T46S).out
    masked = shop("render", T46S, "--mask").out
    assert "account.1.password = «line/48223809880/password@1»" in masked
    assert "account." not in shop("render", T46S, "--file", "y000000000066.cfg").out


def test_after_the_key_is_rotated_every_file_is_what_it_was(shop: Shop):
    key = (shop.folder / "data" / "secrets.key").read_bytes()
    before = shop("render", VP530P).out
    assert "sealed with a new key" in shop("rotate-key").out
    assert (shop.folder / "data" / "secrets.key").read_bytes() != key
    assert shop("render", VP530P).out == before


def test_the_common_options_stand_before_or_after_the_verb_or_in_the_environment(shop: Shop):
    config = shop.write("c.toml", '[public]\nsip_host = "sip.example.com"\n')
    outcomes = {
        shop.run("--data-dir", "data", "--config", config, "devices", "list", "--json"),
        shop.run("devices", "list", "--json", "--data-dir", "data", "--config", config),
        shop.run("--config", config, "devices", "list", "--data-dir", "data", "--json"),
        shop.run("devices", "list", "--json", CENTRALKA_DATA_DIR="data", CENTRALKA_CONFIG=config),
    }
    assert len(outcomes) == 1
    assert len(outcomes.pop().json) == 5


def test_the_configuration_decides_what_phones_are_told(shop: Shop):
    public = '[public]\nsip_host = "sip.example.com"\nprovisioning_url = "https://a.example"\n'
    changed = shop.write("f.yaml", SAMPLE.read_text().replace("name: Nowy klient testowy", "name: Inny"))
    shop("--config", shop.write("c.toml", public), "apply", changed)
    text = shop("render", T46S).out
    assert "account.1.sip_server.1.address = sip.example.com\n" in text
    assert "static.auto_provision.server.url = https://a.example/" in text


BAD_FILES = {
    "bad.yaml": "customers: [{login: a, nmae: x}]",
    "list.yaml": "- a",
    "latin.yaml": b"customers: \xff\xfe",
    "bad.csv": "mac;model\n123;T46S",
    "good.csv": "mac;model\n001565000001;T46S",
    "bad.toml": "[listen]\nportal = 7",
    "no.toml": "= =",
    "unknown.toml": "[nonsense]",
    "away.toml": '[database]\nurl = "postgresql://127.0.0.1:1/x"',
}


BAD_RUNS = [
    ("apply bad.yaml", "bad.yaml: line 1, column 24: customers[0].nmae: a customer has no key 'nmae'"),
    ("apply list.yaml", "list.yaml: line 1"),
    ("apply latin.yaml", "latin.yaml: "),
    ("apply missing.yaml", "can't read missing.yaml: No such file or directory"),
    ("apply data", "can't read data: Is a directory"),
    (f"devices import bad.csv --customer {LOGIN}", "bad.csv: row 2: mac"),
    ("devices import good.csv --customer nikt", "there is no customer 'nikt'"),
    ("devices show 00:15:65:ff:ff:ff", "there is no device 00:15:65:ff:ff:ff"),
    ("devices claim hello", "hello"),
    ("devices release 00:15:65:ff:ff:ff", "there is no device"),
    (f"render {T46S} --file boot", "has no boot file"),
    (f"diff {T46S} --revision 9", "there is no revision 9: this file has revisions 1 to 1"),
    (f"rollback {T46S} --revision 9", "there is no revision 9"),
    (f"rollback {T46S}", "say either --revision N or --resume"),
    ("devices list --config bad.toml", "listen.portal"),
    ("devices list --config no.toml", "can't read the configuration file no.toml"),
    ("devices list --config missing.toml", "configuration file missing.toml: No such file or directory\n"),
    ("devices list --config unknown.toml", "nonsense: there is no such setting: look for its name in docs/"),
    ("devices list --config away.toml", ": `centralka doctor` says what to do\n"),
    ("serve --portal nonsense", "listen.portal: 'nonsense' is not HOST:PORT"),
    ("serve --rtp-ports 9-8", "listen.rtp_ports"),
    ("serve --portal 127.0.0.1:99999", "listen.portal"),
    ("init", "data is initialised already: use another --data-dir"),
    ("devices list --data-dir elsewhere", "elsewhere holds no installation: run `centralka init --data-dir"),
]


def test_bad_input_is_one_clear_message_and_exit_code_1(shop: Shop):
    for name, text in BAD_FILES.items():
        (shop.folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    before = (shop.folder / "data" / "centralka.db").read_bytes()
    for line, words in BAD_RUNS:
        said = shop.run("--data-dir", "data", *line.split())
        assert (said.code, said.out) == (1, ""), line
        assert words in said.err
        assert len(said.err.splitlines()) == 1, said.err
    assert (shop.folder / "data" / "centralka.db").read_bytes() == before


def test_a_refusal_of_the_real_command_is_one_line_on_standard_error(shop: Shop):
    said = end(shop.start("devices", "show", "00:15:65:ff:ff:ff", "--data-dir", "data"))
    assert (said.code, said.out, len(said.err.splitlines())) == (1, "", 1)


def test_a_lost_database_or_key_is_said_in_words(shop: Shop):
    data = shop.folder / "data"
    (data / "centralka.db").unlink()
    lost = shop.run("devices", "list", "--data-dir", "data")
    assert (lost.code, lost.out) == (1, "")
    assert lost.err.startswith("the database is empty: restore a backup, or run `centralka migrate`")
    shop("migrate")
    assert shop("devices", "list", "--json").json == []
    (data / "secrets.key").write_text("no key\n")
    spoilt = shop.run("devices", "list", "--data-dir", "data")
    assert spoilt.code == 1
    assert "holds something that is not a key" in spoilt.err


def test_two_processes_that_apply_at_once_lose_nothing(shop: Shop):
    def customer(n: int) -> str:
        lines = "".join(f'\n  - {{number: "4899{n}{i:06}", product: biznes-trunk}}' for i in range(20))
        return shop.write(f"{n}.yaml", f"customers:\n- login: firma{n}\n  name: Firma\n  lines:{lines}\n")

    started = [shop.start("apply", customer(n), "--data-dir", "data") for n in range(3)]
    assert [end(process).code for process in started] == [0] * 3
    for n in range(3):
        assert shop("apply", f"{n}.yaml").out == "Nothing changes.\n"


def test_the_same_commands_work_on_postgresql(postgres: PostgresServer, empty: Shop):
    shop, name = empty, postgres.create()
    config = shop.write("c.toml", f'[database]\nurl = "{postgres.url(name)}"\n')
    try:
        shop("--config", config, "init")
        assert "5 phones get new bytes" in shop("--config", config, "apply", SAMPLE).out
        assert "account.1.user_name" in shop("--config", config, "render", T46S).out
        assert not (shop.folder / "data" / "centralka.db").exists()
    finally:
        postgres.drop(name)


@pytest.fixture
def server(shop: Shop) -> Iterator[tuple[subprocess.Popen[str], dict[str, str]]]:
    """A server on free ports, and where it listens."""
    listen = "--portal 127.0.0.1:0 --provisioning 127.0.0.1:0 --sip 127.0.0.1:0 --no-pnp"
    process = shop.start("serve", *listen.split(), "--data-dir", "data")
    assert process.stdout is not None
    where: dict[str, str] = {}
    try:
        while "portal" not in where:
            line = process.stdout.readline()
            assert line, end(process)
            name, _, url = line.strip().partition(": ")
            where[name] = url
        yield process, where
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()


def curl(url: str, *options: str) -> str:
    done = subprocess.run(
        ["curl", "--silent", "--show-error", "--max-time", "60", *options, url],
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_serve_says_where_it_listens_answers_and_ends_well(
    server: tuple[subprocess.Popen[str], dict[str, str]], number: signal.Signals
):
    process, where = server
    assert set(where) == {"portal", "provisioning", "sip"}
    status = ("--write-out", "\n%{http_code}", "--output", "/dev/null")
    assert curl(f"{where['portal']}healthz", *status).strip() == "200"
    first = curl(f"{where['provisioning']}y000000000066.cfg")
    assert first.startswith("#!version:1.0.0.1\n")
    assert "password" not in first
    assert curl(f"{where['provisioning']}805ec0123456.cfg", *status).strip() == "404"
    process.send_signal(number)
    said = end(process)
    assert (said.code, said.err) == (0, "")


def test_a_claimed_phone_gets_exactly_what_render_prints(
    shop: Shop, server: tuple[subprocess.Popen[str], dict[str, str]]
):
    process, where = server
    shop("devices", "claim", T46S)
    served = curl(f"{where['provisioning']}805ec0123456.cfg")
    assert served == shop("render", T46S).out
    (url,) = re.findall(r"^static\.auto_provision\.server\.url = (\S+)$", served, re.MULTILINE)
    assert url.startswith(where["provisioning"])
    assert curl(f"{url}805ec0123456.cfg") == served
    # What is remembered of requests is written behind their answers, and before the server ends.
    process.send_signal(signal.SIGTERM)
    assert end(process).code == 0
    shown = shop("devices", "show", T46S, "--json").json
    assert shown["summary"]["rung"] == "current"


def test_a_port_that_is_taken_is_said_in_words(shop: Shop):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        for listener in ("--portal", "--provisioning", "--sip"):
            free = {"--portal": "0", "--provisioning": "0", "--sip": "0", listener: str(port)}
            arguments = [word for name, at in free.items() for word in (name, f"127.0.0.1:{at}")]
            said = shop.run("serve", *arguments, "--data-dir", "data")
            assert said.code == 1, said
            assert said.err.startswith("can't listen on ")
            assert f"127.0.0.1:{port}: " in said.err
            assert len(said.err.splitlines()) == 1
