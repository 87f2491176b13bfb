"""`/auth/FILE`: the phone says who it is by HTTP Digest (RFC 7616), for models that take no token in a URL.

Its user name is its MAC, its password its device token: right credentials are the request `/TOKEN/FILE`.
All others get the same challenge, whatever they ask for. HTTP Basic is never taken: it says the token itself.

Replays: a use of a nonce is good once in the process that made it, for as long as the nonce lives, and once
in each other process within `NonceLimits.elsewhere_s` of its making. A replay has to come from the phone's
own address and gets the file that the phone got, as far as it may go over clear text at all.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from phone_templates.yealink.files import classify
from phone_templates.yealink.user_agent import parse_user_agent
from provisioner.operations.asking import Answer, Ask, Reason
from provisioner.operations.installation import Installation
from provisioner.operations.logins import DeviceTokens
from provisioner.operations.memory import Memory
from provisioner.operations.provisioning import answer
from provisioner.store.fresh import fresh_token
from sip.digest import STRONGEST_FIRST, Algorithm, Credentials, ha1, parse_credentials
from sip.digest_guard import Guard, Judgement, Verdict
from sip.errors import BadAuthHeader
from sip.nonces import Nonces

FOLDER = "auth/"
REALM = "provisioning"
_KNOWN = 50_000
"Phones whose tokens are kept in memory."


@dataclass(frozen=True, slots=True)
class Said:
    """The parts of a request that a response to a challenge covers."""

    method: str
    target: str
    "As it stands in the request line."
    authorization: Sequence[str]
    "The values of all such headers."


class Logins:
    """The gate before `/auth`; one for each process, for it counts how often nonces are used."""

    def __init__(self, installation: Installation) -> None:
        """Raises `VaultError`."""
        self._installation = installation
        self._tokens = DeviceTokens(installation)
        self._guard = Guard(REALM, Nonces(installation.vault.derived("nonces of HTTP Digest")))
        self._known: OrderedDict[str, str] = OrderedDict()
        "Tokens that were right, by user name. Whether one lives still is found out with each answer."
        self._decoy = fresh_token()

    async def answer(self, ask: Ask, said: Said, now: datetime, memory: Memory | None = None) -> Answer:
        """Decides a request for something in `FOLDER`. Raises `StorageError`."""
        path = ask.path.removeprefix(FOLDER).lstrip("/")
        try:
            credentials = _credentials(said)
        except BadAuthHeader:
            return self._challenge(ask, path, Reason.CHALLENGED, now)
        verdict, token = await self._judged(credentials, said.method, ask.source, now)
        if verdict is Verdict.STALE:
            return self._challenge(ask, path, Reason.STALE_LOGIN, now)
        if token is None:
            return self._challenge(ask, path, Reason.WRONG_LOGIN, now)
        decided = await answer(self._installation, replace(ask, token=token, path=path), now, memory)
        if decided.reason == Reason.UNKNOWN_TOKEN:
            # Revoked since it was found: it is to look like one that never was.
            self._known.pop(credentials.username, None)
            return self._challenge(ask, path, Reason.WRONG_LOGIN, now)
        return decided

    async def _judged(
        self, credentials: Credentials, method: str, source: str, now: datetime
    ) -> tuple[Verdict, str | None]:
        """The verdict, and the token where it is `GRANTED`.

        A refusal always costs all of this, a phone that was here before only the first step: else the time
        would tell which phones were here.
        """
        known = [self._known.get(credentials.username, self._decoy)]
        judged = self._judge(credentials, method, known, source, now)
        if judged.verdict is Verdict.REFUSED:
            known = await self._tokens.of(credentials.username)
            judged = self._judge(credentials, method, known, source, now)
        if judged.verdict is not Verdict.GRANTED or judged.key is None:
            return judged.verdict, None
        token = known[judged.key]
        self._known[credentials.username] = token
        self._known.move_to_end(credentials.username)
        if len(self._known) > _KNOWN:
            self._known.popitem(last=False)
        return judged.verdict, token

    def _judge(
        self, credentials: Credentials, method: str, tokens: Sequence[str], source: str, now: datetime
    ) -> Judgement:
        keys = [ha1(credentials.algorithm, credentials.username, REALM, token) for token in tokens]
        return self._guard.judge(credentials, method, keys, now.timestamp(), source)

    def _challenge(self, ask: Ask, path: str, reason: Reason, now: datetime) -> Answer:
        # Phones of 2012 know MD5 alone, and may look at the first challenge alone. Of a password that is 128
        # random bits it tells no more than any other.
        is_phone = parse_user_agent(ask.agent) is not None
        algorithms = (Algorithm.MD5,) if is_phone else STRONGEST_FIRST
        stale = reason is Reason.STALE_LOGIN
        challenges = self._guard.challenges(now.timestamp(), ask.source, algorithms, stale=stale)
        named = classify(path)
        return Answer(
            reason,
            file_name=named.name or None,
            mac=named.mac,
            challenges=tuple(str(challenge) for challenge in challenges),
        )


def _credentials(said: Said) -> Credentials:
    if len(said.authorization) != 1:
        raise BadAuthHeader("there has to be one Authorization header")
    credentials = parse_credentials(said.authorization[0])
    if not credentials.uri.endswith(said.target):
        # RFC 7616 §3.4.6: else credentials for one file would open another. The phone may have named the
        # host, too, and a proxy may have taken a folder away.
        raise BadAuthHeader("the credentials are of another request")
    return credentials
