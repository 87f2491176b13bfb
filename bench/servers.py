"""Servers under load, each in a process of its own on loopback, and what they used of a processor."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

CLOCK_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Server:
    """A server that answers at `base`; over TLS at `secure`, where it has that."""

    name: str
    base: str
    pids: tuple[int, ...]
    secure: str = ""
    portal: str = ""
    "Where pages and programs are, if it has such."
    said: list[str] = field(default_factory=list)
    "What it wrote to stderr, when it has ended."

    def cpu_s(self) -> float:
        """CPU seconds that its processes have used."""
        used = 0
        for pid in self.pids:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            used += int(fields[11]) + int(fields[12])
        return used / CLOCK_TICKS

    @property
    def lost_traces(self) -> int:
        """Requests that were answered and not remembered."""
        return sum(
            int(found[1]) for line in self.said if (found := re.search(r"traces lost count=(\d+)", line))
        )


def wanted(*programs: str) -> None:
    """Ends the program where one of Debian's is missing."""
    packages = {"nginx": "nginx-light", "wrk": "wrk", "openssl": "openssl"}
    missing = [packages[each] for each in programs if shutil.which(each) is None]
    if missing:
        sys.exit(f"not installed: apt install {' '.join(missing)}")


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 with its key, as operators have them (ECDSA P-256)."""
    chain, key = folder / "chain.pem", folder / "key.pem"
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1")
    names = ("-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1")
    subprocess.run(
        ["openssl", "req", "-x509", *curve, "-nodes", "-days", "2", *names, "-keyout", key, "-out", chain],
        check=True,
        capture_output=True,
    )
    return chain, key


@contextmanager
def centralka(data_dir: Path, config: str = "", *, tls: tuple[Path, Path] | None = None) -> Iterator[Server]:
    """Our server; `config` is what its TOML file says."""
    file = data_dir.parent / "centralka.toml"
    command = [str(Path(sys.executable).with_name("centralka")), "serve", "--data-dir", str(data_dir)]
    command += ["--config", str(file), "--provisioning", "127.0.0.1:0", "--portal", "127.0.0.1:0"]
    if tls is not None:
        config += f'\n[tls]\ncertificate = "{tls[0]}"\nprivate_key = "{tls[1]}"\n'
        command += ["--provisioning-tls", "127.0.0.1:0"]
    file.write_text(config)
    errors = data_dir.parent / "stderr.txt"
    with (
        errors.open("w") as said,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=said, text=True) as process,
    ):
        assert process.stdout is not None
        lines: dict[str, str] = {}
        while "portal" not in lines:
            name, _, url = process.stdout.readline().strip().partition(": ")
            if not url:
                sys.exit(errors.read_text())
            lines[name] = url.rstrip("/")
        secure = lines.get("provisioning-tls", "")
        server = Server("centralka", lines["provisioning"], (process.pid,), secure, lines["portal"])
        try:
            yield server
        finally:
            process.terminate()
            process.wait()
            server.said = errors.read_text().splitlines()


@contextmanager
def nginx(folder: Path, files: dict[str, bytes], *, tls: tuple[Path, Path] | None = None) -> Iterator[Server]:
    """Debian's nginx, which serves `files` from the disk with one worker."""
    root = folder / "root"
    for path, content in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content)
    # Its worker gives up root: it must get through to the files, not to the data directory.
    for directory in (folder.parent, folder, root, *(each for each in root.iterdir() if each.is_dir())):
        directory.chmod(0o755)
    secure = (
        f"listen 127.0.0.1:18090 ssl; ssl_certificate {tls[0]}; ssl_certificate_key {tls[1]};" if tls else ""
    )
    config = folder / "nginx.conf"
    config.write_text(
        f"daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log;\n"
        "worker_rlimit_nofile 20000; events { worker_connections 16384; }\n"
        "http { access_log off; sendfile on; keepalive_requests 1000000;\n"
        f"  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;\n"
        f"  fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi;\n"
        f"  scgi_temp_path {folder}/scgi;\n"
        f"  server {{ listen 127.0.0.1:18089 backlog=4096; {secure} root {root}; }} }}\n"
    )
    with subprocess.Popen(["nginx", "-c", str(config), "-e", f"{folder}/error.log"]) as process:
        try:
            children: list[str] = []
            while not children:
                time.sleep(0.05)
                children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
            pids = tuple(int(child) for child in children)
            yield Server("nginx", "http://127.0.0.1:18089", pids, "https://127.0.0.1:18090" if tls else "")
        finally:
            process.terminate()


@dataclass(frozen=True)
class Load:
    """What one round of load came to."""

    requests: int
    seconds: float
    cpu_s: float
    "Of the server."
    longest_ms: float
    lost: int
    "Connections that were refused, cut or timed out."

    @property
    def per_cpu_second(self) -> float:
        return self.requests / self.cpu_s

    @property
    def per_second(self) -> float:
        return self.requests / self.seconds


_SUMMARY = """
done = function(summary, latency, requests)
  local e = summary.errors
  io.write(string.format("\\nsummary %d %d %d %d %d\\n", summary.requests, summary.duration, latency.max,
    e.connect + e.read + e.write + e.timeout, e.status))
end
"""


def load(
    server: Server, base: str, script: str, folder: Path, connections: int, seconds: int, *options: str
) -> Load:
    """wrk with one thread; `script` is Lua. Every answer must be good."""
    file = folder / "load.lua"
    file.write_text(script + _SUMMARY)
    before = server.cpu_s()
    command = [
        "wrk",
        "-t1",
        f"-c{connections}",
        f"-d{seconds}s",
        "--timeout",
        "10s",
        "-s",
        str(file),
        *options,
    ]
    done = subprocess.run([*command, base], check=True, capture_output=True, text=True).stdout
    used = server.cpu_s() - before
    found = re.search(r"summary (\d+) (\d+) (\d+) (\d+) (\d+)", done)
    assert found, done
    requests, duration_us, longest_us, lost, bad = map(int, found.groups())
    assert bad == 0, done
    return Load(requests, duration_us / 1e6, used, longest_us / 1000, lost)


def storm(server: Server, base: str, phones: int, at_once: int, asked: Sequence[str]) -> Load:
    """Each phone asks for each path once, on connections of their own (`storm_client.py`)."""
    before = server.cpu_s()
    client = Path(__file__).with_name("storm_client.py")
    command = [sys.executable, str(client), base, str(phones), str(at_once), *asked]
    done = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    used = server.cpu_s() - before
    return Load(done["requests"], done["seconds"], used, done["longest_ms"], done["lost"])


def paths(files: Sequence[str], headers: str = "") -> str:
    """A script that asks for each file in turn."""
    listed = ",".join(f'"/{path}"' for path in files)
    return (
        f"local paths = {{{listed}}}\nlocal n = 0\n"
        f"request = function() n = n % #paths + 1; return wrk.format('GET', paths[n]{headers}) end\n"
    )
