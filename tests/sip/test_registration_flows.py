"""The registrations of RFC 3665 §2, message by message."""

from __future__ import annotations

import pytest

from sip.binding import ChangeKind
from sip.digest import Algorithm, ha1
from sip.digest_guard import Guard, Verdict
from sip.message.message import Request
from sip.message.uri import parse_uri
from sip.nonces import Nonces
from sip.registrar import Origin
from sip.registrar_errors import BadContact
from sip.transport.flow import Address, Transport
from tests.sip.message.messages import request, wire
from tests.sip.registering import Registrar, contacts, kinds

BOB = Origin(Transport.TLS, Address("192.0.2.201", 5061), Address("192.0.2.200", 5061))
CONTACT = "<sips:bob@client.biloxi.example.com>"
GUARD = Guard("atlanta.example.com", Nonces(b"secret"))
KEY = ha1(Algorithm.MD5, "bob", "atlanta.example.com", "zanzibar")
HEAD = """
REGISTER sips:ss2.biloxi.example.com SIP/2.0
Via: SIP/2.0/TLS client.biloxi.example.com:5061;branch=z9hG4bKnashds7
Max-Forwards: 70
From: Bob <sips:bob@biloxi.example.com>;tag=a73kszlfl
To: Bob <sips:bob@biloxi.example.com>
Call-ID: 1j9FpLxk3uxtm8tn@biloxi.example.com
"""


def of_bob(*lines: str, cseq: int = 1) -> Request:
    return request(wire("\n".join([HEAD.strip("\n"), f"CSeq: {cseq} REGISTER", *lines])))


def verdict(key: str) -> Verdict:
    """What the credentials are worth that `key` makes of a fresh challenge."""
    (challenge,) = GUARD.challenges(1_000.0, BOB.remote.host, [Algorithm.MD5])
    credentials = challenge.answered(
        "bob", key, "REGISTER", "sips:ss2.biloxi.example.com", cnonce="c", count=1
    )
    return GUARD.judge(credentials, "REGISTER", [KEY], 1_000.0, BOB.remote.host).verdict


def test_2_1_a_new_registration():
    registrar = Registrar()
    assert of_bob(f"Contact: {CONTACT}").authorization == (), "F1, which is asked for credentials by F2"
    assert verdict(KEY) is Verdict.GRANTED, "F3"
    f4 = registrar.take(of_bob(f"Contact: {CONTACT}", cseq=2), BOB)
    assert contacts(f4) == [f"{CONTACT};expires=3600"]


def test_2_2_an_update_of_the_contacts_but_not_by_mail():
    registrar = Registrar()
    registrar.take(of_bob(f"Contact: {CONTACT}"), BOB)
    with pytest.raises(BadContact):
        # The RFC's F1 adds a mailbox; calls are never sent to one here, so it is no Contact.
        registrar.take(of_bob("Contact: mailto:bob@biloxi.example.com", cseq=2), BOB)
    f2 = registrar.take(of_bob("Contact: <sips:bob@mobile.example.com>;q=0.5", cseq=3), BOB)
    assert contacts(f2) == [f"{CONTACT};expires=3600", "<sips:bob@mobile.example.com>;expires=3600;q=0.5"]


def test_2_3_a_request_for_the_current_contacts():
    registrar = Registrar()
    registrar.take(of_bob(f"Contact: {CONTACT}"), BOB)
    registrar.now += 1200
    f2 = registrar.take(of_bob(cseq=2), BOB)
    assert (contacts(f2), f2.changes) == ([f"{CONTACT};expires=2400"], ())


def test_2_4_a_cancellation():
    registrar = Registrar()
    registrar.take(of_bob(f"Contact: {CONTACT}"), BOB)
    f2 = registrar.take(of_bob("Expires: 0", "Contact: *", cseq=2), BOB)
    assert kinds(f2) == [ChangeKind.UNREGISTERED]
    assert contacts(f2) == []


def test_2_5_an_unsuccessful_registration():
    assert verdict(ha1(Algorithm.MD5, "bob", "atlanta.example.com", "wrong")) is Verdict.REFUSED


def test_what_is_registered_by_sips_is_called_by_sips():
    registrar = Registrar()
    registrar.take(of_bob(f"Contact: {CONTACT}"), BOB)
    assert registrar.bindings[0].uri == parse_uri("sips:bob@client.biloxi.example.com")
