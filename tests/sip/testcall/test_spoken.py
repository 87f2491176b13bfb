"""What is shown of messages: whole ones, without what would let somebody in or listen."""

from __future__ import annotations

import pytest

from sip.testcall.spoken import LONGEST, kept

INVITE = (
    "INVITE sip:600@127.0.0.1 SIP/2.0\r\nCSeq: 2 INVITE\r\n{}\r\nContent-Length: 0\r\n\r\nv=0\r\n"
    "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3\r\na=ice-pwd:s3cret-ice\r\na=sendrecv\r\n"
)


@pytest.mark.parametrize(
    "header",
    [
        'Authorization: Digest username="101", nonce="n", response="s3cret"',
        'proxy-authorization : Digest username="101",\r\n\tnonce="n",\r\n response="s3cret"',
        'AUTHORIZATION:Digest response="s3cret"',
        'Authentication-Info: rspauth="s3cret"',
    ],
)
def test_what_a_phone_logs_in_with_is_blanked_however_it_is_written(header: str):
    shown = kept(INVITE.format(header))
    assert shown is not None
    assert "s3cret" not in shown
    assert "d0Rmdm" not in shown
    name = header.partition(":")[0]
    assert f"{name}: ***\r\nContent-Length: 0\r\n\r\nv=0\r\na=crypto:***\r\n" in shown
    assert shown.endswith("a=ice-pwd:***\r\na=sendrecv\r\n")


@pytest.mark.parametrize(
    "text",
    [
        "REGISTER sip:127.0.0.1 SIP/2.0\r\nCSeq: 1 REGISTER\r\n\r\n",
        "SIP/2.0 200 OK\r\nCSeq: 1 REGISTER\r\n\r\n",
        "OPTIONS sip:101@127.0.0.1 SIP/2.0\r\nCSeq: 1 OPTIONS\r\n\r\n",
        "INVITE sip:101@127.0.0.1 SIP/2.0\r\nCSeq:\r\n\r\n",
        "nonsense",
    ],
)
def test_what_belongs_to_no_call_is_left_out(text: str):
    assert kept(text) is None


def test_of_a_long_one_the_beginning_is_kept():
    assert len(kept(INVITE.format("X: " + "x" * 2 * LONGEST)) or "") == LONGEST
