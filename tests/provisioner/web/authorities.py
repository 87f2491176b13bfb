"""Certificates made by openssl, as a vendor makes them for its phones."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

NEW_KEY = ("ec", "-pkeyopt", "ec_paramgen_curve:prime256v1")
OLD_KEY = ("rsa:1024",)
"What phones of a decade ago have."


@dataclass(frozen=True)
class Shown:
    """A certificate and its key, as files."""

    chain: Path
    key: Path

    @property
    def der(self) -> bytes:
        return openssl("x509", "-in", str(self.chain), "-outform", "DER")

    @property
    def curl(self) -> list[str]:
        return ["--cert", str(self.chain), "--key", str(self.key)]

    @property
    def s_client(self) -> list[str]:
        return ["-cert", str(self.chain), "-key", str(self.key)]


@dataclass(frozen=True)
class Authority:
    """A CA in a folder of its own."""

    folder: Path
    digest: str = "sha256"

    @classmethod
    def make(cls, folder: Path, *, digest: str = "sha256") -> Authority:
        folder.mkdir()
        made = cls(folder, digest)
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", f"-{digest}", "-days", "30",
                "-subj", "/CN=Phones CA", "-keyout", str(made.key), "-out", str(made.chain))  # fmt: skip
        return made

    @property
    def chain(self) -> Path:
        return self.folder / "ca.pem"

    @property
    def key(self) -> Path:
        return self.folder / "ca.key"

    def issue(
        self, name: str, *, alternative: str = "", days: int = 30, key: tuple[str, ...] = NEW_KEY
    ) -> Shown:
        """A certificate whose common name is `name`; less than 1 day is over already."""
        stem = f"{len(list(self.folder.iterdir()))}"
        shown = Shown(self.folder / f"{stem}.pem", self.folder / f"{stem}.key")
        wish = self.folder / f"{stem}.csr"
        subject = f"/O=Vendor/CN={name}" if name else "/O=Vendor"
        extra = ["-addext", f"subjectAltName={alternative}"] if alternative else []
        openssl("req", "-newkey", *key, "-nodes", "-subj", subject, *extra,
                "-keyout", str(shown.key), "-out", str(wish))  # fmt: skip
        openssl("x509", "-req", "-in", str(wish), "-CA", str(self.chain), "-CAkey", str(self.key),
                f"-{self.digest}", "-days", str(days), "-copy_extensions", "copyall",
                "-CAcreateserial", "-out", str(shown.chain))  # fmt: skip
        return shown


def openssl(*command: str) -> bytes:
    """Its output."""
    return subprocess.run(("openssl", *command), check=True, capture_output=True).stdout
