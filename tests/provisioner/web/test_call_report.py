"""The report of test calls: in both languages whole sentences, for CI a document of its own."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from lxml import etree, html

from provisioner.operations.proofs import Talk
from provisioner.web.call_report.alarm import alarm_of
from provisioner.web.call_report.junit import junit
from provisioner.web.call_report.page import body, page
from provisioner.web.call_report.sentences import Sentences
from provisioner.web.call_report.words import EN, LANGUAGES, PL, Words
from sip.testcall.findings import Code, Finding
from sip.testcall.observed import Broke, Heard, Observation
from sip.testcall.plan import Cause, Does, Setting
from sip.testcall.scenario import Kind, Then
from tests.provisioner.operations.proofs import FINDING
from tests.provisioner.web.reports import proof, switchboard

RIGHT = proof(switchboard(), switchboard())
WRONG = proof(switchboard(), switchboard(ring_time=4, delay=0))


def text_of(document: str) -> str:
    return " ".join(html.fromstring(document).text_content().split())


@pytest.mark.parametrize("words", LANGUAGES.values(), ids=LANGUAGES)
def test_each_language_has_every_finding_setting_and_scenario(words: Words):
    said = (set(words.findings), set(words.blames), set(words.scenarios))
    assert said == (set(Code), set(Setting), set(Kind))
    assert set(words.does) == set(Does)
    sentences = Sentences(words, {"48": "101 Recepcja"})
    for code in Code:
        for setting in Setting:
            sentence = sentences.of(Finding(code, "48", "48", "48", Cause(setting, "600", "101")))
            assert sentence.text.endswith(".")
            assert sentence.blames
            assert "{" not in sentence.text + sentence.blames


def test_an_answer_is_said_with_what_it_means():
    def said(code: Code, words: Words) -> str:
        return Sentences(words, {}).of(Finding(code, "", "480", "404", Cause(Setting.EXCHANGE))).text

    assert said(Code.WRONG_STATUS, PL) == (
        "Dzwoniący dostał złą odpowiedź: „Nie ma takiego numeru” (404) zamiast „Nikt nie odebrał” (480)."
    )
    refused = said(Code.CODE_REFUSED, EN)
    assert "did not take code 480 from" in refused, "that is what was dialled, and no status"
    assert refused.endswith('Its answer: "There is no such number" (404).')


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (PL, "kod #26 (wyłącza „nie przeszkadzać”)"),
        (EN, "the code #26 (turns do not disturb off)"),
    ],
)
def test_a_code_that_is_to_blame_says_what_it_is_there_for(words: Words, said: str):
    assert Sentences(words, {}).blamed(Cause(Setting.CODE, "#26", does=Does.DND_OFF)) == said
    # Of those that were kept before nobody has noted it.
    assert Sentences(words, {}).blamed(Cause(Setting.CODE, "#26")) == said.partition(" (")[0]


def test_findings_are_said_in_whole_sentences_with_names_that_people_know():
    polish = text_of(page(WRONG, PL))
    assert "Numer 600 nie dzwoni tak, jak go ustawiono." in polish
    assert "Telefon 101 Recepcja dzwonił za krótko: 4,0 s zamiast 10,0 s." in polish
    assert "Co zawiodło: czas dzwonienia numeru 101 w grupie 600." in polish
    assert "opóźnienie dzwonienia numeru 104 w grupie 601" in polish
    assert "dzwoniący z numeru 999 wybiera 600" in polish
    english = text_of(page(WRONG, EN))
    assert "Phone 101 Recepcja rang too short: 4.0 s in place of 10.0 s." in english


def test_what_is_to_blame_is_said_once_above_with_the_calls_that_suffered():
    document = html.fromstring(page(WRONG, PL))
    (above,) = document.find_class("at-fault")
    said = [" ".join(each.text_content().split()) for each in above.iter("li")]
    assert said[0] == "czas dzwonienia numeru 101 w grupie 600 (próby 2, 3)"
    for each in above.iter("a"):
        call = document.get_element_by_id(each.get("href")[1:])
        assert call.find(".//h3").text_content().startswith(f"{each.text}. ")
        blames = [cause.text for cause in call.xpath(".//*[@class='finding']/small")]
        assert len(blames) == len(set(blames)) > 0, "a cause is named once in a call"


def test_when_it_was_is_told_in_the_zone_of_who_reads():
    calls = (replace(RIGHT.calls[0], at=datetime(2026, 7, 1, 23, 30, tzinfo=UTC)),)
    said = body(replace(RIGHT, calls=calls), PL, ZoneInfo("Europe/Warsaw"))
    assert "Test zrobiono 2026-07-02 01:30:00 CEST." in said


def test_a_call_that_went_right_says_who_rang_who_answered_and_that_they_heard_each_other():
    document = page(RIGHT, PL)
    polish = text_of(document)
    assert "Numer 600 dzwoni tak, jak go ustawiono." in polish
    assert "Co zawiodło" not in polish
    caller, first, second, *_ = html.fromstring(document).find(".//article").findall("ol/li")
    assert " ".join(first.findtext("span[@class='whose']/small").split()) == "Na wyświetlaczu: 999 Test"
    assert re.fullmatch(r"dzwonił [01],[0-9]\xa0s, odebrał", first.findtext("span[@class='became']"))
    assert re.fullmatch(
        r"usłyszał sygnał po 0,[0-9]\xa0s, rozmowa 1,[0-9]\xa0s, obie strony się słyszały",
        caller.findtext("span[@class='became']"),
    )
    assert second.findtext("span[@class='became']") == "nie dzwonił"
    assert "numer ukryty" in polish


def test_the_page_draws_each_ring_and_needs_nothing_beside_it():
    document = html.fromstring(page(WRONG, PL))
    assert len(document.findall(".//article")) == len(WRONG.calls)
    calls = document.findall(".//article")
    (nobody,) = [call for call in calls if "Nikt nie odbiera" in call.text_content()]
    rows = nobody.xpath(".//ol/li[not(@class='scale')]")
    who = [row.xpath("string(span[@class='whose']/text())").strip() for row in rows]
    assert who[:3] == ["dzwoniący", "101 Recepcja", "102 Biuro"]
    assert set(who[3:]) == {"103 Magazyn", "104 Prezes"}
    assert all(len(row.xpath(".//*[local-name()='rect'][@class='foretold']")) == 1 for row in rows[1:])
    (bar,) = rows[1].xpath(".//*[local-name()='rect'][@class='wrong']")
    (foretold,) = rows[1].xpath(".//*[local-name()='rect'][@class='foretold']")
    assert float(bar.get("width")) < float(foretold.get("width"))
    loaded = document.xpath("//script | //@src | //link/@href")
    assert all(isinstance(each, str) and each.startswith("data:") for each in loaded)


def test_one_way_audio_is_drawn_and_said():
    def deaf(seen: Sequence[Observation]) -> list[Observation]:
        return [each for each in seen if not (isinstance(each, Heard) and each.phone == "0000000000")]

    polish = text_of(page(proof(switchboard(), switchboard(), deaf), PL))
    assert "Dźwięk szedł tylko w jedną stronę: telefon dzwoniący nie słyszał telefonu 101 Recepcja." in polish
    assert "dzwoniący nic nie słyszał" in polish


def test_nothing_that_people_or_phones_say_becomes_markup():
    bad = '<b>"&\x00'
    here = switchboard(name=bad)

    def broken(seen: Sequence[Observation]) -> list[Observation]:
        return [*seen, Broke(seen[0].phone, 1001.0, bad)]

    said = proof(here, here, broken)
    document = page(said, PL)
    assert "<b>" not in document
    assert '<b>"&?' in text_of(document)
    assert '<b>"&?' in (etree.fromstring(junit(said)).findtext(".//failure") or "")


def test_junit_has_a_case_for_each_call_and_what_is_wrong_with_it():
    suite = etree.fromstring(junit(WRONG))
    cases = suite.findall("testcase")
    assert (suite.get("tests"), suite.get("failures")) == (str(len(WRONG.calls)), "2")
    assert [case.get("name") for case in cases][:2] == ["1. first-answers", "2. last-answers"]
    (failure,) = cases[1].findall("failure")
    assert failure.get("type") == "too-short"
    assert (failure.text or "").startswith("Phone 101 Recepcja rang too short: 4.0 s in place of 10.0 s.")
    assert etree.fromstring(junit(RIGHT)).get("failures") == "0"


def test_an_alarm_says_the_number_and_once_what_was_found_and_what_is_to_blame():
    polish, english = alarm_of(WRONG, PL), alarm_of(WRONG, EN)
    assert polish.startswith("Numer 600 nie dzwoni tak, jak go ustawiono. ")
    assert polish.count("Telefon 101 Recepcja dzwonił za krótko: 4,0 s zamiast 10,0 s. Co zawiodło: ") == 1
    assert "Phone 101 Recepcja rang too short: 4.0 s in place of 10.0 s. What failed: " in english
    assert polish.endswith(f" Nieudane próby: 2 z {len(WRONG.calls)}.")
    # One thing that is to blame for all of it stands there once, and no more things than can be taken in.
    one = tuple(replace(FINDING, seen=f"{seconds}.0") for seconds in range(4))
    many = replace(WRONG, calls=tuple(replace(call, findings=one) for call in WRONG.calls))
    assert alarm_of(many, EN).count("What failed: ") == 1
    assert english.count("What failed: ") <= 3


def test_what_no_single_call_shows_is_said_above_them_all():
    finding = Finding(Code.NOT_RANDOM, "", "p ≥ 1e-06", "p = 2e-08", Cause(Setting.STRATEGY, "600"))
    said = replace(RIGHT, findings=(finding,))
    polish = text_of(page(said, PL))
    assert "Kolejność nie jest losowa" in polish
    assert "strategia grupy 600" in polish
    suite = etree.fromstring(junit(said))
    assert (suite.get("tests"), suite.get("failures")) == (str(len(RIGHT.calls) + 1), "1")


def test_a_live_one_says_that_people_s_phones_rang_and_what_was_heard_of_them():
    calls = []
    for call, does in zip(RIGHT.calls, (Then.ENGAGED, Then.DEAD), strict=False):
        silent = replace(call.phones[-1], line="48", extension="109", does=does)
        talk = Talk(1.0, 4.0, caller_hears=does is Then.DEAD, answerer_hears=None)
        calls.append(replace(call, phones=(*call.phones, silent), talk=talk))
    live = replace(RIGHT, live=True, calls=tuple(calls))
    polish = text_of(page(live, PL))
    assert "Dzwoniły prawdziwe telefony firmy" in polish
    assert "nikomu nic nie zadzwoniło" not in polish
    for words in ("zajęty inną rozmową", "nie odpowiada", "słyszał odbierającego", "dzwoniący nic nie"):
        assert words in polish
    assert etree.fromstring(junit(live)).get("name").endswith(" 600 live")
