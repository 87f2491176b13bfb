"""Who is told of which state, and when (RFC 6665)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sip.dialog import OutOfOrder
from sip.message.errors import BadHeader
from sip.message.message import Request, Response
from sip.notifier import Admission, Notifier, NotifierLimits, Notify, Subscribed
from sip.packages.dialog import DialogPackage
from sip.packages.message_summary import Mailbox, MessageContext, Messages, MessageSummaryPackage
from sip.packages.reg import Registration, RegPackage
from sip.subscription_errors import (
    BadEvent,
    NoSubscription,
    NotAcceptable,
    NotAllowed,
    SubscriptionTooBrief,
    TooManySubscriptions,
)
from sip.transport.flow import Address, Transport
from tests.sip.message.messages import request, wire
from tests.sip.registering import NOW, PHONE, SERVER, Registrar, a_register

LAMP, LINES, REGISTRATIONS = MessageSummaryPackage(), DialogPackage(), RegPackage()
LIMITS = NotifierLimits(min_s=60, max_s=3600, subscriptions=5, watchers=3)


@dataclass(frozen=True)
class AFlow:
    """A way to a phone on which nothing is sent: the tests look at what would be."""

    transport: Transport = Transport.UDP
    remote: Address = PHONE
    local: Address = SERVER
    is_open: bool = True

    def send(self, data: bytes) -> bool:
        return True


FLOW, OTHER_FLOW = AFlow(), AFlow(Transport.TCP, Address("192.0.2.20", 40_000))


def mailbox(new: int) -> Mailbox:
    return Mailbox("sip:101@pbx.example.com", (Messages(MessageContext.VOICE, new),))


def a_subscribe(
    event: str | None = "message-summary",
    *,
    cseq: int = 1,
    call_id: str = "s1@phone",
    to_tag: str = "",
    expires: str | None = "600",
    user: str = "101",
    contact: str | None = "<sip:101@192.0.2.20:5062>",
    **more: str,
) -> Request:
    head = [
        f"SUBSCRIBE sip:{user}@pbx.example.com SIP/2.0",
        f"Via: SIP/2.0/UDP 192.0.2.20:5062;branch=z9hG4bK{call_id[:2]}{cseq}",
        "From: <sip:101@pbx.example.com>;tag=phone",
        f"To: <sip:{user}@pbx.example.com>{to_tag and ';tag=' + to_tag}",
        f"Call-ID: {call_id}",
        f"CSeq: {cseq} SUBSCRIBE",
    ]
    head += [] if event is None else [f"Event: {event}"]
    head += [] if expires is None else [f"Expires: {expires}"]
    head += [] if contact is None else [f"Contact: {contact}"]
    head += [f"{name.replace('_', '-')}: {value}" for name, value in more.items()]
    return request(wire("\n".join(head)))


@dataclass
class Server:
    """A notifier, and the states of everybody."""

    limits: NotifierLimits = LIMITS
    is_pending: bool = False
    now: float = NOW
    states: dict[str, object] = field(default_factory=lambda: {"101": mailbox(0), "102": mailbox(0)})

    def __post_init__(self) -> None:
        tags: Iterator[int] = count(1)
        self.notifier = Notifier((LAMP, LINES, REGISTRATIONS), lambda: f"us{next(tags)}", self.limits)

    def subscribe(self, message: Request, flow: AFlow = FLOW, by: str = "101") -> Subscribed:
        user = str(message.uri).partition(":")[2].partition("@")[0]

        def admit(package: str) -> Admission:
            if user not in self.states:
                raise NotAllowed("not yours")
            return Admission(user, self.states[user], self.is_pending)

        return self.notifier.subscribe(message, flow, self.now, by, admit)

    def publish(self, state: object, resource: str = "101") -> list[Notify]:
        return self.notifier.publish(LAMP.name, resource, state, self.now)

    def ok(self, notify: Notify, status: int = 200, retry_after: str | None = None) -> list[Notify]:
        answer = notify.request.response(status)
        if retry_after is not None:
            answer.headers.add("Retry-After", retry_after)
        return self.notifier.answered(notify.subscription, answer, self.now)

    def wait(self, by_s: float) -> list[Notify]:
        self.now += by_s
        return self.notifier.timer(self.now)


def the_one(notifies: list[Notify]) -> Notify:
    (notify,) = notifies
    return notify


def says(notify: Notify) -> tuple[str, bytes]:
    """Subscription-State, and what of the body changes in these tests."""
    voice = [line for line in notify.request.body.split(b"\r\n") if line.startswith(b"Voice")]
    return notify.request.headers.get("Subscription-State") or "", b"".join(voice).partition(b" ")[2][:1]


def subscribed(server: Server, **more: str) -> tuple[Response, Notify]:
    """A subscription whose first NOTIFY is answered."""
    done = server.subscribe(a_subscribe(**more))
    notify = the_one(done.notifies)
    assert server.ok(notify) == []
    return done.response, notify


def test_a_subscription_is_answered_and_followed_by_the_state():
    server = Server()
    done = server.subscribe(a_subscribe("message-summary;id=7", Record_Route="<sip:p1.example.com;lr>"))
    assert (done.response.status, done.response.expires_s) == (200, 600)
    assert done.response.to.tag == "us1"
    assert done.response.headers.get("Contact") == "<sip:192.0.2.1:5060>"
    assert done.response.headers.get("Record-Route") == "<sip:p1.example.com;lr>"
    (notify,) = done.notifies
    assert notify.flow == FLOW
    message = notify.request
    assert message.start_line == "NOTIFY sip:101@192.0.2.20:5062 SIP/2.0"
    assert (message.from_.tag, message.to.tag, message.call_id) == ("us1", "phone", "s1@phone")
    assert message.headers.get("CSeq") == "1 NOTIFY"
    assert message.headers.get("Event") == "message-summary;id=7"
    assert message.headers.get("Subscription-State") == "active;expires=600"
    assert message.headers.get("Content-Type") == "application/simple-message-summary"
    assert message.headers.get("Contact") == "<sip:192.0.2.1:5060>"
    assert message.headers.get("Route") == "<sip:p1.example.com;lr>"
    assert message.body == LAMP.body(mailbox(0), None, 0)


# What is refused


@pytest.mark.parametrize("event", [None, "presence", "message-summary.winfo"])
def test_an_event_that_is_not_known_is_refused_with_those_that_are(event):
    with pytest.raises(BadEvent) as caught:
        Server().subscribe(a_subscribe(event))
    assert caught.value.status == 489
    assert caught.value.headers == (("Allow-Events", "dialog, message-summary, reg"),)


@pytest.mark.parametrize(
    "accept", [None, "*/*", "application/*", "text/plain, Application/Simple-Message-Summary", ""]
)
def test_who_reads_the_documents_is_told(accept):
    more = {} if accept is None else {"Accept": accept}
    assert Server().subscribe(a_subscribe(**more)).notifies


def test_who_does_not_read_the_documents_is_refused():
    with pytest.raises(NotAcceptable) as caught:
        Server().subscribe(a_subscribe(Accept="application/pidf+xml"))
    assert (caught.value.status, caught.value.headers) == (
        406,
        (("Accept", "application/simple-message-summary"),),
    )


def test_who_may_not_know_is_refused():
    with pytest.raises(NotAllowed) as caught:
        Server().subscribe(a_subscribe(user="999"))
    assert caught.value.status == 403


def test_who_does_not_say_where_it_is_is_refused():
    server = Server()
    with pytest.raises(BadHeader):
        server.subscribe(a_subscribe(contact=None))
    assert len(server.notifier) == 0


@pytest.mark.parametrize("to_tag", ["unknown", "us2"])
def test_a_refresh_of_nothing_is_told_so(to_tag):
    server = Server()
    subscribed(server)
    with pytest.raises(NoSubscription) as caught:
        server.subscribe(a_subscribe(cseq=2, to_tag=to_tag))
    assert caught.value.status == 481
    with pytest.raises(NoSubscription):
        server.subscribe(a_subscribe("message-summary;id=other", cseq=2, to_tag="us1"))


def test_too_short_a_time_is_refused_with_the_least_there_is():
    with pytest.raises(SubscriptionTooBrief) as caught:
        Server().subscribe(a_subscribe(expires="59"))
    assert (caught.value.status, caught.value.headers) == (423, (("Min-Expires", "60"),))


@pytest.mark.parametrize(("asked", "granted_s"), [("60", 60), ("99999", 3600), (None, 3600)])
def test_what_is_granted_is_said(asked, granted_s):
    assert Server().subscribe(a_subscribe(expires=asked)).response.expires_s == granted_s


def test_there_are_so_many_subscriptions_of_one_state_and_in_all():
    server = Server()
    for i in range(3):
        subscribed(server, call_id=f"{i}@phone")
    with pytest.raises(TooManySubscriptions) as caught:
        server.subscribe(a_subscribe(call_id="more@phone"))
    assert (caught.value.status, caught.value.headers) == (503, (("Retry-After", "60"),))
    for i in range(2):
        subscribed(server, call_id=f"other{i}@phone", user="102")
    with pytest.raises(TooManySubscriptions):
        server.subscribe(a_subscribe(call_id="more@phone", user="102"))
    assert server.subscribe(a_subscribe(call_id="fetch@phone", expires="0")).notifies


# Life


def test_a_refresh_extends_and_tells_everything_again():
    server = Server()
    subscribed(server)
    server.now += 500
    done = server.subscribe(a_subscribe(cseq=2, to_tag="us1"), OTHER_FLOW)
    assert done.response.headers.get("To") == "<sip:101@pbx.example.com>;tag=us1"
    notify = the_one(done.notifies)
    assert notify.flow == OTHER_FLOW, "the phone has come by another connection"
    assert says(notify) == ("active;expires=600", b"0")
    assert notify.request.headers.get("CSeq") == "2 NOTIFY"
    server.ok(notify)
    assert server.wait(599) == []
    assert says(the_one(server.wait(1)))[0] == "terminated;reason=timeout"


def test_a_refresh_that_came_late_is_refused():
    server = Server()
    subscribed(server, cseq=5)
    with pytest.raises(OutOfOrder) as caught:
        server.subscribe(a_subscribe(cseq=4, to_tag="us1"))
    assert caught.value.status == 500


def test_nobody_refreshes_or_ends_somebody_else_s_subscription():
    server = Server()
    subscribed(server)
    with pytest.raises(NotAllowed):
        server.subscribe(a_subscribe(cseq=2, to_tag="us1", expires="0"), by="102")
    assert len(server.notifier) == 1


def test_what_is_not_refreshed_ends_and_is_told_so():
    server = Server()
    subscribed(server)
    assert server.notifier.deadline == NOW + 600
    notify = the_one(server.wait(600))
    assert says(notify) == ("terminated;reason=timeout", b"0")
    assert len(server.notifier) == 0
    assert server.ok(notify) == []
    assert server.publish(mailbox(1)) == []
    with pytest.raises(NoSubscription):
        server.subscribe(a_subscribe(cseq=2, to_tag="us1"))


def test_who_wants_no_more_is_told_for_the_last_time():
    server = Server()
    subscribed(server)
    done = server.subscribe(a_subscribe(cseq=2, to_tag="us1", expires="0"))
    assert done.response.expires_s == 0
    assert says(the_one(done.notifies)) == ("terminated;reason=timeout", b"0")
    assert len(server.notifier) == 0


def test_a_state_can_be_fetched_once():
    server = Server()
    done = server.subscribe(a_subscribe(expires="0"))
    assert done.response.expires_s == 0
    assert says(the_one(done.notifies)) == ("terminated;reason=timeout", b"0")
    assert (len(server.notifier), server.notifier.subscriptions(LAMP.name, "101")) == (0, [])


def test_a_state_that_is_no_more_ends_its_subscriptions():
    server = Server()
    _, first = subscribed(server)
    notify = the_one(server.notifier.end(first.subscription, "noresource", server.now))
    assert notify.request.headers.get("Subscription-State") == "terminated;reason=noresource"
    assert notify.request.body == b""
    assert server.notifier.end(first.subscription, "noresource", server.now) == []


# What is told


def test_a_new_state_is_told_to_each_who_subscribed_to_it():
    server = Server()
    for i in range(2):
        subscribed(server, call_id=f"{i}@phone")
    subscribed(server, call_id="other@phone", user="102")
    server.now += 10
    assert [says(notify)[1] for notify in server.publish(mailbox(1))] == [b"1", b"1"]


def test_what_is_no_news_is_not_told():
    server = Server()
    subscribed(server)
    server.now += 10
    assert server.publish(mailbox(0)) == []


def test_states_that_follow_quickly_are_told_once_by_the_newest():
    server = Server()
    subscribed(server)
    for new in (1, 2, 3):
        assert server.publish(mailbox(new)) == [], "less than a second ago the first was told"
    assert server.notifier.deadline == NOW + LAMP.interval_s
    assert says(the_one(server.wait(1.0)))[1] == b"3"


def test_one_notify_is_under_way_at_a_time():
    server = Server()
    first = the_one(server.subscribe(a_subscribe()).notifies)
    server.now += 10
    assert server.publish(mailbox(1)) == []
    assert server.publish(mailbox(2)) == []
    second = the_one(server.ok(first))
    assert says(second) == ("active;expires=590", b"2")
    assert server.ok(second) == []


def test_who_leaves_while_a_notify_is_under_way_gets_the_last_one_after_it():
    server = Server()
    first = the_one(server.subscribe(a_subscribe()).notifies)
    assert server.subscribe(a_subscribe(cseq=2, to_tag="us1", expires="0")).notifies == []
    assert says(the_one(server.ok(first)))[0] == "terminated;reason=timeout"


@pytest.mark.parametrize("status", [481, 404, 501])
def test_who_knows_of_no_subscription_has_none(status):
    server = Server()
    notify = the_one(server.subscribe(a_subscribe()).notifies)
    assert server.ok(notify, status) == []
    assert len(server.notifier) == 0
    assert server.wait(10_000) == []


def test_who_does_not_answer_has_no_subscription():
    server = Server()
    notify = the_one(server.subscribe(a_subscribe()).notifies)
    server.publish(mailbox(1))
    assert server.notifier.answered(notify.subscription, None, server.now) == []
    assert len(server.notifier) == 0


def test_who_can_t_be_told_now_is_told_when_it_says():
    server = Server()
    notify = the_one(server.subscribe(a_subscribe()).notifies)
    assert server.ok(notify, 503, "30") == []
    assert server.wait(29) == []
    assert says(the_one(server.wait(1))) == ("active;expires=570", b"0")


@pytest.mark.parametrize("retry_after", [None, "soon"])
def test_who_refuses_once_is_told_the_next_state(retry_after):
    server = Server()
    notify = the_one(server.subscribe(a_subscribe()).notifies)
    assert server.ok(notify, 500, retry_after) == []
    server.now += 10
    assert says(the_one(server.publish(mailbox(1))))[1] == b"1"


def test_whoever_is_to_be_asked_first_tells_nothing_until_then():
    server = Server(is_pending=True)
    notify = the_one(server.subscribe(a_subscribe()).notifies)
    assert says(notify) == ("pending;expires=600", b"")
    server.ok(notify)
    server.now += 10
    assert server.publish(mailbox(5)) == []
    granted = the_one(server.notifier.approve(notify.subscription, server.now))
    assert says(granted) == ("active;expires=590", b"5")
    assert server.notifier.approve(notify.subscription, server.now) == []


def test_who_is_rejected_is_told_so_and_nothing_else():
    server = Server(is_pending=True)
    notify = the_one(server.subscribe(a_subscribe()).notifies)
    server.ok(notify)
    last = the_one(server.notifier.end(notify.subscription, "rejected", server.now))
    assert says(last) == ("terminated;reason=rejected", b"")
    assert last.request.body == b""


def test_registrations_are_told_in_full_and_then_in_parts_with_a_version():
    registrar = Registrar()
    registrar.take(a_register("<sip:101@192.0.2.20>"))
    uri = "sip:101@pbx.example.com"
    server = Server(states={"101": Registration(uri, registrar.bindings, NOW)})
    first = the_one(server.subscribe(a_subscribe("reg")).notifies)
    assert b'version="0" state="full"' in first.request.body
    server.ok(first)
    server.now += 6
    registrar.take(a_register("<sip:101@192.0.2.20>;expires=0", cseq=2))
    state = Registration(uri, registrar.bindings, server.now)
    second = the_one(server.notifier.publish("reg", "101", state, server.now))
    assert b'version="1" state="partial"' in second.request.body
    assert b'state="terminated" event="unregistered"' in second.request.body
    server.ok(second)
    again = the_one(server.subscribe(a_subscribe("reg", cseq=2, to_tag="us1")).notifies)
    assert b'version="2" state="full"' in again.request.body


def test_coming_and_going_leaves_nothing_behind():
    server = Server()
    for i in range(1_500):
        done = server.subscribe(a_subscribe(call_id=f"{i}@phone"))
        server.notifier.answered(done.notifies[0].subscription, None, server.now)
    notifier = server.notifier
    assert (len(notifier), notifier._by_state) == (0, {})
    assert len(notifier._wakings) <= 1_002


# For all inputs

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("publish"), st.integers(0, 9)),
        st.tuples(st.just("wait"), st.sampled_from([0, 1, 70])),
        st.tuples(st.just("answer"), st.sampled_from([200, 200, 500])),
        st.tuples(st.just("refresh"), st.just(0)),
    ),
    max_size=40,
)


@given(STEPS)
def test_whatever_happens_the_subscriber_knows_the_newest_state_in_the_end(steps):
    server = Server()
    under_way = [the_one(server.subscribe(a_subscribe()).notifies)]
    known, newest, cseq = b"0", 0, 1
    for step, value in [*steps, ("wait", 2), ("answer", 200), ("wait", 2), ("answer", 200), ("wait", 2)]:
        new: list[Notify] = []
        if step == "publish":
            newest = value
            new = server.publish(mailbox(value))
        elif step == "wait":
            new = server.wait(value)
        elif step == "refresh" and len(server.notifier):
            cseq += 1
            new = server.subscribe(a_subscribe(cseq=cseq, to_tag="us1")).notifies
        elif step == "answer" and under_way:
            notify = under_way.pop()
            if value == 200:
                known = says(notify)[1]
            new = server.ok(notify, value, "1" if value == 500 else None)
        under_way += new
        assert len(under_way) <= 1
    if len(server.notifier):
        last = says(under_way[0])[1] if under_way else known
        assert last == str(newest).encode()


def test_over_a_connection_the_contact_says_so():
    done = Server().subscribe(a_subscribe(), OTHER_FLOW)
    assert done.response.headers.get("Contact") == "<sip:192.0.2.1:5060;transport=tcp>"
    assert done.notifies[0].request.headers.get("Contact") == "<sip:192.0.2.1:5060;transport=tcp>"
