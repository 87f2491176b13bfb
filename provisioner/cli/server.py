"""The verbs that run the server."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

import typer
import uvloop

from provisioner.app import serving
from provisioner.cli.common import (
    ConfigFile,
    DataDir,
    chosen_data_dir,
    chosen_settings,
    out,
)
from provisioner.demo.show import run_demo
from provisioner.operations.installation import opened
from provisioner.runtime import settle_in
from provisioner.settings import read_settings


def serve(
    data_dir: DataDir = None,
    config: ConfigFile = None,
    portal: Annotated[str | None, typer.Option(help="HOST:PORT of pages, API and /healthz.")] = None,
    provisioning: Annotated[str | None, typer.Option(help="HOST:PORT for phones.")] = None,
    provisioning_tls: Annotated[str | None, typer.Option(help="HOST:PORT for phones, TLS.")] = None,
    provisioning_certificates: Annotated[
        str | None, typer.Option(help="HOST:PORT for phones that show a certificate of their own.")
    ] = None,
    provisioning_legacy_tls: Annotated[
        str | None, typer.Option(help="HOST:PORT for phones of TLS 1.0, which protects nothing.")
    ] = None,
    sip: Annotated[str | None, typer.Option(help="HOST:PORT of SIP over UDP and TCP.")] = None,
    sips: Annotated[str | None, typer.Option(help="HOST:PORT of SIP over TLS.")] = None,
    rtp_ports: Annotated[str | None, typer.Option(help="LOW-HIGH.")] = None,
    pnp: Annotated[
        bool | None, typer.Option("--pnp/--no-pnp", help="Answer phones that look for a server.")
    ] = None,
    workers: Annotated[int | None, typer.Option(help="How many processes answer phones.")] = None,
) -> None:
    """Run the server until Ctrl-C."""
    settings = chosen_settings(
        config,
        portal=portal,
        provisioning=provisioning,
        provisioning_tls=provisioning_tls,
        provisioning_certificates=provisioning_certificates,
        provisioning_legacy_tls=provisioning_legacy_tls,
        sip=sip,
        sips=sips,
        rtp_ports=rtp_ports,
        pnp=pnp,
        workers=workers,
    )

    async def run() -> None:
        # Whoever reads the last line may stop the server at once.
        stop = on_stop()
        settle_in()
        async with (
            opened(chosen_data_dir(data_dir), settings) as installation,
            ending_by(stop) as starting,
            serving(installation, lambda line: print(line, flush=True)),
        ):
            starting.cancel()
            settle_in()
            await stop.wait()

    uvloop.run(run())


def on_stop() -> asyncio.Event:
    """What Ctrl-C and SIGTERM set."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    return stop


@asynccontextmanager
async def ending_by(stop: asyncio.Event) -> AsyncIterator[asyncio.Task[None]]:
    """Ends what is done in the context when `stop` is set, until the task is cancelled.

    A start may take long: where this version writes files otherwise, those of all phones come first.
    """
    try:
        async with asyncio.timeout(None) as limit:

            async def end() -> None:
                await stop.wait()
                limit.reschedule(0)

            ending = asyncio.create_task(end(), name="end of the start")
            try:
                yield ending
            finally:
                ending.cancel()
    except TimeoutError:
        if not limit.expired():
            raise


async def _interrupted() -> None:
    """Returns on Ctrl-C or SIGTERM."""
    await on_stop().wait()


def demo(
    check: Annotated[bool, typer.Option("--check", help="End when all that it shows has passed.")] = False,
    portal: Annotated[str, typer.Option(help="HOST:PORT, loopback only.")] = "127.0.0.1:0",
    provisioning: Annotated[str, typer.Option(help="HOST:PORT, loopback only.")] = "127.0.0.1:0",
    sip: Annotated[str, typer.Option(help="HOST:PORT, loopback only.")] = "127.0.0.1:0",
    provisioning_tls: Annotated[str | None, typer.Option(help="HOST:PORT, loopback only.")] = None,
    provisioning_certificates: Annotated[str | None, typer.Option(help="HOST:PORT, loopback only.")] = None,
    provisioning_legacy_tls: Annotated[str | None, typer.Option(help="HOST:PORT, loopback only.")] = None,
    sips: Annotated[str | None, typer.Option(help="HOST:PORT, loopback only.")] = None,
    rtp_ports: Annotated[str | None, typer.Option(help="LOW-HIGH.")] = None,
    pnp: Annotated[bool | None, typer.Option("--pnp/--no-pnp")] = None,
) -> None:
    """Boot the sample company's phones against a throw-away server on this machine."""
    settings = read_settings(
        None,
        portal=portal,
        provisioning=provisioning,
        provisioning_tls=provisioning_tls,
        provisioning_certificates=provisioning_certificates,
        provisioning_legacy_tls=provisioning_legacy_tls,
        sip=sip,
        sips=sips,
        rtp_ports=rtp_ports,
        pnp=pnp,
    )
    # Phones that look for a server are heard on this machine alone, too.
    alone = settings.sip.model_copy(update={"pnp_interfaces": ("lo",)})
    settings = settings.model_copy(update={"sip": alone})
    passed = uvloop.run(run_demo(settings, out, None if check else _interrupted))
    if not passed:
        raise typer.Exit(1)
