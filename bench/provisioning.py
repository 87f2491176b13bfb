"""How many of its own files a phone gets per CPU-second, side by side with nginx serving the same bytes.

Run it with `.venv/bin/python bench/provisioning.py`. It wants Debian's wrk and nginx-light. Both servers run
on loopback in processes of their own; figures are medians of several rounds, and CPU is what the server used,
so that a noisy machine shows in neither.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from db.queries.devices import all_devices
from provisioner.centrex.actor import COMMAND_LINE
from provisioner.centrex.mac import MacAddress
from provisioner.files.company import read_company_file
from provisioner.operations.companies import apply
from provisioner.operations.devices import render_device
from provisioner.operations.installation import initialise, opened
from provisioner.settings import read_settings

CLOCK_TICKS = os.sysconf("SC_CLK_TCK")
PHONES = 50


@dataclass(frozen=True)
class Server:
    """A server under load."""

    name: str
    base: str
    pids: tuple[int, ...]

    def cpu_s(self) -> float:
        """CPU seconds that its processes have used."""
        used = 0
        for pid in self.pids:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            used += int(fields[11]) + int(fields[12])
        return used / CLOCK_TICKS


def company() -> bytes:
    """A company with `PHONES` phones of one model."""
    lines = "".join(
        f'      - {{number: "4822000{n:04d}", product: telefonia-ip-standard}}\n' for n in range(PHONES)
    )
    accounts = 'accounts: [{{account: 1, line: "4822000{n:04d}"}}]'
    devices = "".join(
        f'      - {{mac: "805ec000{n:04x}", model: T46S, {accounts.format(n=n)}}}\n' for n in range(PHONES)
    )
    return (
        f"customers:\n  - login: bench\n    name: Bench\n    lines:\n{lines}    devices:\n{devices}".encode()
    )


async def prepare(data_dir: Path) -> dict[str, bytes]:
    """The installation, and each phone's path with its bytes. Tokens are used once, as by a phone."""
    settings = read_settings(None, provisioning="127.0.0.1:0", portal="127.0.0.1:0")
    await initialise(data_dir, settings)
    async with opened(data_dir, settings) as installation:
        await apply(installation, read_company_file(company()), COMMAND_LINE)
        async with installation.database.read() as session:
            listed = [
                (device.mac, installation.vault.open(device.tokens[-1].token_sealed))
                for device, _ in await all_devices(session)
            ]
        return {
            f"{token}/{mac}.cfg": (await render_device(installation, MacAddress(mac))).encode()
            for mac, token in listed
        }


@contextmanager
def centralka(data_dir: Path) -> Iterator[Server]:
    command = [
        str(Path(sys.executable).parent / "centralka"),
        "serve",
        "--data-dir",
        str(data_dir),
        "--provisioning",
        "127.0.0.1:0",
        "--portal",
        "127.0.0.1:0",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        base = process.stdout.readline().split()[-1]
        process.stdout.readline()
        try:
            yield Server("centralka", base, (process.pid,))
        finally:
            process.terminate()


@contextmanager
def nginx(folder: Path, files: dict[str, bytes]) -> Iterator[Server]:
    root = folder / "root"
    for path, content in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content)
    # Its workers give up root: they must get through to the files, not to the data directory.
    for directory in (folder.parent, folder, root, *root.iterdir()):
        directory.chmod(0o755)
    config = folder / "nginx.conf"
    config.write_text(
        f"daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log;\n"
        "events { worker_connections 4096; }\n"
        f"http {{ access_log off; sendfile on; keepalive_requests 1000000;\n"
        f"  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;\n"
        f"  fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi;\n"
        f"  scgi_temp_path {folder}/scgi;\n"
        f"  server {{ listen 127.0.0.1:18089; root {root}; }} }}\n"
    )
    with subprocess.Popen(["nginx", "-c", str(config), "-e", f"{folder}/error.log"]) as process:
        try:
            children: list[str] = []
            while not children:
                time.sleep(0.05)
                children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
            yield Server("nginx", "http://127.0.0.1:18089/", tuple(int(child) for child in children))
        finally:
            process.terminate()


def load(server: Server, script: Path, connections: int, seconds: int) -> tuple[float, float]:
    """Requests per CPU-second of the server, and per second, with all answers good."""
    before = server.cpu_s()
    done = subprocess.run(
        ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", str(script), server.base],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    used = server.cpu_s() - before
    assert "Non-2xx" not in done, done
    assert "Socket errors" not in done, done
    found = re.search(r"(\d+) requests in ([\d.]+)s", done)
    assert found, done
    return int(found[1]) / used, int(found[1]) / float(found[2])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    for program in ("wrk", "nginx"):
        if shutil.which(program) is None:
            sys.exit(
                f"{program} is not installed: apt install {program if program == 'wrk' else 'nginx-light'}"
            )
    console = Console()
    with tempfile.TemporaryDirectory(prefix="centralka-bench-") as folder:
        place = Path(folder)
        files = asyncio.run(prepare(place / "data"))
        script = place / "paths.lua"
        paths = ",".join(f'"/{path}"' for path in files)
        script.write_text(
            f"local paths = {{{paths}}}\nlocal n = 0\n"
            "request = function() n = n % #paths + 1; return wrk.format('GET', paths[n]) end\n"
        )
        with centralka(place / "data") as ours, nginx(place / "nginx", files) as peer:
            table = Table("connections", "server", "per CPU-second", "per second", "of nginx")
            for connections in (1, 32, 256):
                rounds = [
                    (
                        load(ours, script, connections, options.seconds),
                        load(peer, script, connections, options.seconds),
                    )
                    for _ in range(options.rounds)
                ]
                per_cpu = [statistics.median(each[side][0] for each in rounds) for side in (0, 1)]
                per_second = [statistics.median(each[side][1] for each in rounds) for side in (0, 1)]
                ratio = statistics.median(each[0][0] / each[1][0] for each in rounds)
                for side, server in enumerate((ours, peer)):
                    table.add_row(
                        str(connections) if side == 0 else "",
                        server.name,
                        f"{per_cpu[side]:,.0f}",
                        f"{per_second[side]:,.0f}",
                        f"{ratio:.3f}" if side == 0 else "1",
                    )
            size = statistics.median(len(content) for content in files.values())
            console.print(f"{PHONES} phones, {size:,.0f} bytes a file, medians of {options.rounds} rounds")
            console.print(table)


if __name__ == "__main__":
    main()
