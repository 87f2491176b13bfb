"""Why a call did not ring at an extension: from its record, and from what was set when it was made."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import delete, func, select

from db.queries.exchanges import exchange_rows
from db.schema import CallPlanRow
from provisioner.centrex.customer import Forwardings, HuntStrategy, Member
from provisioner.centrex.exchange import Exchange
from provisioner.centrex.reach import reach_of
from provisioner.operations.calls import Call, Leg, LegEnd
from provisioner.operations.installation import Installation
from provisioner.operations.unrung import Answer, Known, Reason
from provisioner.operations.why import Asked, ask_why
from provisioner.pbx.recorder import Recorder
from provisioner.store.exchanges import exchange_of
from provisioner.web.answers import sentences_en, sentences_pl
from provisioner.web.answers.saying import said
from provisioner.web.portal.words import LANGUAGES
from sip.call.ringing import Outcome
from sip.call.story import EndedBy
from tests.provisioner.conftest import apply_text
from tests.provisioner.pbx.called import hunted, record
from tests.provisioner.pbx.story import RECEPTION, SALES, Story
from tests.provisioner.pbx.switchboards import exchange, group, line_of, to

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
CALLER = "105"


def leg(
    extension: str, reason: str | None, *groups: str, rang_s: float | None = None, phones: int = 1
) -> Leg:
    """`rang_s`: for how long it rang; None: not at all."""
    over = NOON + timedelta(seconds=rang_s or 0)
    return Leg(
        line_of(extension),
        extension,
        "",
        groups,
        phones,
        NOON,
        None if rang_s is None else NOON,
        over if reason == LegEnd.ANSWERED else None,
        over,
        reason,
        None,
    )


def call(*legs: Leg, dialled: str = "600", end: EndedBy | None = EndedBy.NOBODY, after_s: float = 20) -> Call:
    answered = next((each.answered_at for each in legs if each.answered_at is not None), None)
    ended = None if end is None else NOON + timedelta(seconds=after_s)
    return Call(
        *("id", "firma1", "internal", "x@y", CALLER, "", line_of(CALLER), dialled),
        *(NOON, answered, ended, end, 480, legs),
    )


def why(made: Call, here: Exchange, at: str) -> Answer:
    return Asked(made, here, reach_of(here, made.to_number), Known.THEN).answer(at)


IN_ORDER = exchange(group("600", "101", "102", "103", overflow="104"))
TOGETHER = exchange(group("600", "101", Member("102", ring_delay=9), strategy=HuntStrategy.SIMULTANEOUS))
ANSWERED = leg("101", LegEnd.ANSWERED, "600", rang_s=4)
UNANSWERED = leg("101", LegEnd.NO_ANSWER, "600", rang_s=15)
GIVEN_UP = leg("101", LegEnd.GIVEN_UP, "600", rang_s=4)


def forwards(**said: object) -> Exchange:
    return exchange(forwarding={"101": Forwardings(**said)})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("reason", "made", "here", "at"),
    [
        (Reason.RANG, call(UNANSWERED), IN_ORDER, "101"),
        (Reason.ANSWERED, call(ANSWERED), IN_ORDER, "101"),
        (Reason.NOT_REGISTERED, call(leg("101", LegEnd.UNREACHABLE, phones=0)), IN_ORDER, "101"),
        (Reason.SILENT_PHONE, call(leg("101", LegEnd.UNREACHABLE)), IN_ORDER, "101"),
        (Reason.SILENT_PHONE, call(leg("101", LegEnd.NO_ANSWER)), IN_ORDER, "101"),
        (Reason.FULL, call(leg("101", LegEnd.FULL, phones=0)), IN_ORDER, "101"),
        (Reason.SITE_FULL, call(leg("101", LegEnd.SITE_FULL, phones=0)), IN_ORDER, "101"),
        (Reason.DECLINED, call(leg("101", LegEnd.DECLINED)), IN_ORDER, "101"),
        (Reason.REFUSED, call(leg("101", LegEnd.REFUSED)), IN_ORDER, "101"),
        (Reason.MOVED, call(leg("101", LegEnd.MOVED)), IN_ORDER, "101"),
        (Reason.TOO_LATE, call(leg("102", LegEnd.ELSEWHERE), ANSWERED), IN_ORDER, "102"),
        (Reason.GIVEN_UP_AT_ONCE, call(leg("102", LegEnd.GIVEN_UP)), IN_ORDER, "102"),
        (Reason.CUT_OFF, call(leg("102", EndedBy.STOPPED)), IN_ORDER, "102"),
        (Reason.CALLS_ITSELF, call(leg(CALLER, LegEnd.BUSY, phones=0)), IN_ORDER, CALLER),
        (Reason.PHONE_BUSY, call(leg("101", LegEnd.BUSY)), IN_ORDER, "101"),
        (Reason.BUSY, call(leg("101", LegEnd.BUSY, phones=0)), IN_ORDER, "101"),
        (
            Reason.DO_NOT_DISTURB,
            call(leg("101", LegEnd.BUSY, phones=0)),
            exchange(group("600", "101"), dnd=("101",)),
            "101",
        ),
        (
            Reason.NO_CALL_WAITING,
            call(leg("101", LegEnd.BUSY, phones=0)),
            exchange(group("600", "101"), no_waiting=("101",)),
            "101",
        ),
        (Reason.CALLER_FULL, call(leg(CALLER, LegEnd.FULL, phones=0)), IN_ORDER, "101"),
        (Reason.CALLER_SITE_FULL, call(leg(CALLER, LegEnd.SITE_FULL, phones=0)), IN_ORDER, "101"),
        (Reason.CODE, call(dialled="*26", end=EndedBy.SERVICE), IN_ORDER, "101"),
        (Reason.NO_SUCH_NUMBER, call(dialled="777"), IN_ORDER, "101"),
        (Reason.NOT_LED_TO, call(UNANSWERED), IN_ORDER, "105"),
        (Reason.NOT_LED_TO, call(dialled="101"), IN_ORDER, "102"),
        (
            Reason.LOGGED_OUT,
            call(UNANSWERED),
            exchange(group("600", "101", Member("102", logged_in=False))),
            "102",
        ),
        (Reason.AFTER_STOP, call(UNANSWERED), exchange(group("600", Member("101", stop=True), "102")), "102"),
        (Reason.NOT_ITS_TURN_ANSWERED, call(ANSWERED), IN_ORDER, "102"),
        (Reason.NOT_ITS_TURN_GIVEN_UP, call(GIVEN_UP, end=EndedBy.CALLER), IN_ORDER, "102"),
        (Reason.DELAY_ANSWERED, call(ANSWERED), TOGETHER, "102"),
        (Reason.DELAY_GIVEN_UP, call(GIVEN_UP, end=EndedBy.CALLER), TOGETHER, "102"),
        (Reason.OVERFLOW_ANSWERED, call(ANSWERED), IN_ORDER, "104"),
        (Reason.OVERFLOW_GIVEN_UP, call(GIVEN_UP, end=EndedBy.CALLER), IN_ORDER, "104"),
        (Reason.MAY_COME, call(leg("101", None, "600", rang_s=1), end=None), IN_ORDER, "102"),
        (Reason.CUT_OFF, call(GIVEN_UP, end=EndedBy.STOPPED), IN_ORDER, "102"),
        (
            Reason.GROUP_TIME_OVER,
            call(leg("101", LegEnd.NO_ANSWER, "600", "601", rang_s=9)),
            exchange(group("600", Member(group="601", ring_time=9)), group("601", "101", "102")),
            "102",
        ),
        (
            Reason.AFTER_STOP,
            call(UNANSWERED),
            exchange(group("600", Member("101", stop=True), "102", strategy=HuntStrategy.RANDOM)),
            "102",
        ),
        (Reason.FORWARDED_AWAY, call(dialled="101"), forwards(always=to("102")), "101"),
        (Reason.FORWARDING_OFF, call(dialled="101"), forwards(busy=to("102", enabled=False)), "102"),
        (
            Reason.FORWARDING_NOT_DUE,
            call(leg("101", LegEnd.NO_ANSWER, rang_s=20), dialled="101"),
            forwards(busy=to("102")),
            "102",
        ),
        (
            Reason.NOT_ITS_TURN_GIVEN_UP,
            call(leg("101", LegEnd.GIVEN_UP, rang_s=3), dialled="101", end=EndedBy.CALLER),
            exchange(forwarding={"101": Forwardings(no_answer=to("102"))}, short_numbers={"9": "101"}),
            "102",
        ),
        (Reason.UNKNOWN, call(UNANSWERED), IN_ORDER, "102"),
    ],
)  # fmt: skip
def test_what_kept_a_call_from_an_extension_is_found(reason: Reason, made: Call, here: Exchange, at: str):
    found = why(made, here, at)
    assert found.reason is reason
    for words in LANGUAGES.values():
        answer = said(Asked(made, here, reach_of(here, made.to_number), Known.THEN), at, found, words, str)
        for text in (answer.text, answer.advice, answer.known):
            assert text.endswith(".")
            assert not re.search(r"[{}]|  |\(\)| ,|: \.|None", text), text


def test_the_most_direct_way_is_the_one_that_is_spoken_of():
    """102 is a member that is logged out, and 101 would forward to it."""
    here = exchange(
        group("600", "101", Member("102", logged_in=False), overflow="102"),
        forwarding={"101": Forwardings(busy=to("102", enabled=False))},
    )
    found = why(call(UNANSWERED), here, "102")
    assert (found.reason, found.of) == (Reason.LOGGED_OUT, "600")


def test_a_delay_in_a_group_whose_turn_has_not_come_is_not_blamed():
    late = (Member("103"), Member("102", ring_delay=9))
    here = exchange(
        group("600", "101", Member(group="601")), group("601", *late, strategy=HuntStrategy.SIMULTANEOUS)
    )
    assert why(call(GIVEN_UP, end=EndedBy.CALLER), here, "102").reason is Reason.NOT_ITS_TURN_GIVEN_UP
    begun = leg("103", LegEnd.GIVEN_UP, "600", "601", rang_s=4)
    assert why(call(UNANSWERED, begun, end=EndedBy.CALLER), here, "102").reason is Reason.DELAY_GIVEN_UP


def test_what_names_a_setting_says_whose_it_is():
    assert why(call(ANSWERED), IN_ORDER, "102").other == "101"
    assert why(call(ANSWERED), TOGETHER, "102").seconds == 9
    assert why(call(UNANSWERED), IN_ORDER, "105").led_to == ("101", "102", "103", "104")
    circle = exchange(group("600", Member(group="601")), group("601", Member(group="600"), "101"))
    assert why(call(), circle, "102").reason is Reason.NOT_LED_TO


@pytest.mark.parametrize("answers", [sentences_pl.ANSWERS, sentences_en.ANSWERS], ids=["pl", "en"])
def test_each_language_has_each_answer(answers: Mapping[Reason, tuple[str, str]]):
    assert set(answers) == set(Reason)


async def plans(installation: Installation) -> int:
    async with installation.database.read() as session:
        return await session.scalar(select(func.count()).select_from(CallPlanRow)) or 0


async def today(installation: Installation) -> Exchange:
    rows = await exchange_rows(installation.database, 1)
    assert rows is not None
    return exchange_of(1, rows, installation.settings.numbering.forms)


async def test_the_answer_rests_on_what_was_set_when_the_call_was_made(sample: Installation):
    then = await today(sample)
    recorder = Recorder(sample, lambda: 1000.0, known=lambda line: then if line in then.lines else None)
    stories = [Story(recorder.tell) for _ in range(3)]
    for story in stories:
        story.begins(RECEPTION, "600").rings(SALES, "600").after(4).answers(SALES).after(9).ends()
    await recorder.close()
    assert await plans(sample) == 1, "what is the same is kept once"
    asked = await ask_why(sample, stories[0].id)
    assert (asked.known, asked.answer("102").reason) == (Known.THEN, Reason.NOT_ITS_TURN_ANSWERED)
    assert asked.answer("105").led_to == ("101", "102", "103", "104")
    await apply_text(
        sample,
        "customers: [{login: nowyklienttestowy, hunt_groups: ["
        '{number: "600", name: Sprzedaż, members: [{extension: "105"}]}]}]',
    )
    again = await ask_why(sample, stories[2].id)
    assert again.answer("102") == asked.answer("102")
    # What the number led to is forgotten: today's settings are looked at, and it is said.
    async with sample.database.append() as session:
        await session.execute(delete(CallPlanRow))
    forgotten = (await ask_why(sample, stories[0].id)).answer("102")
    assert (forgotten.known, forgotten.reason) == (Known.TODAY, Reason.NOT_LED_TO)


async def test_of_a_call_whose_plan_nobody_noted_the_record_is_asked(sample: Installation):
    (made,) = await record(sample, hunted)
    asked = await ask_why(sample, made)
    assert asked.known is Known.TODAY
    found = {number: asked.answer(number) for number in ("102", "103", "104")}
    assert {number: each.reason for number, each in found.items()} == {
        "102": Reason.ANSWERED, "103": Reason.RANG, "104": Reason.NOT_REGISTERED
    }  # fmt: skip
    assert {each.known for each in found.values()} == {Known.RECORD}
    assert found["103"].seconds == 15


async def test_what_others_companies_set_is_in_nobodys_plan(sample: Installation):
    """A call from another company: each has what its own number led to, and no more."""
    other = exchange(group("700", "101"), customer_id=77, company="4899000")
    own = await today(sample)
    log = Recorder(sample, lambda: 1000.0, known=lambda line: own if line in own.lines else other)
    story = Story(log.tell).begins(RECEPTION, "4899000101")
    story.rings(line_of("101", "4899000")).stops(line_of("101", "4899000"), Outcome.BUSY, 486)
    story.ends(EndedBy.NOBODY, 486)
    await log.close()
    async with sample.database.read() as session:
        kept = (await session.execute(select(CallPlanRow.customer_id, CallPlanRow.plan))).all()
    assert [customer for customer, _ in kept] == [1]
    assert "firma77" not in kept[0][1]
    asked = await ask_why(sample, story.id)
    assert asked.answer("102").reason is Reason.NOT_LED_TO
