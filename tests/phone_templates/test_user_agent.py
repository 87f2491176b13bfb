"""What phones say of themselves, as captured."""

from __future__ import annotations

import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from phone_templates.yealink.models import all_models, find_model
from phone_templates.yealink.user_agent import PhoneAgent, parse_user_agent, write_user_agent

MAC = "0015654aa937"
COLONS = "00:15:65:4a:a9:37"


@pytest.mark.parametrize(
    ("text", "agent"),
    [
        (f"Yealink SIP-T46G 28.72.0.1 {COLONS}", PhoneAgent("T46G", "28.72.0.1", MAC)),
        (f"yealink SIP-T28P 2.70.0.140 {COLONS}", PhoneAgent("T28P", "2.70.0.140", MAC)),
        (f"Yealink SIP-T38G  38.70.0.125 {COLONS}", PhoneAgent("T38G", "38.70.0.125", MAC)),
        (f"VP530P 23.70.0.40 {COLONS}", PhoneAgent("VP530P", "23.70.0.40", MAC)),
        (f"VP530 23.70.0.41 {COLONS}", PhoneAgent("VP530", "23.70.0.41", MAC)),
        (f"W52P 25.30.0.2 {COLONS}", PhoneAgent("W52P", "25.30.0.2", MAC)),
        (f"Yealink W52P 25.73.0.40 {COLONS}", PhoneAgent("W52P", "25.73.0.40", MAC)),
        (f"Yealink SIP-W52P 25.81.0.10 {COLONS}", PhoneAgent("W52P", "25.81.0.10", MAC)),
        (f"Yealink SIP VP-T49G 51.80.0.10 {COLONS}", PhoneAgent("VP-T49G", "51.80.0.10", MAC)),
        (f"Yealink CP860 37.72.0.5 {COLONS}", PhoneAgent("CP860", "37.72.0.5", MAC)),
        ("Yealink SIP-T56A  58.80.0.25 001565F429A4", PhoneAgent("T56A", "58.80.0.25", "001565f429a4")),
        (
            "Yealink-T46G 28.71.0.81 28.1.0.128.0.0.0",
            PhoneAgent("T46G", "28.71.0.81", None, "28.1.0.128.0.0.0"),
        ),
        ("Yealink SIP-T46G 28.82.0.20", PhoneAgent("T46G", "28.82.0.20")),
        ("Yealink SIP-T77U 185.87.0.10", PhoneAgent("T77U", "185.87.0.10")),
        (f"Yealink SIP-T21P_E2 52.84.0.15 {COLONS}", PhoneAgent("T21P_E2", "52.84.0.15", MAC)),
        (f"Yealink SIP-T58W Pro 150.86.0.5 {COLONS}", PhoneAgent("T58W Pro", "150.86.0.5", MAC)),
        ("Yealink SIP-T46S", PhoneAgent("T46S")),
        ("Yealink", PhoneAgent()),
    ],
)
def test_every_form_that_phones_use_is_understood(text, agent):
    assert parse_user_agent(text) == agent


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "curl/7.88.1",
        "Mozilla/5.0 (X11; Linux x86_64) Yealink",
        "Linphone-Desktop/5.0.2 66.84.0.15 00:15:65:4a:a9:37",
        "snomD765/10.1.127.10",
        "NotYealink SIP-T46G 28.72.0.1",
        "VP530P",
        "T46S browser",
    ],
)
def test_strangers_are_not_taken_for_phones(text):
    assert parse_user_agent(text) is None


@given(
    st.text()
    | st.lists(st.sampled_from(["Yealink", "SIP-", "T46S", "1.2.3.4", "00:15", ":", " ", "\x00"])).map(
        "".join
    )
)
@example("Yealink " + "SIP " * 50_000)
@example("Yealink " + "1." * 100_000)
@example("0" * 200_000)
@example("\ud800 23.70.0.40")
def test_any_text_is_answered_and_quickly(text):
    before = time.process_time()
    agent = parse_user_agent(text)
    assert time.process_time() - before < 0.5
    assert agent is None or isinstance(agent, PhoneAgent)


def test_what_each_model_says_of_itself_leads_back_to_it():
    for model in all_models():
        text = write_user_agent(model, f"{model.firmware_prefixes[0]}.{model.newest}.0.1", MAC)
        agent = parse_user_agent(text)
        assert find_model(agent.model) is model
        assert agent.mac == MAC


def test_a_phone_may_leave_its_mac_out():
    assert write_user_agent(find_model("T46S"), "66.86.0.15", None) == "Yealink SIP-T46S 66.86.0.15"


def test_a_phone_goes_by_the_name_of_its_own_hardware():
    assert write_user_agent(find_model("VP530"), "23.70.0.41", MAC, "VP530") == f"VP530 23.70.0.41 {COLONS}"
