"""For which requests credentials are, however phones write where those go."""

from __future__ import annotations

import pytest

from sip.digest_uri import is_for
from sip.message.message import Request

OURS = {"pbx.example.com", "192.0.2.1"}


def fits(said: str, asked: str, method: str = "INVITE") -> bool:
    return is_for(said, Request(method, asked), lambda host: host.lower() in OURS)


@pytest.mark.parametrize(
    "said",
    [
        "sip:102@192.0.2.1",
        "sip:102@192.0.2.1:5060",
        "sip:102@192.0.2.1;transport=tcp",
        "sip:102@192.0.2.1;user=phone",
        "sips:102@192.0.2.1",
        "sip:%3102@192.0.2.1",
        "sip:102@PBX.example.com:5061",
        "<sip:102@192.0.2.1>",
        "sip:192.0.2.1;transport=UDP",
    ],
)
def test_a_phone_writes_it_as_it_likes(said: str):
    assert fits(said, "sip:102@192.0.2.1")


@pytest.mark.parametrize(
    "said",
    ["sip:103@192.0.2.1", "sip:198.51.100.7", "sip:102@198.51.100.7", "tel:102", "sip:", "", "sip:102@["],
)
def test_another_number_or_place_is_another_request(said: str):
    assert not fits(said, "sip:102@192.0.2.1")


def test_a_code_is_the_same_however_it_is_escaped():
    assert fits("sip:*21*%2348225550111@192.0.2.1", "sip:*21*#48225550111@192.0.2.1")
    assert not fits("sip:*21*@192.0.2.1", "sip:*21*%2348225550111@192.0.2.1")


def test_a_register_goes_to_a_domain_and_to_nobody_in_it():
    assert fits("sip:101@192.0.2.1", "sip:192.0.2.1", "REGISTER")
    assert not fits("sip:198.51.100.7", "sip:192.0.2.1", "REGISTER")


def test_what_can_not_be_read_is_for_the_request_that_says_the_same():
    assert fits("urn:service:sos", "urn:service:sos")
    assert not fits("urn:service:sos", "urn:service:police")
