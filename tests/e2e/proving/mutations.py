"""What is broken, in which company that shows, and what a test call is to say of it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from provisioner.centrex.customer import Forwardings
from sip.testcall.findings import Code, Finding
from sip.testcall.plan import Cause, Does, Setting
from sip.testcall.scenario import Kind
from tests.e2e.proving import carrying, deciding, dialling, shining
from tests.e2e.proving.breaking import Break
from tests.e2e.proving.companies import (
    DELAYED,
    DELAYED_TOGETHER,
    DISTINCT,
    DRAWS,
    FIRST,
    GROUP,
    GROUP_NAME,
    IN_ORDER,
    KEEP,
    LAMP,
    LAST,
    NESTED,
    NONE,
    ONE,
    SHORT,
    THREE_UNUSED,
    TOGETHER,
    UNUSED,
    USED,
    brief,
    forwarded,
    many_of,
    one,
    shown,
)
from tests.e2e.proving.stage import Trial
from tests.provisioner.pbx.switchboards import exchange, group, to


@dataclass(frozen=True)
class Mutation:
    """One way in which the engine is broken."""

    break_it: Break
    trial: Trial
    codes: tuple[Code, ...]
    "Any of these: what is seen of it may depend on which of two phones is faster."
    blames: tuple[Cause, ...]

    @property
    def is_soon_over(self) -> bool:
        """Whether it takes but one call, which is answered."""
        return self.trial.calls == 1 and self.trial.kind in (Kind.FIRST_ANSWERS, Kind.RACE, Kind.HIDDEN)

    def is_told_by(self, findings: list[Finding]) -> bool:
        """Whether one of these names what is wrong, and what is to blame."""
        return any(each.code in self.codes and each.blames in self.blames for each in findings)


EXCHANGE = (Cause(Setting.EXCHANGE),)
STRATEGY = (Cause(Setting.STRATEGY, "600"),)
PRESENTATION = (Cause(Setting.PRESENTATION, "600"),)
CALLER = (Cause(Setting.CALLER),)
HIDING = (Cause(Setting.HIDE_NUMBER),)
RING = (Cause(Setting.DISTINCTIVE_RING),)


def of_member(setting: Setting, member: str, group: str = "600") -> tuple[Cause]:
    return (Cause(setting, group, member),)


def code(dialled: str, does: Does) -> tuple[Cause]:
    return (Cause(Setting.CODE, dialled, does=does),)


def lamp_of(number: str) -> tuple[Cause]:
    return (Cause(Setting.LAMP, number),)


MUTATIONS = {
    # Order
    "order reversed": Mutation(
        deciding.ordered(lambda members: members[::-1]), many_of(FIRST), (Code.WRONG_ORDER,), STRATEGY
    ),
    "all at once instead of in order": Mutation(
        deciding.all_at_once, many_of(NONE), (Code.TOO_EARLY, Code.WRONG_ORDER), STRATEGY
    ),
    "in order instead of all at once": Mutation(
        deciding.one_after_another,
        many_of(NONE, TOGETHER),
        (Code.NOT_TOGETHER,),
        of_member(Setting.STRATEGY, "102"),
    ),
    "shuffled once for all calls": Mutation(deciding.shuffled_once, DRAWS, (Code.NOT_RANDOM,), STRATEGY),
    "not shuffled": Mutation(deciding.not_shuffled, DRAWS, (Code.NOT_RANDOM,), STRATEGY),
    "use not looked at": Mutation(deciding.use_unknown, many_of(FIRST, USED), (Code.WRONG_ORDER,), STRATEGY),
    "most used first": Mutation(
        deciding.most_used_first, many_of(FIRST, USED), (Code.WRONG_ORDER,), STRATEGY
    ),
    "least used by time of registration": Mutation(
        deciding.first_registered_first, many_of(FIRST, UNUSED, 2), (Code.WRONG_ORDER,), STRATEGY
    ),
    "use not noted": Mutation(
        deciding.use_not_noted, many_of(FIRST, UNUSED, 2), (Code.WRONG_ORDER,), STRATEGY
    ),
    "ringing counts as use": Mutation(
        deciding.ringing_counts_as_use,
        many_of(Kind.DECLINED, THREE_UNUSED, 2),
        (Code.WRONG_ORDER,),
        STRATEGY,
    ),
    # Who rings
    "last member forgotten": Mutation(
        deciding.last_member_forgotten,
        many_of(NONE),
        (Code.DID_NOT_RING,),
        of_member(Setting.MEMBERS, "102"),
    ),
    "members rung twice": Mutation(deciding.members_rung_twice, many_of(NONE), (Code.RANG_AGAIN,), EXCHANGE),
    "somebody rung who is no member": Mutation(
        deciding.misread_group(lambda group: replace(group, members=(*group.members, brief("105")))),
        many_of(FIRST, TOGETHER),
        (Code.STRANGER_RANG,),
        EXCHANGE,
    ),
    "a stranger's phone rung for a line": Mutation(
        deciding.registered_under("104", ONE), one(FIRST), (Code.STRANGER_RANG,), EXCHANGE
    ),
    "stop ignored": Mutation(
        deciding.misread_members(lambda member: replace(member, stop=False)),
        many_of(NONE, exchange(group("600", brief("101", stop=True), brief("102")))),
        (Code.RANG_WRONGLY,),
        (Cause(Setting.STOP, "600"),),
    ),
    "logged-out member rung": Mutation(
        deciding.misread_members(lambda member: replace(member, logged_in=True)),
        many_of(NONE, exchange(group("600", brief("101", logged_in=False), brief("102")))),
        (Code.RANG_WRONGLY,),
        of_member(Setting.LOGGED_IN, "101"),
    ),
    "group in a group skipped": Mutation(
        deciding.nested_skipped,
        many_of(NONE, NESTED),
        (Code.DID_NOT_RING,),
        of_member(Setting.MEMBERS, "101", "610"),
    ),
    "overflow of a group in a group taken": Mutation(
        deciding.nested_overflows,
        many_of(NONE, NESTED),
        (Code.RANG_WRONGLY,),
        (Cause(Setting.OVERFLOW, "610"),),
    ),
    "overflow not taken": Mutation(
        deciding.overflow_ignored,
        many_of(NONE, exchange(group("600", brief("101"), overflow="103"))),
        (Code.DID_NOT_RING,),
        (Cause(Setting.OVERFLOW, "600"),),
    ),
    "do not disturb ignored": Mutation(
        deciding.dnd_ignored,
        one(NONE, exchange(dnd=("101",))),
        (Code.RANG_WRONGLY,),
        (Cause(Setting.DND, ONE),),
    ),
    "short number leads elsewhere": Mutation(
        deciding.short_number_misread("1", "102"),
        one(Kind.SHORT_NUMBER, SHORT),
        (Code.DID_NOT_RING,),
        (Cause(Setting.SHORT_NUMBER, "1"),),
    ),
    "short number of a group leads to a stranger": Mutation(
        deciding.short_number_misread("1", "104"),
        many_of(Kind.SHORT_NUMBER, replace(IN_ORDER, short_numbers={"1": "600"})),
        (Code.DID_NOT_RING,),
        (Cause(Setting.SHORT_NUMBER, "1"),),
    ),
    "short number of a group leads nowhere": Mutation(
        deciding.short_number_misread("1", "199"),
        many_of(Kind.SHORT_NUMBER, replace(IN_ORDER, short_numbers={"1": "600"})),
        (Code.DID_NOT_RING,),
        (Cause(Setting.SHORT_NUMBER, "1"),),
    ),
    # Forwarding
    "forwarding of all calls ignored": Mutation(
        deciding.without("always"),
        one(FIRST, forwarded("always")),
        (Code.RANG_WRONGLY,),
        (Cause(Setting.FORWARD_ALWAYS, ONE),),
    ),
    "forwarding where busy ignored": Mutation(
        deciding.without("busy"),
        one(Kind.BUSY, forwarded("busy")),
        (Code.DID_NOT_RING,),
        (Cause(Setting.FORWARD_BUSY, ONE),),
    ),
    "forwarding where nobody answers ignored": Mutation(
        deciding.without("no_answer"),
        one(LAST, forwarded("no_answer", after=12)),
        (Code.TOO_LONG, Code.DID_NOT_RING, Code.RANG_ON),
        (Cause(Setting.FORWARD_NO_ANSWER, ONE),),
    ),
    "forwarding where nobody answers too late": Mutation(
        deciding.no_answer_time_doubled,
        one(LAST, forwarded("no_answer", after=12)),
        (Code.TOO_LONG,),
        (Cause(Setting.FORWARD_NO_ANSWER, ONE),),
    ),
    "forwarding where unreachable ignored": Mutation(
        deciding.without("unreachable"),
        one(Kind.UNREGISTERED, forwarded("unreachable")),
        (Code.DID_NOT_RING,),
        (Cause(Setting.FORWARD_UNREACHABLE, ONE),),
    ),
    "forwarding that is turned off followed": Mutation(
        deciding.forwards_that_is_turned_off,
        one(FIRST, forwarded("always", enabled=False)),
        (Code.RANG_WRONGLY,),
        (Cause(Setting.FORWARD_ALWAYS, ONE),),
    ),
    "member's forwarding followed that is to be skipped": Mutation(
        deciding.misread_members(lambda member: replace(member, skip_forwarding=False)),
        many_of(
            FIRST,
            exchange(
                group("600", brief("101", skip_forwarding=True)),
                forwarding={"101": Forwardings(always=to("103"))},
            ),
        ),
        (Code.RANG_WRONGLY,),
        of_member(Setting.SKIP_FORWARDING, "101"),
    ),
    # Times
    "delay ignored": Mutation(
        deciding.misread_members(lambda member: replace(member, ring_delay=0)),
        many_of(NONE, DELAYED),
        (Code.TOO_EARLY,),
        of_member(Setting.RING_DELAY, "102"),
    ),
    "delay among members at once ignored": Mutation(
        deciding.misread_members(lambda member: replace(member, ring_delay=0)),
        many_of(NONE, DELAYED_TOGETHER),
        (Code.TOO_EARLY,),
        of_member(Setting.RING_DELAY, "102"),
    ),
    "delay too long": Mutation(
        deciding.misread_members(lambda member: replace(member, ring_delay=3 * member.ring_delay)),
        many_of(NONE, DELAYED_TOGETHER),
        (Code.TOO_LATE,),
        of_member(Setting.RING_DELAY, "102"),
    ),
    "ring time cut": Mutation(
        deciding.misread_members(lambda member: replace(member, ring_time=2)),
        many_of(NONE),
        (Code.TOO_SHORT,),
        of_member(Setting.RING_TIME, "101"),
    ),
    "ring time too long": Mutation(
        deciding.misread_members(lambda member: replace(member, ring_time=24)),
        many_of(NONE),
        (Code.TOO_LONG,),
        of_member(Setting.RING_TIME, "101"),
    ),
    "busy member waited for": Mutation(
        carrying.waits_for_the_busy, many_of(Kind.BUSY), (Code.TOO_LATE,), STRATEGY
    ),
    "unregistered member waited for": Mutation(
        carrying.waits_for_the_unregistered, many_of(Kind.UNREGISTERED), (Code.TOO_LATE,), STRATEGY
    ),
    "delay of an unregistered member waited for": Mutation(
        carrying.waits_before_the_unregistered,
        many_of(Kind.UNREGISTERED, exchange(group("600", brief("101", ring_delay=12), brief("102")))),
        (Code.TOO_LATE,),
        STRATEGY,
    ),
    "one declines for the whole group": Mutation(
        carrying.declining_declines_for_all,
        many_of(Kind.DECLINED),
        (Code.DID_NOT_RING,),
        of_member(Setting.MEMBERS, "102"),
    ),
    # Who gets the call
    "two winners": Mutation(carrying.two_win, many_of(Kind.RACE, TOGETHER), (Code.TWO_WINNERS,), EXCHANGE),
    "losers cancelled late": Mutation(
        carrying.cancelled_late, many_of(FIRST, TOGETHER), (Code.RANG_ON,), EXCHANGE
    ),
    "losers never cancelled": Mutation(
        carrying.never_cancelled, many_of(FIRST, TOGETHER), (Code.RANG_ON,), EXCHANGE
    ),
    "losers not told of the answer": Mutation(
        carrying.no_word_of_elsewhere, many_of(FIRST, TOGETHER), (Code.MISSED_CALL,), EXCHANGE
    ),
    "told of an answer that was none": Mutation(
        carrying.always_elsewhere, many_of(NONE), (Code.FALSE_ELSEWHERE,), EXCHANGE
    ),
    "rings on without the caller": Mutation(
        carrying.rings_on_without_the_caller, many_of(Kind.CALLER_GIVES_UP), (Code.RANG_ON,), EXCHANGE
    ),
    # The caller
    "no ringback": Mutation(carrying.no_ringback, many_of(NONE), (Code.NO_RINGBACK,), EXCHANGE),
    "ringback late": Mutation(carrying.ringback_late, many_of(NONE), (Code.SLOW,), EXCHANGE),
    "not refused": Mutation(carrying.no_refusal, many_of(NONE), (Code.NOT_TURNED_DOWN,), EXCHANGE),
    "refused as a number that is none": Mutation(
        carrying.not_found_instead, many_of(NONE), (Code.WRONG_STATUS,), EXCHANGE
    ),
    "answered instead of refused": Mutation(
        carrying.answered_instead_of_refused, many_of(NONE), (Code.ANSWERED_BY_NOBODY,), EXCHANGE
    ),
    "answer not passed on": Mutation(
        carrying.no_answer_told, one(FIRST), (Code.CALLER_NOT_CONNECTED,), EXCHANGE
    ),
    "cut off": Mutation(carrying.cut_off, one(FIRST), (Code.CUT_OFF,), EXCHANGE),
    "hanging up not passed on": Mutation(carrying.no_hanging_up, one(FIRST), (Code.NOT_HUNG_UP,), EXCHANGE),
    # Lamps
    "lamp stays dark": Mutation(shining.stays_dark, one(LAMP), (Code.LAMP_WRONG,), lamp_of("101")),
    "lamp stays lit": Mutation(shining.never_dark_again, one(LAMP), (Code.LAMP_WRONG,), lamp_of("101")),
    "lamp rings while its line talks": Mutation(
        shining.answer_not_shown, one(LAMP), (Code.LAMP_WRONG,), lamp_of("101")
    ),
    "lamp lit late": Mutation(shining.lit_late, one(LAMP), (Code.LAMP_LATE, Code.LAMP_WRONG), lamp_of("101")),
    "lamp of a group stays dark": Mutation(
        shining.group_stays_dark, many_of(LAMP), (Code.LAMP_WRONG,), lamp_of("600")
    ),
    "lamp shows another extension": Mutation(
        shining.looks_at_another("104", "101"), one(LAMP), (Code.LAMP_WRONG,), lamp_of("104")
    ),
    "lamps may not be watched": Mutation(shining.refused, one(LAMP), (Code.LAMP_REFUSED,), lamp_of("101")),
    # Codes
    "do not disturb not known as a code": Mutation(
        dialling.unknown, one(Kind.DND_DIALLED), (Code.CODE_REFUSED,), code("*26", Does.DND_ON)
    ),
    "codes refused": Mutation(
        dialling.refused,
        one(Kind.FORWARD_DIALLED),
        (Code.CODE_REFUSED,),
        code("*21*102#", Does.FORWARD_ALWAYS_ON),
    ),
    "do not disturb turned off instead of on": Mutation(
        dialling.disturbs_the_wrong_way, one(Kind.DND_DIALLED), (Code.CODE_IDLE,), code("*26", Does.DND_ON)
    ),
    "forwarding never taken back": Mutation(
        dialling.never_taken_back,
        one(Kind.FORWARD_TAKEN_BACK),
        (Code.CODE_IDLE,),
        code("#21#", Does.FORWARD_ALWAYS_OFF),
    ),
    "all calls forwarded where busy ones should be": Mutation(
        dialling.all_instead_of_busy,
        one(Kind.BUSY_DIALLED),
        (Code.DID_NOT_RING,),
        code("*22*102#", Does.FORWARD_BUSY_ON),
    ),
    "forwarded to another number than was dialled": Mutation(
        dialling.forwards_to("104"),
        one(Kind.FORWARD_DIALLED),
        (Code.DID_NOT_RING,),
        code("*21*102#", Does.FORWARD_ALWAYS_ON),
    ),
    "logged in instead of out": Mutation(
        dialling.logs_the_wrong_way,
        many_of(Kind.LOGGED_OUT),
        (Code.CODE_IDLE,),
        code("*51600", Does.GROUP_LOGOUT),
    ),
    "hidden where a code shows": Mutation(
        dialling.hides_instead_of_showing,
        one(Kind.SHOWN),
        (Code.WRONG_NUMBER,),
        code("*68", Does.SHOW_NUMBER),
    ),
    # Sound
    "answerer not heard": Mutation(
        carrying.answerer_unheard, one(FIRST), (Code.ONE_WAY_AUDIO,), (Cause(Setting.PHONE, ONE),)
    ),
    "caller not heard": Mutation(
        carrying.caller_unheard, one(FIRST), (Code.ONE_WAY_AUDIO,), (Cause(Setting.PHONE, "0000000000"),)
    ),
    "neither heard": Mutation(
        carrying.neither_heard, one(FIRST), (Code.NO_AUDIO,), (Cause(Setting.PHONE, ONE),)
    ),
    # Displays
    "group shown instead of the caller": Mutation(
        deciding.as_if(GROUP), shown(KEEP), (Code.WRONG_NUMBER,), PRESENTATION
    ),
    "caller shown instead of the group": Mutation(
        deciding.as_if(KEEP), shown(GROUP), (Code.WRONG_NUMBER,), PRESENTATION
    ),
    "group's number shown, where its name is": Mutation(
        deciding.as_if(GROUP), shown(GROUP_NAME), (Code.WRONG_NUMBER,), PRESENTATION
    ),
    "caller's name shown instead of the group's": Mutation(
        deciding.as_if(KEEP), shown(GROUP_NAME), (Code.WRONG_NAME,), PRESENTATION
    ),
    "group's name shown instead of the caller's": Mutation(
        deciding.as_if(GROUP_NAME), shown(KEEP), (Code.WRONG_NAME,), PRESENTATION
    ),
    "caller's name not shown": Mutation(carrying.nameless, many_of(FIRST), (Code.WRONG_NAME,), CALLER),
    "caller's line shown inside": Mutation(
        carrying.line_shown_inside, one(FIRST), (Code.WRONG_NUMBER,), CALLER
    ),
    "hidden number shown": Mutation(carrying.hiding_ignored, one(Kind.HIDDEN), (Code.NOT_HIDDEN,), HIDING),
    "hidden number shown in one header": Mutation(
        carrying.betrayed_in_one_header, one(Kind.HIDDEN), (Code.NOT_HIDDEN,), HIDING
    ),
    "no distinctive ring": Mutation(
        carrying.no_distinctive_ring, one(FIRST, DISTINCT), (Code.WRONG_RING,), RING
    ),
    "distinctive ring unasked": Mutation(carrying.rings_as_from_inside, one(FIRST), (Code.WRONG_RING,), RING),
}
