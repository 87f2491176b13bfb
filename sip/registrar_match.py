"""Which bindings of an AOR are of one phone.

- Two Contacts of one instance and reg-id are one binding (RFC 5626 §6), and so are two that mean the same URI
  (RFC 3261 §19.1.4).
- Other bindings of the same instance live beside it only where both carry a reg-id.
- A REGISTER that takes one Contact back and brings a new one moves the binding.
- A phone that lost power comes back with a new Call-ID (§10.2), and perhaps a new Contact, but seldom says an
  instance. Where it comes from the same place with the same User-Agent, and through no proxy, what it had
  before is displaced. The same place is the same address and port; over a connection, whose port is new each
  time, it is the same address, and a Contact that differs in its port and parameters alone. Two programs on
  one machine that use UDP are thus never taken for one.
"""

from __future__ import annotations

from collections.abc import Sequence

from sip.binding import Binding
from sip.message.uri import SipUri, equivalent
from sip.registrar_contact import Asked


def binding_of(held: Sequence[Binding], asked: Asked) -> Binding | None:
    """The binding that a Contact is about."""
    if asked.reg_id is not None:
        for each in held:
            if each.reg_id == asked.reg_id and each.instance == asked.instance:
                return each
    for each in held:
        if asked.reg_id is not None and each.reg_id is not None:
            continue
        if each.contact == asked.text or equivalent(each.uri, asked.uri):
            return each
    return None


def moved_from(
    held: Sequence[Binding], asked: Asked, kept: Sequence[Asked], taken_back: Sequence[Asked]
) -> Binding | None:
    """The binding whose place a Contact takes that none is about; the others are those of its request."""
    for each in held:
        if each.instance != asked.instance:
            continue
        if any(each.contact == other.text for other in taken_back):
            # One REGISTER that says where it was, and where it is.
            return each
        if (
            asked.instance is not None
            and asked.reg_id is None
            and each.reg_id is None
            and all(each.contact != other.text for other in kept)
        ):
            return each
    return None


def displaces(new: Binding, uri: SipUri, old: Binding, *, is_new: bool, is_direct: bool) -> bool:
    """Whether `new`, whose Contact is `uri`, shows that nobody is behind `old` any more.

    `is_new`: it takes no binding's place. `is_direct`: it came through no proxy.
    """
    if old.instance is not None and new.instance is not None:
        return old.instance == new.instance and (old.reg_id is None or new.reg_id is None)
    return (
        is_new
        and is_direct
        and not old.path
        # All registrations of one phone have one Call-ID until it starts anew.
        and old.call_id != new.call_id
        and new.user_agent is not None
        and old.user_agent == new.user_agent
        and old.transport is new.transport
        and (_is_same_device(new, uri, old) if new.transport.is_reliable else old.remote == new.remote)
    )


def _is_same_device(new: Binding, uri: SipUri, old: Binding) -> bool:
    was = old.uri
    return (
        old.remote.host == new.remote.host
        and isinstance(was, SipUri)
        and was.user == uri.user
        and was.host == uri.host
    )
