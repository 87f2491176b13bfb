"""Nonces that need no table until somebody has authenticated with one (RFC 7616 §3.3, RFC 3261 §22).

A nonce says who made it and when, and is bound to the address that it was given to: BLAKE2 (RFC 7693) with
a secret key that all processes share, so each of them can tell that any other made it. How often one was used
is known only where it was used, so away from its maker it lives a few seconds: long enough for a client that
opens a new connection to come out at another process, and the longest that a replay there can work.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from collections import OrderedDict
from dataclasses import dataclass

_FORM = re.compile("[A-Za-z0-9_-]{40}")
_MAKER, _TIME, _SALT, _MAC = 4, 6, 4, 16
"Bytes of each part; thirty together are forty characters."
_EARLY_S = 5.0
"How far the clocks of two machines may differ."


@dataclass(frozen=True, slots=True)
class NonceLimits:
    """For how long and for how many."""

    lifetime_s: float = 300.0
    "At the process that made it."
    elsewhere_s: float = 10.0
    "At every other, since it was made. 0: nowhere else."
    in_use: int = 50_000
    "Nonces whose counts are remembered."


class Nonces:
    """Makes nonces, and tells whether one may be used once more."""

    def __init__(self, secret: bytes, limits: NonceLimits | None = None) -> None:
        """`secret` is shared by all that take one another's nonces; at most 64 bytes."""
        self._secret = secret
        self._limits = limits or NonceLimits()
        self._maker = secrets.token_bytes(_MAKER)
        self._opened_last: tuple[str, str, bytes | None] = "", "", None
        "A nonce of ours, whose it is and what it says: who checks credentials looks at it twice."
        self._counts: OrderedDict[bytes, int] = OrderedDict()
        "The highest count of each nonce in use, first used first."
        self._forgotten_until_ms = -1
        "Of the nonces that were made until then some counts are forgotten: an unknown one may be a replay."

    def make(self, now: float, source: str) -> str:
        """A nonce for `source`, an address. `now` is Unix time, in seconds."""
        body = self._maker + _milliseconds(now).to_bytes(_TIME, "big") + secrets.token_bytes(_SALT)
        return base64.urlsafe_b64encode(body + self._seal(body, source)).decode("ascii")

    def has_made(self, nonce: str, source: str) -> bool:
        """Whether `source` has this nonce from us, or from another process with our secret."""
        return self._opened(nonce, source) is not None

    def use(self, nonce: str, count: int, now: float, source: str) -> bool:
        """Takes note of one use by somebody who has proved the password; False: ask again with a new nonce.

        The count must rise with each use. A client of RFC 2069 counts nothing: it is always 1.
        """
        body = self._opened(nonce, source)
        if body is None:
            return False
        made_ms = _made_ms(body)
        is_ours = body.startswith(self._maker)
        longest_s = self._limits.lifetime_s if is_ours else self._limits.elsewhere_s
        if not longest_s or not -_EARLY_S <= now - made_ms / 1000 <= longest_s:
            return False
        last = self._counts.get(body)
        if count <= (last or 0) or (last is None and made_ms <= self._forgotten_until_ms):
            return False
        self._counts[body] = count
        self._forget(now)
        return True

    def _forget(self, now: float) -> None:
        """Drops what is too old to count, and the first ones where there are too many."""
        oldest_ms = _milliseconds(now - self._limits.lifetime_s)
        while self._counts:
            made_ms = _made_ms(next(iter(self._counts)))
            if made_ms >= oldest_ms and len(self._counts) <= self._limits.in_use:
                return
            self._counts.popitem(last=False)
            self._forgotten_until_ms = max(self._forgotten_until_ms, made_ms)

    def _opened(self, nonce: str, source: str) -> bytes | None:
        """What the nonce says, if `source` has it from us, or from another process with our secret."""
        if (nonce, source) == self._opened_last[:2]:
            return self._opened_last[2]
        if _FORM.fullmatch(nonce) is None:
            return None
        raw = base64.urlsafe_b64decode(nonce)
        body = raw[:-_MAC]
        if not hmac.compare_digest(raw[-_MAC:], self._seal(body, source)):
            return None
        self._opened_last = nonce, source, body
        return body

    def _seal(self, body: bytes, source: str) -> bytes:
        data = body + source.encode("utf-8", "replace")
        return hashlib.blake2b(data, key=self._secret, digest_size=_MAC).digest()


def _made_ms(body: bytes) -> int:
    return int.from_bytes(body[_MAKER : _MAKER + _TIME], "big")


def _milliseconds(now: float) -> int:
    return max(0, int(now * 1000))
