"""What phones are told to reach. Data, never a guess and never a Host header."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PublicAddresses:
    """Where phones find the server."""

    provisioning_url: str
    "Base URL of the phones' files, without a slash at its end."
    sip_host: str
    sip_port: int
    sip_transport: str
    "udp | tcp | tls | dns_srv"
