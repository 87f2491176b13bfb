"""RFC 3261 §10.3, step by step."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sip.binding import ChangeKind
from sip.message.errors import BadHeader
from sip.registrar import register
from sip.registrar_contact import Limits
from sip.registrar_errors import (
    BadContact,
    FirstHopLacksOutbound,
    IntervalTooBrief,
    NotStorable,
    OutOfOrder,
    OwnContact,
    PathNotSupported,
    RegisterRefused,
    TooManyBindings,
)
from sip.transport.flow import Address, Transport
from tests.sip.message.messages import request, vector
from tests.sip.registering import (
    AOR,
    LIMITS,
    NOW,
    PHONE,
    SERVER,
    UDP,
    Registrar,
    a_register,
    contacts,
    kinds,
    origin,
)

DESK, CELL = "<sip:101@192.0.2.20:5062>", "<sip:101@192.0.2.30:5060>"
DESK_URI, CELL_URI = DESK[1:-1], CELL[1:-1]
REGISTERED, REFRESHED, MOVED = ChangeKind.REGISTERED, ChangeKind.REFRESHED, ChangeKind.MOVED
UNREGISTERED, DISPLACED, EXPIRED = ChangeKind.UNREGISTERED, ChangeKind.DISPLACED, ChangeKind.EXPIRED
ONE = '+sip.instance="<urn:uuid:00000000-0000-1000-8000-0015654AA937>"'
OTHER = '+sip.instance="<urn:uuid:00000000-0000-1000-8000-0015654AA938>"'


def test_a_contact_becomes_a_binding_with_all_that_is_known_of_it():
    decision = Registrar().take(a_register(f"{DESK};q=0.5", expires="600", cseq=7))
    (binding,) = decision.bindings
    assert kinds(decision) == [REGISTERED]
    (change,) = decision.changes
    assert (change.aor, change.binding, change.at) == (AOR, binding, NOW)
    assert (binding.contact, binding.call_id, binding.cseq, binding.q) == (DESK_URI, "one@phone", 7, 0.5)
    assert (binding.transport, binding.remote, binding.local) == (Transport.UDP, PHONE, SERVER)
    assert (binding.registered_at, binding.refreshed_at, binding.expires_at) == (NOW, NOW, NOW + 600)
    assert (binding.user_agent, binding.refreshes) == ("Yealink SIP-T46S 66.86.0.15", 0)


def test_the_200_lists_all_bindings_with_the_time_they_have_left():
    registrar = Registrar()
    registrar.take(a_register(DESK, expires="600"))
    registrar.now += 100.25
    message = a_register(f"{CELL};q=0.7", call_id="two@cell", expires="300")
    response = registrar.take(message, origin("192.0.2.30")).response(
        message, datetime(2026, 11, 23, 8, 0, tzinfo=UTC), "tag1"
    )
    assert response.status == 200
    assert response.headers.all("Contact") == [f"{DESK};expires=500", f"{CELL};expires=300;q=0.7"]
    assert response.headers.get("Date") == "Mon, 23 Nov 2026 08:00:00 GMT"
    assert response.to.tag == "tag1"


def test_a_refresh_counts_and_keeps_since_when():
    registrar = Registrar()
    registrar.take(a_register(DESK))
    registrar.now += 1800
    decision = registrar.take(a_register(DESK, cseq=2))
    (binding,) = decision.bindings
    assert kinds(decision) == [REFRESHED]
    assert (binding.registered_at, binding.refreshed_at, binding.refreshes) == (NOW, NOW + 1800, 1)
    assert binding.expires_at == NOW + 1800 + 3600
    assert decision.changes[0].before == registrar.decisions[0].bindings[0]


def test_a_refresh_from_elsewhere_is_a_move():
    registrar = Registrar()
    registrar.take(a_register(DESK))
    decision = registrar.take(a_register(DESK, cseq=2), origin(port=40_000))
    assert kinds(decision) == [MOVED]
    assert decision.bindings[0].remote == Address(PHONE.host, 40_000)


# Step 6: no Contact, or a star


def test_without_a_contact_it_only_asks():
    registrar = Registrar()
    registrar.take(a_register(DESK, expires="600"))
    decision = registrar.take(a_register(cseq=2))
    assert (decision.changes, contacts(decision)) == ((), [f"{DESK};expires=600"])
    assert contacts(Registrar().take(a_register())) == []


def test_a_star_takes_back_all_bindings():
    registrar = Registrar()
    registrar.take(a_register(DESK))
    registrar.take(a_register(CELL, call_id="two@cell"), origin("192.0.2.30"))
    decision = registrar.take(a_register("*", cseq=2, expires="0"))
    assert kinds(decision) == [UNREGISTERED, UNREGISTERED]
    assert (decision.bindings, decision.headers) == ((), ())


@pytest.mark.parametrize("expires", [None, "1", "3600", "never"])
def test_a_star_without_expires_0_is_refused(expires):
    registrar = Registrar()
    registrar.take(a_register(DESK))
    with pytest.raises(BadContact) as caught:
        registrar.take(a_register("*", cseq=2, expires=expires))
    assert caught.value.status == 400
    assert registrar.contacts == [DESK_URI]


def test_a_star_beside_a_contact_is_refused():
    with pytest.raises(BadHeader):
        Registrar().take(a_register("*", DESK, expires="0"))


def test_a_star_that_is_older_than_a_binding_takes_nothing_back():
    registrar = Registrar()
    registrar.take(a_register(CELL, call_id="two@cell"), origin("192.0.2.30"))
    registrar.take(a_register(DESK, cseq=5))
    with pytest.raises(OutOfOrder):
        registrar.take(a_register("*", cseq=4, expires="0"))
    assert registrar.contacts == [CELL_URI, DESK_URI]


# Step 7: how long


@pytest.mark.parametrize(
    ("contact", "expires", "granted_s"),
    [
        (DESK, None, 3600),
        (DESK, "600", 600),
        (f"{DESK};expires=120", "600", 120),
        (f'{DESK};expires="120"', None, 120),
        (DESK, "86400", 7200),
        (DESK, "99999999999999999999", 7200),
        (DESK, "soon", 3600),
        (f"{DESK};expires=soon", "600", 3600),
        (DESK, "60", 60),
    ],
)
def test_the_contact_says_how_long_before_the_header_does_and_the_default(contact, expires, granted_s):
    (binding,) = Registrar().take(a_register(contact, expires=expires)).bindings
    assert binding.expires_at == NOW + granted_s


def test_too_short_a_time_is_refused_with_the_least_there_is():
    with pytest.raises(IntervalTooBrief) as caught:
        Registrar().take(a_register(DESK, expires="59"))
    assert (caught.value.status, caught.value.headers) == (423, (("Min-Expires", "60"),))


def test_an_hour_is_never_too_short():
    """Step 7: what is refused as too brief is shorter than an hour."""
    (binding,) = Registrar(Limits(min_s=7200, max_s=86_400)).take(a_register(DESK, expires="3600")).bindings
    assert binding.remaining_s(NOW) == 3600


@given(asked=st.integers(60, 100_000), chance=st.floats(0, 1, exclude_max=True), now=st.floats(0, 1e7))
def test_what_is_granted_is_spread_never_over_what_was_asked_and_never_under_the_least(asked, chance, now):
    registrar = Registrar(Limits(min_s=60, max_s=3600, jitter=0.1), chance, now)
    (binding,) = registrar.take(a_register(DESK, expires=str(asked))).bindings
    granted_s = binding.remaining_s(now)
    assert max(60, int(min(asked, 3600) * 0.9)) <= granted_s <= min(asked, 3600)


def test_phones_that_ask_for_the_same_get_different_times():
    granted = set()
    for chance in (0.0, 0.25, 0.5, 0.75, 0.999_999):
        decision = Registrar(Limits(jitter=0.1), chance).take(a_register(DESK, expires="3600"))
        granted.add(decision.bindings[0].remaining_s(NOW))
    assert len(granted) == 5
    assert (min(granted), max(granted)) == (3240, 3600)


def test_zero_takes_a_binding_back_and_leaves_the_others():
    registrar = Registrar()
    registrar.take(a_register(DESK))
    registrar.take(a_register(CELL, call_id="two@cell"), origin("192.0.2.30"))
    decision = registrar.take(a_register(f"{DESK};expires=0", cseq=2))
    assert kinds(decision) == [UNREGISTERED]
    assert registrar.contacts == [CELL_URI]


def test_taking_back_what_is_not_there_is_harmless():
    decision = Registrar().take(a_register(DESK, expires="0"))
    assert (decision.changes, decision.bindings) == ((), ())


# Step 7: which binding it is


@pytest.mark.parametrize(
    "same",
    ["<sip:101@192.0.2.20:5062;ob>", "sip:101@192.0.2.20:5062", "<sip:%31%301@192.0.2.20:5062>"],
)
def test_contacts_that_mean_the_same_are_one_binding(same):
    registrar = Registrar()
    registrar.take(a_register(DESK))
    decision = registrar.take(a_register(same, cseq=2))
    assert len(decision.bindings) == 1
    assert decision.changes[0].kind in (REFRESHED, MOVED)


@pytest.mark.parametrize("other", ["<sips:101@192.0.2.20:5062>", "<sip:101@192.0.2.20:5062;transport=tcp>"])
def test_contacts_that_mean_something_else_are_two_bindings(other):
    registrar = Registrar()
    registrar.take(a_register(DESK))
    registrar.take(a_register(other, cseq=2))
    assert len(registrar.bindings) == 2


def test_a_nul_that_is_escaped_ends_nothing():
    """RFC 4475 §3.1.1.4."""
    registrar = Registrar()
    registrar.take(a_register("<sip:%00@host5.example.com>", "<sip:%00%00@host5.example.com>"))
    assert registrar.contacts == ["sip:%00@host5.example.com", "sip:%00%00@host5.example.com"]


@pytest.mark.parametrize(
    ("name", "count"), [("cparam01", 1), ("cparam02", 1), ("regescrt", 1), ("escnull", 2)]
)
def test_strange_but_right_registrations_are_taken(name, count):
    """RFC 4475."""
    registrar = Registrar()
    registrar.take(request(vector("rfc4475", name)))
    assert len(registrar.bindings) == count
    again = registrar.take(request(vector("rfc4475", name).replace(b"Call-ID: ", b"Call-ID: 2")))
    assert kinds(again) == [REFRESHED] * count


def test_a_contact_whose_parameters_could_be_the_uri_s_is_refused():
    """RFC 4475 §3.1.2.13."""
    with pytest.raises(BadHeader):
        Registrar().take(request(vector("rfc4475", "regbadct")))


# Step 7: order


def test_an_older_request_of_the_same_call_id_is_refused():
    registrar = Registrar()
    registrar.take(a_register(DESK, cseq=5))
    for late in (a_register(DESK, cseq=4), a_register(f"{DESK};expires=0", cseq=4)):
        with pytest.raises(OutOfOrder) as caught:
            registrar.take(late)
        assert caught.value.status == 500
    assert registrar.contacts == [DESK_URI]


def test_the_same_request_once_more_is_answered_and_does_nothing():
    registrar = Registrar()
    first = registrar.take(a_register(DESK, expires="600"))
    registrar.now += 40
    again = registrar.take(a_register(DESK, expires="600"))
    assert (again.bindings, again.changes) == (first.bindings, ())
    assert contacts(again) == [f"{DESK};expires=560"]


def test_the_number_of_a_registration_does_not_take_it_back():
    registrar = Registrar()
    registrar.take(a_register(DESK, cseq=5))
    with pytest.raises(OutOfOrder):
        registrar.take(a_register(f"{DESK};expires=0", cseq=5))


def test_another_call_id_counts_anew():
    registrar = Registrar()
    registrar.take(a_register(DESK, cseq=5))
    decision = registrar.take(a_register(DESK, cseq=1, call_id="after a restart".replace(" ", "-")))
    assert kinds(decision) == [REFRESHED]
    assert decision.bindings[0].cseq == 1


def test_all_contacts_are_taken_or_none():
    registrar = Registrar()
    registrar.take(a_register(DESK, cseq=5))
    for bad in ("<mailto:x@example.com>", f"{CELL};expires=1"):
        with pytest.raises(RegisterRefused):
            registrar.take(a_register(f"{DESK};expires=0", "<sip:new@192.0.2.40>", bad, cseq=6))
        assert registrar.contacts == [DESK_URI]


def test_several_contacts_of_one_request_live_beside_each_other():
    registrar = Registrar()
    for cseq in (1, 2):
        registrar.take(a_register(f"{DESK};{ONE}", f"{CELL};{ONE}", cseq=cseq))
        assert registrar.contacts == [DESK_URI, CELL_URI]
    assert kinds(registrar.decisions[-1]) == [REFRESHED, REFRESHED]


# What can be no Contact


@pytest.mark.parametrize("contact", ["<mailto:x@example.com>", "<tel:+48223809887>", "<urn:service:sos>"])
def test_a_contact_is_a_sip_uri(contact):
    with pytest.raises(BadContact) as caught:
        Registrar().take(a_register(contact))
    assert caught.value.status == 400


@pytest.mark.parametrize(
    "contact",
    [
        "<sip:101@192.0.2.1>",
        "<sip:101@192.0.2.1:5060;transport=udp>",
        "<sip:101@PBX.example.com>",
        "<sips:101@pbx.example.com>",
        "<sip:101@[2001:db8:0::1]:5060>",
    ],
)
def test_a_contact_that_leads_back_to_the_server_is_refused(contact):
    own = frozenset(
        {Address("pbx.example.com", 5060), Address("pbx.example.com", 5061), Address("2001:db8::1", 5060)}
    )
    with pytest.raises(OwnContact) as caught:
        Registrar(Limits(own=own)).take(a_register(contact))
    assert caught.value.status == 403


def test_a_phone_on_the_server_s_own_machine_registers():
    assert Registrar().take(a_register("<sip:101@192.0.2.1:5080>")).bindings


@pytest.mark.parametrize(
    "message",
    [
        a_register(f"<sip:{'1' * 1100}@192.0.2.20>"),
        a_register(DESK, call_id="c" * 1100),
        a_register(DESK, call_id="a\0b"),
        a_register(DESK, call_id="b\x1b[2J"),
        a_register(f'{DESK};+sip.instance="\0"'),
        a_register(DESK, Path=f"<sip:{'p' * 1100}@192.0.2.9;lr>"),
    ],
)
def test_what_no_row_can_hold_is_refused_before_it_harms_others(message):
    with pytest.raises(NotStorable) as caught:
        Registrar().take(message)
    assert caught.value.status == 400


def test_a_strange_user_agent_is_made_readable_and_never_refused():
    (binding,) = Registrar().take(a_register(DESK, user_agent="Phone\0 1\x1b" + "x" * 500)).bindings
    assert binding.user_agent is not None
    assert binding.user_agent.startswith("Phone\ufffd 1\ufffdxxx")
    assert len(binding.user_agent) == 200
    assert Registrar().take(a_register(DESK, user_agent=None)).bindings[0].user_agent is None


# How many


def fill(registrar: Registrar) -> None:
    for i in range(registrar.limits.bindings):
        host = f"192.0.2.{100 + i}"
        registrar.take(a_register(f"<sip:101@{host}>", call_id=f"{i}@x"), origin(host))


def test_a_line_has_so_many_contacts_and_no_more():
    registrar = Registrar()
    fill(registrar)
    with pytest.raises(TooManyBindings) as caught:
        registrar.take(a_register(DESK))
    assert caught.value.status == 403
    assert "has its 3 contacts already" in dict(caught.value.headers)["Warning"]
    assert len(registrar.bindings) == 3


def test_more_contacts_than_could_ever_be_granted_are_not_looked_at():
    many = [f"<sip:{i}@192.0.2.20>;expires=0" for i in range(7)]
    with pytest.raises(TooManyBindings):
        Registrar().take(a_register(*many))
    assert Registrar().take(a_register(*many[:6])).bindings == ()


def test_on_a_full_line_the_others_are_refreshed_and_one_may_replace_another():
    registrar = Registrar()
    fill(registrar)
    registrar.take(a_register("<sip:101@192.0.2.100>", call_id="0@x", cseq=2), origin("192.0.2.100"))
    registrar.take(a_register("<sip:101@192.0.2.100>;expires=0", DESK, call_id="0@x", cseq=3))
    assert registrar.contacts == [DESK_URI, "sip:101@192.0.2.101", "sip:101@192.0.2.102"]


def test_who_has_more_than_a_new_limit_allows_keeps_them():
    registrar = Registrar()
    fill(registrar)
    registrar.limits = Limits(bindings=1)
    registrar.take(a_register("<sip:101@192.0.2.100>", call_id="0@x", cseq=2), origin("192.0.2.100"))
    assert len(registrar.bindings) == 3


def test_on_a_full_line_who_is_out_of_reach_gives_way():
    registrar = Registrar()
    fill(registrar)
    decision = registrar.take(a_register(DESK), dead=[registrar.bindings[1].key])
    assert kinds(decision) == [REGISTERED, DISPLACED]
    assert registrar.contacts == ["sip:101@192.0.2.100", "sip:101@192.0.2.102", DESK_URI]


# Which phone it is


def test_the_same_instance_with_a_new_contact_has_moved():
    registrar = Registrar()
    registrar.take(a_register(f"{DESK};{ONE}"))
    registrar.now += 10
    decision = registrar.take(a_register(f"{CELL};{ONE}", call_id="two"), origin("192.0.2.30"))
    assert kinds(decision) == [MOVED]
    assert registrar.contacts == [CELL_URI]
    assert decision.bindings[0].registered_at == NOW
    assert contacts(decision) == [f"{CELL};expires=3600;{ONE}"]


@pytest.mark.parametrize("instance", ["", f";{ONE}"])
@pytest.mark.parametrize("is_old_first", [True, False])
def test_a_register_that_takes_one_contact_back_for_another_is_a_move(instance, is_old_first):
    registrar = Registrar()
    registrar.take(a_register(f"{DESK}{instance}"))
    both = [f"{DESK};expires=0{instance}", f"{CELL}{instance}"]
    decision = registrar.take(a_register(*(both if is_old_first else both[::-1]), cseq=2))
    assert kinds(decision) == [MOVED]
    assert registrar.contacts == [CELL_URI]


def test_two_instances_behind_one_address_are_two_phones():
    registrar = Registrar()
    registrar.take(a_register(f"{DESK};{ONE}"))
    registrar.take(a_register(f"{CELL};{OTHER}", call_id="two"))
    assert len(registrar.bindings) == 2


def test_a_phone_that_lost_power_displaces_what_it_had():
    registrar = Registrar()
    registrar.take(a_register("<sip:101-0x7f01@192.0.2.20:5062>"))
    decision = registrar.take(a_register("<sip:101-0x7f02@192.0.2.20:5062>", call_id="two"))
    assert kinds(decision) == [DISPLACED, REGISTERED]
    assert registrar.contacts == ["sip:101-0x7f02@192.0.2.20:5062"]


def test_over_a_connection_the_port_may_be_new():
    registrar = Registrar()
    registrar.take(a_register("<sip:101@10.0.0.5:40001>"), origin(port=40_001, transport=Transport.TLS))
    decision = registrar.take(
        a_register("<sip:101@10.0.0.5:40002>", call_id="two"), origin(port=40_002, transport=Transport.TLS)
    )
    assert kinds(decision) == [DISPLACED, REGISTERED]


@pytest.mark.parametrize(
    ("second", "by"),
    [
        # The same model behind the same NAT
        (a_register("<sip:101@10.0.0.6:5062>", call_id="two"), origin(port=5063)),
        (a_register("<sip:101@10.0.0.6:5062>", call_id="two"), origin(port=5063, transport=Transport.TCP)),
        # Another phone from the same place
        (a_register("<sip:101@10.0.0.5:5070>", call_id="two", user_agent="other"), UDP),
        (a_register("<sip:101@10.0.0.5:5070>", call_id="two", user_agent=None), UDP),
        # The same phone, which wants another Contact beside the first
        (a_register("<sip:101@10.0.0.5:5070>", cseq=2), UDP),
        # Through a proxy, from whose address all phones come
        (a_register("<sip:101@10.0.0.5:5070>", call_id="two", vias=2), UDP),
        # Another program on the same machine
        (a_register("<sip:101@10.0.0.5:5070>", call_id="two"), origin(port=5070)),
    ],
)
def test_who_may_be_another_phone_displaces_nothing(second, by):
    for transport in (Transport.UDP, Transport.TCP):
        registrar = Registrar()
        registrar.take(a_register("<sip:101@10.0.0.5:5062>"), origin(transport=transport))
        if transport is Transport.TCP and by.transport is Transport.UDP:
            continue
        registrar.take(second, by)
        assert len(registrar.bindings) == 2


# Instance and reg-id (RFC 5626)


def test_flows_of_one_instance_live_beside_each_other_and_each_replaces_itself():
    registrar = Registrar()
    registrar.take(a_register(f"{DESK};{ONE};reg-id=1", Supported="path, outbound"))
    registrar.take(a_register(f"{DESK};{ONE};reg-id=2", call_id="flow2"), origin(port=5063))
    assert [each.reg_id for each in registrar.bindings] == [1, 2]
    decision = registrar.take(a_register(f"{CELL};{ONE};reg-id=1", call_id="new", Supported="outbound"))
    assert kinds(decision) == [MOVED]
    assert sorted((each.reg_id, each.contact) for each in decision.bindings) == [(1, CELL_URI), (2, DESK_URI)]


def test_a_phone_that_has_one_flow_only_displaces_those_it_had():
    registrar = Registrar()
    registrar.take(a_register(f"{DESK};{ONE};reg-id=1"))
    registrar.take(a_register(f"{DESK};{ONE};reg-id=2", call_id="flow2"), origin(port=5063))
    registrar.take(a_register(f"{CELL};{ONE}", call_id="two"), origin("192.0.2.30"))
    assert registrar.contacts == [CELL_URI]
    registrar.take(a_register(f"{DESK};{ONE};reg-id=1", call_id="three"))
    assert registrar.contacts == [DESK_URI]


def test_outbound_is_granted_with_the_time_in_which_the_flow_is_to_be_heard():
    decision = Registrar().take(a_register(f"{DESK};{ONE};reg-id=1", Supported="path, outbound"))
    assert decision.headers[1:] == (("Require", "outbound"), ("Flow-Timer", "120"))
    assert decision.headers[0][1].endswith(f"{ONE};reg-id=1")


@pytest.mark.parametrize(
    ("contact", "supported"), [(f"{DESK};{ONE}", "outbound"), (f"{DESK};{ONE};reg-id=1", "path"), (DESK, "")]
)
def test_outbound_is_granted_only_to_who_asks_for_it(contact, supported):
    decision = Registrar().take(a_register(contact, Supported=supported))
    assert [name for name, _ in decision.headers] == ["Contact"]


def test_a_reg_id_without_an_instance_says_nothing():
    (binding,) = Registrar().take(a_register(f"{DESK};reg-id=1", Supported="outbound")).bindings
    assert binding.reg_id is None


def test_a_proxy_that_keeps_no_flows_is_told_of_and_without_outbound_passed_over():
    """RFC 5626 §6."""
    contact = f"{DESK};{ONE};reg-id=1"
    for path in ({}, {"Path": "<sip:far.example.com;lr;ob>, <sip:near.example.com;lr>"}):
        with pytest.raises(FirstHopLacksOutbound) as caught:
            Registrar().take(a_register(contact, vias=2, Supported="outbound", **path))
        assert caught.value.status == 439
        assert Registrar().take(a_register(contact, vias=2, **path)).bindings[0].reg_id is None
    path = {"Path": "<sip:far.example.com;lr>, <sip:near.example.com;lr;ob>"}
    decision = Registrar().take(a_register(contact, vias=2, Supported="path, outbound", **path))
    assert decision.bindings[0].reg_id == 1
    assert decision.headers[1:] == (("Path", path["Path"]), ("Require", "outbound"))


# Path (RFC 3327)

PATH = "<sip:p2.example.com;lr>, <sip:p1.example.com;lr>"


def test_path_is_kept_and_told_to_who_knows_it():
    decision = Registrar().take(a_register(DESK, vias=3, Supported="path", Path=PATH))
    assert decision.bindings[0].path == ("<sip:p2.example.com;lr>", "<sip:p1.example.com;lr>")
    assert ("Path", PATH) in decision.headers
    decision = Registrar().take(a_register(DESK, vias=3, Path=PATH))
    assert len(decision.bindings[0].path) == 2
    assert [name for name, _ in decision.headers] == ["Contact"]


def test_a_strict_registrar_refuses_a_path_that_the_phone_does_not_know():
    strict = Limits(is_path_strict=True)
    with pytest.raises(PathNotSupported) as caught:
        Registrar(strict).take(a_register(DESK, Path=PATH))
    assert (caught.value.status, caught.value.headers) == (420, (("Unsupported", "path"),))
    assert Registrar(strict).take(a_register(DESK, Path=PATH, Require="path")).bindings


# Time


def test_what_has_lapsed_counts_no_more_and_is_told():
    registrar = Registrar()
    fill(registrar)
    registrar.now += 3600
    decision = registrar.take(a_register(DESK))
    assert kinds(decision) == [EXPIRED, EXPIRED, EXPIRED, REGISTERED]
    assert registrar.contacts == [DESK_URI]


def test_the_device_is_who_the_caller_says():
    decision = register(a_register(DESK), AOR, UDP, (), NOW, LIMITS, lambda: 0.0, device_id=17)
    assert decision.bindings[0].device_id == 17


@given(st.text(max_size=60), st.text(max_size=60), st.sampled_from(["0", "60", "x", "", "7200"]))
def test_whatever_a_contact_says_it_is_taken_or_refused(value, parameter, expires):
    message = a_register(DESK, expires=expires)
    message.headers.set("Contact", DESK)
    try:
        message.headers.set("Contact", f"<sip:{value}@h>;{parameter}")
    except ValueError:
        return
    try:
        decision = Registrar().take(message)
    except (RegisterRefused, BadHeader):
        return
    assert len(decision.bindings) <= 1
    assert all(text.isprintable() for binding in decision.bindings for text in binding.key[:1])


CONTACTS = st.builds(
    "<sip:{}@192.0.2.{}>{}{}{}".format,
    st.sampled_from("ab"),
    st.integers(20, 22),
    st.sampled_from(["", f";{ONE}", f";{OTHER}"]),
    st.sampled_from(["", ";reg-id=1", ";reg-id=2"]),
    st.sampled_from(["", ";expires=0", ";expires=100"]),
)
REGISTERS = st.tuples(
    st.lists(CONTACTS, max_size=3),
    st.integers(1, 20),
    st.sampled_from(["one", "two"]),
    st.sampled_from([origin(), origin(port=9), origin("192.0.2.9"), origin(transport=Transport.TCP)]),
    st.sampled_from([0, 0, 50]),
)


@given(st.lists(REGISTERS, max_size=15))
def test_what_is_told_leads_from_what_was_bound_to_what_is(steps):
    registrar = Registrar()
    for bound, cseq, call_id, by, wait_s in steps:
        registrar.now += wait_s
        held = {each.key: each for each in registrar.bindings}
        try:
            decision = registrar.take(a_register(*bound, cseq=cseq, call_id=call_id), by)
        except RegisterRefused:
            assert {each.key: each for each in registrar.bindings} == held
            continue
        for change in decision.changes:
            if change.before is not None:
                assert held.pop(change.before.key) == change.before
            if change.kind in (REGISTERED, REFRESHED, MOVED):
                assert change.binding.key not in held
                held[change.binding.key] = change.binding
            else:
                assert held.pop(change.binding.key) == change.binding
            if change.kind is REFRESHED:
                assert change.before is not None
                assert change.before.key == change.binding.key
        assert held == {each.key: each for each in decision.bindings}
        assert len(held) == len(decision.bindings) <= LIMITS.bindings
        assert all(each.expires_at > registrar.now for each in decision.bindings)
        assert len(contacts(decision)) == len(held)
