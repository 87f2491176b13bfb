"""What is told of a line's calls (RFC 4235)."""

from __future__ import annotations

from lxml import etree

from sip.packages.dialog import (
    DialogInfo,
    DialogPackage,
    DialogState,
    Direction,
    LineDialogs,
    Participant,
)

URI = "sip:101@pbx.example.com"
RINGING = DialogInfo(
    "d1",
    DialogState.EARLY,
    Direction.RECIPIENT,
    "call-1@phone",
    "l1",
    "r1",
    local=Participant(URI, "Recepcja", "sip:101@192.0.2.20:5062"),
    remote=Participant("sip:102@pbx.example.com", 'A & "B" <c>'),
)


def test_an_idle_line_has_no_dialogs():
    assert DialogPackage().body(LineDialogs(URI), None, 0) == (
        b'<?xml version="1.0" encoding="UTF-8"?>\n'
        b'<dialog-info xmlns="urn:ietf:params:xml:ns:dialog-info" version="0" state="full" '
        b'entity="sip:101@pbx.example.com"/>\n'
    )


def test_a_line_that_rings():
    body = DialogPackage().body(LineDialogs(URI, (RINGING,)), None, 3).decode()
    assert body.splitlines()[1] == (
        '<dialog-info xmlns="urn:ietf:params:xml:ns:dialog-info" version="3" state="full" '
        'entity="sip:101@pbx.example.com">'
        '<dialog id="d1" call-id="call-1@phone" local-tag="l1" remote-tag="r1" direction="recipient">'
        "<state>early</state>"
        '<local><identity display="Recepcja">sip:101@pbx.example.com</identity>'
        '<target uri="sip:101@192.0.2.20:5062"/></local>'
        '<remote><identity display="A &amp; &quot;B&quot; &lt;c&gt;">'
        "sip:102@pbx.example.com</identity></remote>"
        "</dialog></dialog-info>"
    )


def test_a_call_that_has_ended_says_why():
    ended = DialogInfo("d1", DialogState.TERMINATED, event="rejected", code=486, duration_s=0)
    body = DialogPackage().body(LineDialogs(URI, (ended,)), LineDialogs(URI, (RINGING,)), 4)
    assert b'<state event="rejected" code="486">terminated</state><duration>0</duration>' in body
    assert b'state="full"' in body, "whatever was told before"


def test_a_stranger_s_name_is_no_reason_for_no_document():
    remote = Participant("sip:x\0@h", "a\x1b\ud800b")
    body = DialogPackage().body(
        LineDialogs(URI, (DialogInfo("d", DialogState.EARLY, remote=remote),)), None, 0
    )
    assert etree.fromstring(body).xpath("string(//@display)") == "a\ufffd\ufffdb"
