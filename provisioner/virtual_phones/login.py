"""How a phone says who it is: by Digest, over HTTP and SIP alike (RFC 7616, RFC 3261 §22)."""

from __future__ import annotations

import secrets
from collections.abc import Iterable

from sip.digest import Algorithm, Challenge, ha1, parse_challenges


class Known:
    """The challenge that the phone knows, so that it needn't be asked each time (RFC 7616 §3.6)."""

    def __init__(self) -> None:
        self._challenge: Challenge | None = None
        self._count = 0

    def asked(self, challenges: Iterable[str]) -> bool:
        """Takes what a server asks with (WWW-Authenticate) to heart; False: the phone can't answer that."""
        # The phones that we know of have MD5 alone.
        md5 = (each for each in parse_challenges(challenges) if each.algorithm is Algorithm.MD5)
        self._challenge = next(md5, None)
        self._count = 0
        return self._challenge is not None

    def answer(self, user_name: str, password: str, method: str, uri: str) -> str | None:
        """The Authorization of the next request; None: nobody has asked yet."""
        if self._challenge is None:
            return None
        self._count += 1
        key = ha1(self._challenge.algorithm, user_name, self._challenge.realm, password)
        answered = self._challenge.answered(
            user_name, key, method, uri, cnonce=secrets.token_hex(8), count=self._count
        )
        return str(answered)


class Login(Known):
    """The same of one account, for all that it asks."""

    def __init__(self, user_name: str, password: str) -> None:
        super().__init__()
        self._user_name, self._password = user_name, password

    def say(self, method: str, uri: str) -> str | None:
        """The Authorization of the next request; None: nobody has asked yet."""
        return self.answer(self._user_name, self._password, method, uri)
