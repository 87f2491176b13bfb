"""Whatever phones do in whatever order, and however often: every call ends, and nothing is left of it."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from sip.message.message import Message, Request, Response
from sip.message.values import RAck
from sip.transport.flow import Transport
from tests.sip.call.phones import (
    Everybody,
    OneByOne,
    Phone,
    Switchboard,
    Talk,
    called,
    calling,
    replaces,
    sdp,
)
from tests.sip.call.story import assert_is_whole

NUMBERS = st.sampled_from(["101", "102", "103", "600", "601", "999"])
WHICH = st.integers(0, 30)
STATUSES = st.sampled_from([100, 180, 183, 200, 200, 200, 302, 408, 481, 486, 487, 491, 500, 603])
BODIES = st.sampled_from([b"", sdp(4000), sdp(4000, "sendonly"), b"v=0"])
PASSING_S = st.sampled_from([0.0, 0.2, 0.5, 1.0]) | st.floats(0, 5) | st.sampled_from([5.0, 32.0, 61.0])
METHODS = st.sampled_from(["INVITE", "UPDATE", "INFO", "OPTIONS", "BYE", "PRACK", "REFER", "NOTIFY"])
UPDATES = {"Allow": "INVITE, ACK, BYE, CANCEL, PRACK, UPDATE"}
EXTENSIONS = st.sampled_from([{}, {}, {"Supported": "100rel", **UPDATES}, {"Require": "100rel"}])
QUIET_S = 2_000


class AnyOrder(RuleBasedStateMachine):
    """Four phones that keep no rule but that their messages can be read."""

    def __init__(self) -> None:
        super().__init__()
        self.board = Switchboard()
        self.board.routes["600"] = lambda: Everybody("102", "103")
        self.board.routes["601"] = lambda: OneByOne("102", "103", "101")
        self.sent: dict[Phone, list[Message]] = {}
        self.talks: list[Talk] = []

    @initialize(transport=st.sampled_from(list(Transport)))
    def phones_register(self, transport: Transport) -> None:
        for line in ("101", "102", "103", "103"):
            self.sent[self.board.phone(line, transport)] = []

    def any_phone(self, which: int) -> Phone:
        return list(self.sent)[which % len(self.sent)]

    @rule(which=WHICH, to=WHICH, with_offer=st.booleans())
    def they_talk(self, which: int, to: int, with_offer: bool) -> None:
        """A call that is answered and acknowledged, if everybody can be reached."""
        caller, callee = self.any_phone(which), self.any_phone(to)
        self.sent[caller].append(caller.invite(callee.line, None if with_offer else b""))
        self.answers(to, 0, 180, b"")
        self.answers(to, 0, 200, sdp(callee.port))
        self.acknowledges(which, 0, b"" if with_offer else sdp(caller.port))

    @rule(which=WHICH, number=NUMBERS, body=BODIES, says=EXTENSIONS)
    def calls(self, which: int, number: str, body: bytes, says: dict[str, str]) -> None:
        phone = self.any_phone(which)
        self.sent[phone].append(phone.invite(number, body, **says))

    @rule(which=WHICH, age=WHICH, body=BODIES, says=EXTENSIONS, is_early=st.booleans())
    def takes_over(self, which: int, age: int, body: bytes, says: dict[str, str], is_early: bool) -> None:
        """Wants the place of one that rings, or talks."""
        phone = self.any_phone(which)
        rung = [
            f"{said.call_id};to-tag={said.to.tag};from-tag={said.from_.tag}"
            for each in self.sent.values() for said in each
            if isinstance(said, Response) and said.cseq.method == "INVITE" and 100 < said.status < 200
        ]  # fmt: skip
        talking = [
            f"{each.dialog.call_id};to-tag={each.dialog.local.tag};from-tag={each.dialog.remote.tag}"
            for each in self.talks
        ]
        known = rung if is_early else talking
        if known:
            self.sent[phone].append(phone.invite("102", body, Replaces=known[-1 - age % len(known)], **says))

    @rule(which=WHICH, is_patient=st.booleans())
    def does_as_it_should(self, which: int, is_patient: bool) -> None:
        """What came last gets what belongs to it."""
        phone = self.any_phone(which)
        if not phone.inbox:
            return
        message = phone.inbox[-1]
        if isinstance(message, Response):
            self.acknowledges(which, 0, sdp(phone.port))
        elif message.method == "INVITE" and is_patient:
            self.answers(which, 0, 180, b"")
        elif message.method != "ACK":
            self.answers(which, 0, 200, sdp(phone.port))

    @rule(which=WHICH, age=WHICH, status=STATUSES, body=BODIES)
    def answers(self, which: int, age: int, status: int, body: bytes) -> None:
        phone = self.any_phone(which)
        asked = [each for each in phone.inbox if isinstance(each, Request) and each.method != "ACK"]
        if asked:
            request = asked[-1 - age % len(asked)]
            response = phone.says(request, status, body)
            self.sent[phone].append(response)
            if request.method == "INVITE" and status == 200:
                self.talks.append(called(phone, request, response))

    @rule(which=WHICH, age=WHICH, status=st.sampled_from([180, 183]), body=BODIES, rseq=st.integers(1, 3))
    def says_reliably(self, which: int, age: int, status: int, body: bytes, rseq: int) -> None:
        phone = self.any_phone(which)
        invites = [each for each in phone.inbox if isinstance(each, Request) and each.method == "INVITE"]
        if invites:
            invite = invites[-1 - age % len(invites)]
            response = phone.says(invite, status, body, Require="100rel", RSeq=str(rseq), **UPDATES)
            self.sent[phone].append(response)
            self.talks.append(called(phone, invite, response))

    @rule(which=WHICH, age=WHICH, body=BODIES)
    def thanks(self, which: int, age: int, body: bytes) -> None:
        """Says PRACK, once or more often."""
        phone = self.any_phone(which)
        told = [
            (invite, each) for each in phone.inbox for invite in self.sent[phone]
            if isinstance(each, Response) and each.rseq is not None and isinstance(invite, Request)
            and (invite.call_id, invite.cseq) == (each.call_id, each.cseq)
        ]  # fmt: skip
        if told:
            invite, response = told[-1 - age % len(told)]
            talk = calling(phone, invite, response)
            prack = talk.dialog.request("PRACK")
            prack.rack = RAck(response.rseq or 0, response.cseq)
            self.sent[phone].append(phone.asks(prack, body))

    @rule(which=WHICH, age=WHICH, body=BODIES)
    def acknowledges(self, which: int, age: int, body: bytes) -> None:
        phone = self.any_phone(which)
        told = [
            (invite, each) for each in phone.inbox for invite in self.sent[phone]
            if isinstance(each, Response) and each.cseq.method == "INVITE" and each.status >= 180
            and isinstance(invite, Request) and invite.method == "INVITE"
            and (invite.call_id, invite.cseq) == (each.call_id, each.cseq)
        ]  # fmt: skip
        if not told:
            return
        invite, response = told[-1 - age % len(told)]
        if response.status >= 300:
            phone.acks_refusal(invite, response)
            return
        talk = calling(phone, invite, response)
        self.talks.append(talk)
        if response.status >= 200:
            self.sent[phone].append(talk.acks(invite, body))

    @rule(age=WHICH, method=METHODS, body=BODIES)
    def asks(self, age: int, method: str, body: bytes) -> None:
        if self.talks:
            talk = self.talks[-1 - age % len(self.talks)]
            self.sent[talk.phone].append(talk.asks(method, body))

    @rule(age=WHICH, number=NUMBERS, other=st.none() | WHICH)
    def passes_on(self, age: int, number: str, other: int | None) -> None:
        if self.talks:
            talk = self.talks[-1 - age % len(self.talks)]
            uri = f"sip:{number}@192.0.2.1"
            if other is not None:
                uri += f"?Replaces={replaces(self.talks[-1 - other % len(self.talks)])}"
            self.sent[talk.phone].append(talk.asks("REFER", Refer_To=f"<{uri}>"))

    @rule(which=WHICH, age=WHICH)
    def cancels(self, which: int, age: int) -> None:
        phone = self.any_phone(which)
        invites = [each for each in self.sent[phone] if isinstance(each, Request) and each.method == "INVITE"]
        if invites:
            self.sent[phone].append(phone.cancels(invites[-1 - age % len(invites)]))

    @rule(which=WHICH, age=WHICH)
    def says_it_again(self, which: int, age: int) -> None:
        phone = self.any_phone(which)
        if said := self.sent[phone]:
            phone.sends(said[-1 - age % len(said)])

    @rule(which=WHICH)
    def a_connection_breaks(self, which: int) -> None:
        way = self.any_phone(which).way
        self.board.perform(self.board.transactions.closed(way, self.board.now))

    @rule(which=WHICH)
    def an_operator_ends_a_call(self, which: int) -> None:
        calls = list(self.board.calls.live)
        if calls:
            self.board.perform(self.board.calls.hang_up(calls[which % len(calls)].id, self.board.now))

    @rule(seconds=PASSING_S)
    def time_passes(self, seconds: float) -> None:
        self.board.passes(seconds)

    @invariant()
    def what_is_told_makes_sense(self) -> None:
        assert_is_whole(self.board.story, len(self.board.calls))

    def teardown(self) -> None:
        # All phones are silent from now on.
        self.board.passes(QUIET_S)
        for call in list(self.board.calls.live):
            self.board.perform(self.board.calls.hang_up(call.id, self.board.now))
        self.board.assert_nothing_is_left()
        assert_is_whole(self.board.story, 0)


TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = settings(stateful_step_count=40)
