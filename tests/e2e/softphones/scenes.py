"""Scenarios of sipp: each message is written out, and what it must hold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from xml.sax.saxutils import quoteattr

from provisioner.virtual_phones.account import Account

_SESSION = """\
v=0
o=sipp 1 1 IN IP4 [local_ip]
s=-
c=IN IP4 [local_ip]
t=0 0
m=audio {port} RTP/AVP 8
"""
_HELD = "held"
"Gets what was found, which nobody wants to know."
_ALLOW = "Allow: INVITE, ACK, BYE, CANCEL, PRACK, UPDATE, NOTIFY"


def scenario(steps: Iterable[str]) -> str:
    """The file of these steps."""
    text = "".join(steps)
    if _HELD in text:
        # A variable that is used only once sipp takes for a misspelt one.
        text += f'<Reference variables="{_HELD}"/>\n'
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<scenario name="phone">\n{text}</scenario>\n'


def session(port: int) -> str:
    """A session description with the media at that port."""
    return _SESSION.format(port=port)


def waits_for(response: int, *checks: str, is_asked: bool = False, is_first: bool = False) -> str:
    """The next is this response. `is_asked`: with a challenge; `is_first`: it says where the other one is."""
    more = ' auth="true"' * is_asked + ' rrs="true"' * is_first
    return f'<recv response="{response}"{more}>{_action(checks)}</recv>\n'


def may_get(response: int) -> str:
    """This response may come first."""
    return f'<recv response="{response}" optional="true"></recv>\n'


def gets(method: str, *checks: str, is_first: bool = False) -> str:
    """The next is this request."""
    more = ' rrs="true"' * is_first
    return f'<recv request="{method}"{more}>{_action(checks)}</recv>\n'


def again_and_again(*steps: str) -> str:
    """These, until it is ended from outside."""
    return "".join(['<label id="1"/>\n', *steps, '<nop next="1"/>\n'])


def body_has(pattern: str) -> str:
    """What a message must hold."""
    return _ereg(pattern, 'search_in="body" check_it="true"', _HELD)


def header(name: str, variable: str, pattern: str = ".*") -> str:
    """Keeps what a message says there."""
    return _ereg(pattern, f'search_in="hdr" header="{name}:" check_it="true"', variable)


@dataclass(frozen=True)
class Callee:
    """Who is called, and has said so much of its own before it answers that its INVITE is kept."""

    account: Account

    def is_called(self) -> str:
        """The INVITE that comes first."""
        kept = [header(name, name.lower()) for name in ("Via", "From", "To", "CSeq")]
        return gets("INVITE", *kept, is_first=True)

    def says(self, status: str, *more: str, body: str = "") -> str:
        """A response to that."""
        lines = ["Via:[$via]", "From:[$from]", "To:[$to];tag=callee", "Call-ID: [call_id]", "CSeq:[$cseq]"]
        return _sends([f"SIP/2.0 {status}", *lines, self._contact, _ALLOW, *more], body)

    def asks(self, method: str, cseq: int, *more: str, body: str = "") -> str:
        """A request in the dialog."""
        lines = [f"{method} [next_url] SIP/2.0", _via(self.account), "Max-Forwards: 70"]
        lines += ["From:[$to];tag=callee", "To:[$from]", "Call-ID: [call_id]", f"CSeq: {cseq} {method}"]
        return _sends([*lines, self._contact, *more], body, retrans=' retrans="500"')

    @property
    def _contact(self) -> str:
        return _contact(self.account)


def _via(account: Account) -> str:
    """Not [transport]: over TLS sipp itself speaks TCP, to a tunnel."""
    return f"Via: SIP/2.0/{account.transport.upper()} [local_ip]:[local_port];rport;branch=[branch]"


def _contact(account: Account) -> str:
    return f"Contact: <sip:{account.user_name}@[local_ip]:[local_port];transport={account.transport}>"


def _ereg(pattern: str, more: str, variable: str) -> str:
    return f'<ereg regexp={quoteattr(pattern)} {more} assign_to="{variable}"/>'


def _action(checks: Iterable[str]) -> str:
    listed = "".join(checks)
    return f"<action>{listed}</action>" if listed else ""


def _sends(lines: Iterable[str], body: str = "", retrans: str = "") -> str:
    written = list(lines)
    if body:
        written.append("Content-Type: application/sdp")
    text = "\n".join([*written, "Content-Length: [len]", "", body])
    return f"<send{retrans}><![CDATA[\n{text}\n]]></send>\n"


def answers(status: str, *more: str, body: str = "") -> str:
    """Says that to the request that came last."""
    last = [f"[last_{name}:]" for name in ("Via", "From", "To", "Call-ID", "CSeq")]
    return _sends([f"SIP/2.0 {status}", *last, *more], body)


@dataclass(frozen=True)
class Caller:
    """Who asks the server for something, and is asked to log in."""

    account: Account
    number: str
    "That it calls, or watches."

    def begins(self, method: str, *more: str, body: str = "") -> Iterator[str]:
        """Asks, is asked to log in, and asks again: as number 2."""
        yield self._asks(method, 1, more, body)
        yield waits_for(401, is_asked=True)
        if method == "INVITE":
            lines = ["[last_Via:]", "Max-Forwards: 70", "[last_From:]", "[last_To:]"]
            lines += ["Call-ID: [call_id]", "CSeq: 1 ACK"]
            yield _sends([f"ACK sip:{self.number}@{self.account.server} SIP/2.0", *lines])
        account = self.account
        login = f"[authentication username={account.auth_name} password={account.password}]"
        yield self._asks(method, 2, (*more, login), body)

    def _asks(self, method: str, cseq: int, more: Iterable[str], body: str) -> str:
        account = self.account
        lines = [
            f"{method} sip:{self.number}@{account.server} SIP/2.0",
            _via(account),
            "Max-Forwards: 70",
            f"From: <{account.aor}>;tag=[pid]c[call_number]",
            f"To: <sip:{self.number}@{account.server}>",
            "Call-ID: [call_id]",
            f"CSeq: {cseq} {method}",
            _contact(account),
            f"User-Agent: {account.user_agent}",
            _ALLOW,
            *more,
        ]
        return _sends(lines, body, retrans=' retrans="500"')

    def says(self, method: str, cseq: int, *more: str, body: str = "") -> str:
        """A request in the dialog."""
        account = self.account
        lines = [
            f"{method} [next_url] SIP/2.0",
            _via(account),
            "Max-Forwards: 70",
            f"From: <{account.aor}>;tag=[pid]c[call_number]",
            f"To: <sip:{self.number}@{account.server}>[peer_tag_param]",
            "Call-ID: [call_id]",
            f"CSeq: {cseq} {method}",
            _contact(account),
            *more,
        ]
        return _sends(lines, body, retrans="" if method == "ACK" else ' retrans="500"')
