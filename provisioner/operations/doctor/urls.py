"""Whether the URL that phones are told leads to one of our listeners, and who can use that one."""

from __future__ import annotations

from collections.abc import Iterator

from provisioner.operations.addresses import port_of
from provisioner.operations.doctor.addresses import address_of, is_private
from provisioner.operations.doctor.check import Check, failure, ok, warning
from provisioner.operations.doctor.listeners import LEGACY, over_tls
from provisioner.settings import Settings, split_address


def check_provisioning_url(settings: Settings, url: str) -> Check:
    """Whether something here answers at the port of `url`, in its scheme."""
    port, is_secure = port_of(url), url.startswith("https:")
    if port is None:
        return failure("provisioning-url", f"{url} has no possible port", "correct [public] provisioning_url")
    clear, secure = {"provisioning": settings.listen.provisioning}, over_tls(settings)
    ours, others = (secure, clear) if is_secure else (clear, secure)
    here = [name for name, address in ours.items() if split_address(address)[1] in (port, 0)]
    if here == [LEGACY]:
        return warning(
            "provisioning-url",
            f"{url} leads every phone to the listener for old TLS, from which secrets leave to [security]"
            " clear_text_networks alone",
            "tell phones the port of provisioning_tls once none speaks TLS 1.0 alone: with that URL,"
            " centralka lint names those that do",
        )
    if here:
        return ok("provisioning-url", f"{url} leads to {', '.join(here)}")
    wrong = [name for name, address in others.items() if split_address(address)[1] == port]
    if wrong:
        other = "http" if is_secure else "https"
        return failure(
            "provisioning-url",
            f"phones are told {url}, and {wrong[0]} at that port speaks {other}",
            f"write {other}:// in [public] provisioning_url, or the port of another listener",
        )
    if not ours:
        return warning(
            "provisioning-url",
            f"phones are told {url}, and no listener here speaks TLS",
            "set [listen] provisioning_tls. Behind a server that speaks TLS for it, all phones come from one"
            " address: limits and bans can't tell them apart",
        )
    return warning(
        "provisioning-url",
        f"phones are told {url}, and no listener here has port {port}: {', '.join(ours.values())}",
        "correct [public] provisioning_url or [listen], unless a router passes that port on",
    )


def check_legacy_tls(settings: Settings) -> Iterator[Check]:
    """Whether old TLS, which anybody on the way can break, is listened for on the internet."""
    address = settings.listen.provisioning_legacy_tls
    if address is None:
        return
    host = split_address(address)[0]
    found = address_of(host)
    if found is not None and not found.is_unspecified and is_private(found):
        yield ok("legacy-tls", f"old TLS is listened for at {address}, which is no address of the internet")
        return
    where = "every address of this machine" if found and found.is_unspecified else "a public address"
    yield warning(
        "legacy-tls",
        f"[listen] provisioning_legacy_tls = {address} is {where}: old TLS protects nothing, and is there for"
        " strangers to try",
        "set the address that this machine has in the old phones' own network",
    )
