"""Who calls, as the phones that are rung are told (RFC 3323, RFC 3325, draft-ietf-sip-privacy)."""

from __future__ import annotations

import re

import pytest

from sip.call.identity import present
from sip.call.ringing import Caller, Target
from sip.message.message import Request
from sip.message.uri import SipUri

OWN = SipUri("pbx.example", port=5060)


def presented(caller: Caller, alert: str = "") -> Request:
    request = Request("INVITE", SipUri("192.0.2.20", "102"))
    present(request, Target("48222", caller, "102", alert=alert), OWN, "t")
    return request


def test_all_three_headers_say_the_same_for_each_phone_looks_at_another():
    request = presented(Caller("101", 'Recepcja "A"'))
    assert str(request.from_) == '"Recepcja \\"A\\"" <sip:101@pbx.example:5060>;tag=t'
    assert request.headers.all("P-Asserted-Identity") == ['"Recepcja \\"A\\"" <sip:101@pbx.example:5060>']
    (party,) = request.headers.all("Remote-Party-ID")
    assert party.startswith('"Recepcja \\"A\\"" <sip:101@pbx.example:5060>;party=calling')
    assert "Privacy" not in request.headers
    assert "Alert-Info" not in request.headers


@pytest.mark.parametrize(
    ("caller", "name"),
    [
        (Caller("101", "Recepcja", is_hidden=True), "Anonymous"),
        (Caller("", "", is_hidden=True), "Anonymous"),
        (Caller("", "Sprzedaż", is_hidden=True), "Sprzedaż"),
    ],
)
def test_who_hides_is_in_no_header(caller: Caller, name: str):
    request = presented(caller)
    assert str(request.from_) == f'"{name}" <sip:anonymous@anonymous.invalid>;tag=t'
    assert request.headers.all("Privacy") == ["id"]
    assert "P-Asserted-Identity" not in request.headers
    assert "Remote-Party-ID" not in request.headers
    assert not re.search(rb"\b101\b", bytes(request))


def test_how_it_is_to_ring_is_said_where_it_rings_differently():
    inside = "<http://127.0.0.1>;info=internal"
    assert presented(Caller("101"), inside).headers.all("Alert-Info") == [inside]


def test_no_name_starts_a_header_of_its_own():
    request = presented(Caller("101", 'x"\\'))
    assert str(request.from_).startswith('"x\\"\\\\" <sip:101@')
