"""What a phone reads in a message, whoever has written it."""

from __future__ import annotations

import pytest

from sip.testcall import wording


@pytest.mark.parametrize(
    ("address", "name", "user"),
    [
        ("<sip:104@10.0.0.1>;tag=a", "", "104"),
        ("sip:104@10.0.0.1;tag=a", "", "104"),
        ('"Serwis" <sip:104@10.0.0.1>;tag=a', "Serwis", "104"),
        ("Serwis techniczny <sip:104@10.0.0.1:5060;user=phone>", "Serwis techniczny", "104"),
        ('"Księgowość" <sip:104@10.0.0.1>', "Księgowość", "104"),
        (r'"Biuro \"A\" \\ B" <sip:104@10.0.0.1>', 'Biuro "A" \\ B', "104"),
        ('"Jan <jan@firma>; tag" <sip:104@10.0.0.1>', "Jan <jan@firma>; tag", "104"),
        ('"Anonymous" <sip:anonymous@anonymous.invalid>', "Anonymous", "anonymous"),
        ("<sip:10.0.0.1>", "", ""),
        ('"" <sips:104@10.0.0.1>', "", "104"),
    ],
)
def test_name_and_number_of_an_address(address: str, name: str, user: str) -> None:
    assert (wording.name_of(address), wording.user_of(address)) == (name, user)


@pytest.mark.parametrize(
    "lines",
    [
        ("Record-Route: <sip:a;lr>, <sip:b;lr>",),
        ("Record-Route: <sip:a;lr>", "Record-Route: <sip:b;lr>"),
        ("Record-Route: <sip:a;lr>,<sip:b;lr>",),
    ],
)
def test_a_route_set_is_the_same_however_it_is_written(lines: tuple[str, ...]) -> None:
    beside = ("From: <sip:a@a>;tag=1", "To: <sip:b@b>;tag=2", "Call-ID: c", "Contact: <sip:b@192.0.2.1>")
    answer = "\r\n".join(("SIP/2.0 200 OK", *lines, *beside, "", ""))
    assert wording.Dialog.of_caller(answer).routes == ("<sip:b;lr>", "<sip:a;lr>")


def test_a_request_with_credentials_keeps_its_body() -> None:
    via = "Via: SIP/2.0/UDP h;branch=z9hG4bKa;rport"
    invite = f"INVITE sip:1@h SIP/2.0\r\n{via}\r\nCSeq: 7 INVITE\r\n\r\nbody: 1"
    again = wording.with_credentials(invite, 401, {"realm": "r", "nonce": "n"}, "u", "p")
    assert again.endswith("\r\n\r\nbody: 1")
    assert wording.values(again, "CSeq") == ["8 INVITE"]
    assert wording.via_of(again).endswith(";rport")
    assert wording.branch_of(again) != "z9hG4bKa"
    (said,) = wording.values(again, "Authorization")
    # Without qop it is as RFC 2069 had it.
    assert "cnonce" not in said
