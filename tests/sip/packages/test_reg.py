"""What is told of a registration (RFC 3680)."""

from __future__ import annotations

from dataclasses import replace

from lxml import etree

from sip.binding import Binding
from sip.packages.reg import Registration, RegPackage
from sip.transport.flow import Transport
from tests.sip.registering import NOW, PHONE, SERVER

URI = "sip:101@pbx.example.com"
DESK = Binding(
    "sip:101@192.0.2.20:5062", "one@phone", 7, Transport.UDP, PHONE, SERVER, NOW, NOW, NOW + 600, q=0.5
)
CELL = replace(
    DESK, contact="sip:101@192.0.2.30?a=<&>", instance="<urn:uuid:1>", reg_id=2, q=None, expires_at=NOW + 60
)
NAMES = {"r": "urn:ietf:params:xml:ns:reginfo"}


def state(*bindings: Binding, at: float = NOW) -> Registration:
    return Registration(URI, bindings, at)


def document(now: Registration, before: Registration | None = None, version: int = 0) -> etree._Element:
    return etree.fromstring(RegPackage().body(now, before, version))


def told(root: etree._Element) -> dict[str, tuple[str, str]]:
    """State and event by Contact."""
    return {
        contact.findtext("r:uri", namespaces=NAMES) or "": (contact.attrib["state"], contact.attrib["event"])
        for contact in root.iterfind("r:registration/r:contact", NAMES)
    }


def registration(root: etree._Element) -> etree._Element:
    (found,) = root.findall("r:registration", NAMES)
    return found


def test_the_whole_document():
    body = RegPackage().body(state(DESK, CELL, at=NOW + 10.5), None, 0).decode()
    ids = [registration(etree.fromstring(body.encode())).attrib["id"]]
    ids += etree.fromstring(body.encode()).xpath("//r:contact/@id", namespaces=NAMES)
    assert len(set(ids)) == 3
    assert body == (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<reginfo xmlns="urn:ietf:params:xml:ns:reginfo" version="0" state="full">'
        f'<registration aor="{URI}" id="{ids[0]}" state="active">'
        f'<contact id="{ids[1]}" state="active" event="registered" duration-registered="10"'
        ' callid="one@phone" cseq="7" expires="590" q="0.5">'
        "<uri>sip:101@192.0.2.20:5062</uri></contact>"
        f'<contact id="{ids[2]}" state="active" event="registered" duration-registered="10"'
        ' callid="one@phone" cseq="7" expires="50">'
        "<uri>sip:101@192.0.2.30?a=&lt;&amp;&gt;</uri>"
        '<unknown-param name="+sip.instance">"&lt;urn:uuid:1&gt;"</unknown-param>'
        '<unknown-param name="reg-id">2</unknown-param>'
        "</contact></registration></reginfo>\n"
    )


def test_a_line_without_a_phone_is_in_its_first_state():
    root = document(state())
    assert (registration(root).attrib["state"], told(root)) == ("init", {})


def test_a_later_document_says_what_is_new_and_nothing_else():
    again = replace(DESK, cseq=8, refreshed_at=NOW + 300, expires_at=NOW + 900, refreshes=1)
    root = document(state(again, CELL, at=NOW + 300), before=state(DESK, CELL), version=1)
    assert (root.attrib["version"], root.attrib["state"]) == ("1", "partial")
    assert told(root) == {DESK.contact: ("active", "refreshed")}


def test_what_has_gone_is_told_with_why():
    before = state(DESK, CELL)
    assert told(document(state(DESK, at=NOW + 60), before)) == {CELL.contact: ("terminated", "expired")}
    root = document(state(at=NOW + 30), before)
    assert told(root) == {
        DESK.contact: ("terminated", "unregistered"),
        CELL.contact: ("terminated", "unregistered"),
    }
    assert registration(root).attrib["state"] == "terminated"


def test_a_contact_that_came_back_was_not_refreshed():
    back = replace(DESK, registered_at=NOW + 20, refreshed_at=NOW + 20)
    assert told(document(state(back, at=NOW + 20), state(DESK))) == {DESK.contact: ("active", "registered")}


def test_a_contact_keeps_its_id_over_documents():
    first, second = (
        registration(document(state(each))).find("r:contact", NAMES)
        for each in (DESK, replace(DESK, cseq=9, refreshes=3))
    )
    assert first is not None
    assert second is not None
    assert first.attrib["id"] == second.attrib["id"]
    assert second.attrib["event"] == "refreshed"
