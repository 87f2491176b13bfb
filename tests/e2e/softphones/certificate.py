"""The certificate of a TLS server at a loopback address."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Certificate:
    """It signs itself: clients are told to trust it, and it alone."""

    chain: Path
    key: Path

    @classmethod
    def make(cls, folder: Path, host: str) -> Certificate:
        """In `folder`, for this IP address."""
        made = cls(folder / "chain.pem", folder / "key.pem")
        # linphone looks for the address among the DNS names.
        names = ("-subj", f"/CN={host}", "-addext", f"subjectAltName=IP:{host},DNS:{host}")
        curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2")
        command = ["openssl", "req", "-x509", *curve, *names, "-keyout", made.key, "-out", made.chain]
        subprocess.run(command, check=True, capture_output=True)
        return made
