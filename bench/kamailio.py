"""Debian's Kamailio as a registrar: auth_db and usrloc, and the PostgreSQL that it keeps bindings in."""

from __future__ import annotations

import hashlib
import os
import pwd
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path

import stock
from registrars import HOST, Registrar, free_port


class Keeps(StrEnum):
    """Where Kamailio has its bindings (usrloc's `db_mode`)."""

    MEMORY = "memory"
    "0: only there."
    DURABLE = "durable"
    "1: a 200 means that PostgreSQL has it."


_KAMAILIO = """\
debug=0
log_stderror=yes
children={children}
auto_aliases=no
listen=udp:{host}:{port}
disable_tcp=yes
mpath="{modules}"
loadmodule "sl.so"
loadmodule "pv.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
loadmodule "db_postgres.so"
loadmodule "db_sqlite.so"
loadmodule "auth.so"
loadmodule "auth_db.so"
modparam("usrloc", "db_mode", {db_mode})
modparam("usrloc", "db_url", "{bindings}")
modparam("usrloc", "hash_size", 16)
modparam("usrloc", "use_domain", 0)
modparam("registrar", "max_expires", 3600)
modparam("auth", "qop", "auth")
modparam("auth", "nonce_expire", 300)
modparam("auth_db", "db_url", "{users}")
modparam("auth_db", "calculate_ha1", 0)
modparam("auth_db", "password_column", "ha1")
modparam("auth_db", "use_domain", 0)
modparam("auth_db", "load_credentials", "")
request_route {{
  if (!is_method("REGISTER")) {{ sl_send_reply("405", "Method Not Allowed"); exit; }}
  if (!www_authorize("bench", "subscriber")) {{ www_challenge("bench", "1"); exit; }}
  if ($au != $tU) {{ sl_send_reply("403", "Forbidden"); exit; }}
  if (!save("location")) {{ sl_reply_error(); }}
}}
"""
_TABLES = ("standard", "auth_db", "usrloc")


@contextmanager
def kamailio(folder: Path, keeps: Keeps, phones: int, children: int) -> Iterator[Registrar]:
    """Debian's Kamailio, which knows `phones`; it reads their HA1s from SQLite, which serves it faster."""
    folder.mkdir(parents=True)
    users = folder / "users.sqlite"
    _write_users(users, phones)
    (modules,) = Path("/usr/lib").glob("*/kamailio/modules")
    with _postgres(folder / "postgres", wanted=keeps is Keeps.DURABLE) as (url, database):
        port = free_port()
        config = folder / "kamailio.cfg"
        config.write_text(
            _KAMAILIO.format(
                host=HOST,
                port=port,
                children=children,
                modules=modules,
                db_mode=1 if keeps is Keeps.DURABLE else 0,
                bindings=url or f"sqlite:///{users}",
                users=f"sqlite:///{users}",
            )
        )
        command = ["kamailio", "-f", config, "-P", folder / "pid", "-w", folder, "-DD", "-E", "-m", "2048"]
        errors = folder / "log"
        with errors.open("w") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
            try:
                _wait_for(port, process, errors)
                yield Registrar(f"Kamailio, {keeps}", port, "pw{number}", (process.pid, *database))
            finally:
                process.terminate()


def _write_users(file: Path, phones: int) -> None:
    with sqlite3.connect(file) as database:
        for table in _TABLES:
            database.executescript(Path(f"/usr/share/kamailio/db_sqlite/{table}-create.sql").read_text())
        database.executemany(
            "INSERT INTO subscriber (username, domain, ha1) VALUES (?, '', ?)",
            ((stock.line(n), _md5(f"{stock.line(n)}:bench:pw{n}")) for n in range(phones)),
        )


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


@contextmanager
def _postgres(folder: Path, *, wanted: bool) -> Iterator[tuple[str, tuple[int, ...]]]:
    """A PostgreSQL as it comes, fsync and all, with usrloc's tables; and its first process."""
    if not wanted:
        yield "", ()
        return
    programs = max(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    folder.mkdir()
    account = pwd.getpwnam("postgres") if os.geteuid() == 0 else None
    if account is not None:
        # It gives up root, and must get through to its data.
        for each in (folder.parent.parent, folder.parent):
            each.chmod(0o755)
        os.chown(folder, account.pw_uid, account.pw_gid)

    def run(*command: str | Path, given: str | None = None) -> None:
        done = subprocess.run(
            command, user=account and account.pw_uid, group=account and account.pw_gid, cwd=folder,
            extra_groups=account and [], input=given, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr

    data, port = folder / "data", free_port()
    run(programs / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8")
    options = f"-c listen_addresses={HOST} -c port={port} -k {folder}"
    run(programs / "pg_ctl", "-D", data, "start", "-w", "-l", folder / "log", "-o", options)
    try:
        tables = "".join(
            Path(f"/usr/share/kamailio/postgres/{table}-create.sql").read_text() for table in _TABLES
        )
        run(programs / "psql", "-q", "-h", HOST, "-p", str(port), "-U", "postgres", given=tables)
        first = int((data / "postmaster.pid").read_text().split()[0])
        yield f"postgres://postgres@{HOST}:{port}/postgres", (first,)
    finally:
        run(programs / "pg_ctl", "-D", data, "stop", "-w", "-m", "fast")


_PROBE = (
    "OPTIONS sip:{host}:{port} SIP/2.0\r\nVia: SIP/2.0/UDP {host}:{own};branch=z9hG4bKprobe\r\n"
    "From: <sip:probe@{host}>;tag=1\r\nTo: <sip:probe@{host}>\r\nCall-ID: probe\r\nCSeq: 1 OPTIONS\r\n"
    "Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
)


def _wait_for(port: int, process: subprocess.Popen[bytes], errors: Path) -> None:
    """Until anything is answered there."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind((HOST, 0))
        probe.settimeout(0.2)
        own = probe.getsockname()[1]
        for _ in range(100):
            if process.poll() is not None:
                break
            probe.sendto(_PROBE.format(host=HOST, port=port, own=own).encode(), (HOST, port))
            try:
                probe.recv(4096)
            except OSError:
                time.sleep(0.1)
                continue
            return
    sys.exit(errors.read_text())
