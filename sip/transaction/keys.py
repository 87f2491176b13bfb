"""What transactions are known by (RFC 3261 §17.1.3, §17.2.3)."""

from __future__ import annotations

import secrets
from typing import TypeAlias

from sip.message.message import Request, Response
from sip.transport.flow import Flow

ClientKey: TypeAlias = tuple[str | None, str]
"Branch, and method of CSeq: a CANCEL has the branch of its INVITE."
MergeKey: TypeAlias = tuple[str | None, str, int, str]
"From tag, Call-ID, CSeq."

_COOKIE = "z9hG4bK"


def fresh_branch() -> str:
    """A branch that nobody can guess: whoever can answer a request has seen it (§8.1.1.7)."""
    return _COOKIE + secrets.token_hex(16)


def client_key(response: Response) -> ClientKey:
    """Of the transaction that a response belongs to."""
    return response.via[0].branch, response.cseq.method


def server_key(request: Request, flow: Flow, method: str | None = None) -> str:
    """Of the transaction that a request belongs to; `method` is INVITE for an ACK or CANCEL of one.

    To what the RFC compares comes the address that the request came from. Behind NATs many phones have the
    same sent-by, and some make the same branches after each start; and nobody cancels another's calls.
    """
    via = request.via[0]
    method = method or request.method
    source = flow.remote.host
    branch = via.unique_branch
    if branch is not None:
        # The branch comes last, for it alone may hold anything.
        return f"{source}\n{method}\n{via.host.lower()}:{via.port}\n{branch}"
    return _key_of_rfc_2543(request, source, method, request.to.tag)


def ack_key(request: Request, flow: Flow, to_tag: str | None) -> str:
    """By which the ACK is known of the response with `to_tag` to an INVITE of a peer of RFC 2543."""
    return _key_of_rfc_2543(request, flow.remote.host, request.method, to_tag)


def _key_of_rfc_2543(request: Request, source: str, method: str, to_tag: str | None) -> str:
    # Header values hold no line ends, so these can't run into each other.
    return "\n".join(
        (
            source,
            method,
            "",
            str(request.via[0]),
            request.uri_text,
            request.from_.tag or "",
            to_tag or "",
            request.call_id,
            str(request.cseq.number),
        )
    )


def merge_key(request: Request) -> MergeKey | None:
    """What is the same in all copies of a request that took several ways (§8.2.2.2); None: it can't have.

    A REGISTER that comes twice binds once (§10.3, step 7), and a 482 could only keep out a phone that
    registers by two flows (RFC 5626): it is never called merged.
    """
    if request.method == "REGISTER" or request.to.tag is not None:
        return None
    cseq = request.cseq
    return request.from_.tag, request.call_id, cseq.number, cseq.method
