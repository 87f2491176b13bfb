"""A server's side of Digest authentication: asks for credentials and judges what comes (RFC 7616 §3.7).

Sans-I/O: what `now` and `source` are, and whose the HA1s are, the caller says.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

from sip.digest import STRONGEST_FIRST, Algorithm, Challenge, Credentials
from sip.nonces import Nonces


class Verdict(Enum):
    """What credentials are worth."""

    GRANTED = "granted"
    STALE = "stale"
    "Made with the password, but the nonce has had its time, or this use of it: a replay looks like that."
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdict, and which password it was."""

    verdict: Verdict
    key: int | None = None
    "The place of the HA1 that fits; None where none does."


class Guard:
    """Asks for credentials and judges them."""

    def __init__(self, realm: str, nonces: Nonces) -> None:
        self.realm = realm
        self._nonces = nonces

    def challenges(
        self,
        now: float,
        source: str,
        algorithms: Iterable[Algorithm] = STRONGEST_FIRST,
        *,
        stale: bool = False,
    ) -> tuple[Challenge, ...]:
        """One for each algorithm, of one nonce: a client answers one of them (RFC 8760 §2.4)."""
        nonce = self._nonces.make(now, source)
        return tuple([Challenge(self.realm, nonce, algorithm, stale=stale) for algorithm in algorithms])

    def has_asked(self, credentials: Credentials, source: str) -> bool:
        """Whether the credentials answer a challenge that `source` had from us."""
        return self._nonces.has_made(credentials.nonce, source)

    def judge(
        self, credentials: Credentials, method: str, keys: Sequence[str], now: float, source: str
    ) -> Judgement:
        """Compares with each HA1 of `keys`, which are of `credentials.algorithm`, in constant time.

        For a user who is unknown give as many made-up ones: the work, and so the time, is then the same.
        """
        given = credentials.response.encode("utf-8", "surrogateescape")
        fits = [
            hmac.compare_digest(credentials.expected(key, method).encode("ascii"), given) for key in keys
        ]
        if True not in fits:
            return Judgement(Verdict.REFUSED)
        fresh = self._nonces.use(credentials.nonce, credentials.use, now, source)
        return Judgement(Verdict.GRANTED if fresh else Verdict.STALE, fits.index(True))
