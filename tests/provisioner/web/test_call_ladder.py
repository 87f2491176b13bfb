"""The SIP ladder of a report: what was said between phones and switchboard, for people who don't know SIP."""

from __future__ import annotations

from dataclasses import replace

import pytest
from lxml import html

from provisioner.operations.messages import MOST, Message, Room, messages_of
from provisioner.operations.proofs import Proof
from provisioner.web.call_report.meanings import Meaning, read
from provisioner.web.call_report.page import page
from provisioner.web.call_report.words import EN, LANGUAGES, PL, Words
from sip.testcall.spoken import Spoken
from tests.provisioner.operations.proofs import proof

CALLER, MEMBER = "0000000000", "48223809887"


def request(method: str, cseq: int = 1, *headers: str, to: str = "<sip:600@127.0.0.1>") -> str:
    lines = (f"{method} sip:600@127.0.0.1 SIP/2.0", f"To: {to}", f"CSeq: {cseq} {method}", *headers)
    return "\r\n".join((*lines, "", ""))


def response(status: str, method: str = "INVITE", cseq: int = 1) -> str:
    return f"SIP/2.0 {status}\r\nCSeq: {cseq} {method}\r\n\r\n"


SPOKEN = (
    Spoken(CALLER, 99.999, came=False, text=request("INVITE")),
    Spoken(CALLER, 100.01, came=True, text=response("401 Unauthorized")),
    Spoken(CALLER, 100.02, came=False, text=request("INVITE", 2, "Authorization: ***")),
    Spoken(MEMBER, 100.04, came=False, text=response("180 Ringing")),
    Spoken(MEMBER, 100.03, came=True, text=request("INVITE")),
    Spoken(MEMBER, 100.53, came=True, text=request("INVITE")),
    Spoken(CALLER, 100.6, came=True, text=response("200 OK", cseq=2)),
)


def shown(*spoken: Spoken) -> Proof:
    plain = proof()
    return replace(plain, calls=(replace(plain.calls[0], messages=messages_of(spoken, 100.0)),))


def test_messages_are_in_order_and_what_was_sent_again_is_one():
    messages = messages_of(SPOKEN, 100.0)
    assert [(each.line, each.at_s, each.times) for each in messages] == [
        (CALLER, 0.0, 1), (CALLER, 0.01, 1), (CALLER, 0.02, 1), (MEMBER, 0.03, 2), (MEMBER, 0.04, 1),
        (CALLER, 0.6, 1),
    ]  # fmt: skip
    many = [Spoken(CALLER, 100.0, came=False, text=str(number)) for number in range(2 * MOST)]
    assert len(messages_of(many, 100.0)) == MOST


def test_calls_that_went_wrong_find_room_where_others_find_none():
    room = Room(100)
    message = (Message(CALLER, 0.0, came=True, text="x" * 30),)
    assert room.take(message, is_wrong=False) == message
    assert room.take(message, is_wrong=False) == ()
    assert room.take(message, is_wrong=True) == message
    assert room.take(message, is_wrong=True) == message
    assert room.take(message, is_wrong=True) == ()


@pytest.mark.parametrize(
    ("text", "came", "meaning"),
    [
        (request("INVITE"), False, Meaning.CALL),
        (request("INVITE", 2, "Authorization: ***"), False, Meaning.CALL_AGAIN),
        (request("INVITE"), True, Meaning.RING),
        (request("INVITE", to="<sip:600@127.0.0.1>;tag=1"), True, Meaning.CHANGE),
        (request("INFO"), True, Meaning.OTHER),
        (response("182 Queued"), True, Meaning.HEAR),
        (response("200 OK"), True, Meaning.ANSWERED),
        (response("200 OK", "BYE"), True, Meaning.FINE),
        (response("302 Moved"), False, Meaning.ELSEWHERE),
        (response("500"), False, Meaning.REFUSED),
        ("", True, Meaning.OTHER),
    ],
)
def test_a_message_is_read_for_people(text: str, came: bool, meaning: Meaning):
    assert read(text, came=came).meaning is meaning


def test_each_message_is_an_arrow_in_plain_words_that_opens_its_text():
    document = html.fromstring(page(shown(*SPOKEN), PL))
    (ladder,) = document.find_class("ladder")
    assert ladder.tag == "details"
    assert [each.text_content() for each in ladder.xpath(".//*[@class='named']")] == [
        "dzwoniący", "centrala", MEMBER
    ]  # fmt: skip
    arrows = ladder.find_class("message")
    assert all(arrow.tag == "details" and "open" not in arrow.attrib for arrow in arrows)
    assert [arrow.xpath("string(.//*[@role='img']/@aria-label)") for arrow in arrows] == [
        "dzwoniący → centrala: INVITE",
        "centrala → dzwoniący: 401 Unauthorized",
        "dzwoniący → centrala: INVITE",
        f"centrala → {MEMBER}: INVITE ×2",
        f"{MEMBER} → centrala: 180 Ringing",
        "centrala → dzwoniący: 200 OK",
    ]
    said = [arrow.findtext("summary/span[@class='means']") for arrow in arrows]
    assert said[1:4] == [
        "Najpierw pokaż, kim jesteś.",
        "Jeszcze raz proszę o 600, teraz z dowodem, kto dzwoni.",
        "Masz połączenie, dzwoń.",
    ]
    assert "Authorization: ***" in (arrows[2].findtext("pre") or "")
    assert arrows[3].findtext("summary/span[@class='when']") == "0,03\xa0s"


def test_a_report_without_messages_has_no_ladder():
    assert not html.fromstring(page(proof(), PL)).find_class("ladder")


def test_nothing_that_a_message_says_becomes_markup():
    bad = Spoken(CALLER, 100.0, came=False, text='<b>"&\x00 sip:<i>@x\r\nCSeq: 1 <b>\r\n\r\n<script>')
    document = page(shown(bad), EN)
    assert "<b>" not in document
    assert "<script>" not in document
    assert "\x00" not in document


@pytest.mark.parametrize("words", LANGUAGES.values(), ids=LANGUAGES)
def test_each_language_says_all_that_a_message_may_mean(words: Words):
    assert set(words.meanings) == set(Meaning)
    assert all("{" not in said.format(number="600") for said in words.meanings.values())
