"""What can be wrong with what a peer sends."""

from __future__ import annotations


class SipError(Exception):
    """The root of the family; `code` is stable."""

    code = "sip"


class BadAuthHeader(SipError):
    """An authentication header that can't be read, or asks for what isn't done here."""

    code = "bad-auth-header"
