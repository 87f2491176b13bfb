"""A phone of pyVoIP does what a phone has to: each test fails without one of its overrides."""

from __future__ import annotations

import hashlib
import re

import pytest

from sip.testcall import resending, wording
from sip.testcall.observed import (
    Answered,
    Broke,
    By,
    Display,
    Ended,
    GaveUp,
    Progressed,
    Rang,
    Refused,
    StoppedRinging,
    TurnedDown,
)
from tests.sip.testcall.peer import HOST, Peer, peer

ROUTES = ("<sip:p1.example;lr>", "<sip:p2.example;lr>")
"Of the proxies between, in the order of a Record-Route."
RECORD_ROUTE = f"Record-Route: {', '.join(ROUTES)}"


def md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def parts(header: str) -> dict[str, str]:
    """Of credentials."""
    return {name: value.strip('"') for name, value in re.findall(r'(\w+)=("[^"]*"|[^\s,]+)', header)}


async def talks(end: Peer, *more: str) -> str:
    """The phone calls, and is answered; returns its INVITE."""
    end.phone.call("102")
    invite = await end.hears("INVITE")
    end.answers(invite, "200 OK", "Contact: <sip:theirs@192.0.2.9>", *more, body=end.sdp())
    return invite


# What it reads


@pytest.mark.parametrize(
    "odd",
    [
        pytest.param("Supported:", id="empty"),
        pytest.param("Supported:timer", id="no blank"),
        pytest.param("k: timer", id="short"),
        pytest.param("X-Note", id="no colon"),
    ],
)
async def test_it_rings_whatever_headers_there_are_beside(odd: str) -> None:
    async with peer() as end:
        end.rings(odd)
        await end.hears("SIP/2.0 180")


async def test_short_names_of_headers_are_read() -> None:
    async with peer() as end:
        short = {"Via": "v", "From": "f", "To": "t", "Call-ID": "i", "Contact": "m", "Content-Type": "c"}
        invite = end.request("INVITE", 1, body=end.sdp())
        for name, letter in short.items():
            invite = invite.replace(f"\r\n{name}:", f"\r\n{letter}:")
        end.says(invite)
        await end.hears("SIP/2.0 180")
        (rang,) = end.saw(Rang)
        assert isinstance(rang, Rang)
        assert rang.displays == (Display("From", "104", "Serwis"),)


async def test_a_name_with_a_colon_is_shown_whole() -> None:
    async with peer() as end:
        end.says(end.request("INVITE", 1, body=end.sdp()).replace('"Serwis"', '"Biuro: \\"A\\""'))
        rang = await end.sees(Rang)
        assert isinstance(rang, Rang)
        assert rang.displays == (Display("From", "104", 'Biuro: "A"'),)


async def test_all_that_may_be_shown_is_told() -> None:
    more = (
        f'P-Asserted-Identity: "Sprzedaz" <sip:600@{HOST}>',
        f"Remote-Party-ID: <sip:600@{HOST}>;party=calling",
        "Alert-Info: <http://127.0.0.1>;info=internal",
    )
    async with peer() as end:
        end.rings(*more)
        rang = await end.sees(Rang)
        assert isinstance(rang, Rang)
        assert rang.displays == (
            Display("From", "104", "Serwis"),
            Display("P-Asserted-Identity", "600", "Sprzedaz"),
            Display("Remote-Party-ID", "600", ""),
        )
        assert rang.alert == "<http://127.0.0.1>;info=internal"


async def test_it_says_that_it_is_there() -> None:
    async with peer() as end:
        end.says(end.request("OPTIONS", 1))
        assert "OPTIONS" in wording.values(await end.hears("SIP/2.0 200"), "Allow")[0]


async def test_it_answers_what_it_does_not_know() -> None:
    async with peer() as end:
        end.says(end.request("INFO", 1))
        await end.hears("SIP/2.0 405")
        end.says(end.request("BYE", 1, call_id="another"))
        await end.hears("SIP/2.0 481")


async def test_what_it_fails_on_is_told() -> None:
    async with peer() as end:
        end.says("INVITE sip:101@127.0.0.1 SIP/2.0\r\nCall-ID: x\r\n\r\n")
        assert isinstance(broke := await end.sees(Broke), Broke)
        assert "KeyError" in broke.what


async def test_it_hears_its_server_alone() -> None:
    async with peer() as end, peer() as other:
        other.server.sendto(other.request("OPTIONS", 1).encode(), (HOST, end.phone.sip.myPort))
        end.says(end.request("OPTIONS", 2, call_id="ours"))
        answer = await end.hears("SIP/2.0 200")
        assert wording.values(answer, "Call-ID") == ["ours"]


# What it asks


@pytest.mark.parametrize(
    ("status", "asks", "answers"),
    [
        ("407 Proxy Authentication Required", "Proxy-Authenticate", "Proxy-Authorization"),
        ("401 Unauthorized", "WWW-Authenticate", "Authorization"),
    ],
)
async def test_a_call_is_made_with_the_password_where_that_is_asked_for(
    status: str, asks: str, answers: str
) -> None:
    async with peer() as end:
        end.phone.call("102")
        first = await end.hears("INVITE")
        challenges = [
            f'{asks}: Digest realm="firma", nonce="n1", qop="auth", algorithm={algorithm}'
            for algorithm in ("SHA-512-256", "MD5")
        ]
        end.answers(first, status, *challenges)
        ack = await end.hears("ACK")
        assert wording.branch_of(ack) == wording.branch_of(first)
        second = await end.hears("INVITE")
        assert wording.branch_of(second) != wording.branch_of(first)
        assert [wording.values(each, "CSeq") for each in (first, second)] == [["1 INVITE"], ["2 INVITE"]]
        (header,) = wording.values(second, answers)
        said = parts(header)
        assert (said["uri"], said["nonce"], said["username"]) == (f"sip:102@{HOST}", "n1", "101")
        ha1, ha2 = md5("101:firma:secret"), md5(f"INVITE:{said['uri']}")
        assert said["response"] == md5(f"{ha1}:n1:{said['nc']}:{said['cnonce']}:auth:{ha2}")
        end.answers(second, status, *challenges)
        await end.sees(TurnedDown)


async def test_it_calls_from_its_aor_and_may_dial_any_key() -> None:
    async with peer() as end:
        end.phone.call("*21*102#")
        invite = await end.hears("INVITE")
        assert invite.startswith(f"INVITE sip:*21*102%23@{HOST} SIP/2.0")
        assert wording.uri_of(wording.values(invite, "From")[0]) == f"sip:101@{HOST}"


async def test_no_two_phones_use_a_call_id_twice() -> None:
    async with peer() as one, peer() as other:
        made = [each.phone.call("102").call_id for each in (one, other) for _ in range(3)]
        # Before the address, too: a phone that is started again may get the same port.
        assert len({call_id.partition("@")[0] for call_id in made}) == len(made)


async def test_it_listens_from_the_start_and_registers_while_it_rings() -> None:
    async with peer() as end:
        answered: list[int] = []
        end.phone.sip.register(answered.append)
        register = await end.hears("REGISTER")
        end.rings()
        await end.hears("SIP/2.0 180")
        assert answered == []
        end.answers(register, "200 OK")
        await end.sees(Rang)
        end.says(end.request("OPTIONS", 1, call_id="after"))
        await end.hears("SIP/2.0 200")
        assert answered == [200]


async def test_it_unregisters_while_it_goes_on_listening() -> None:
    async with peer() as end:
        answered: list[int] = []
        end.phone.sip.deregister(answered.append)
        register = await end.hears("REGISTER")
        assert wording.values(register, "Expires") == ["0"]
        end.says(end.request("OPTIONS", 1))
        await end.hears("SIP/2.0 200")
        end.answers(register, "200 OK")
        end.says(end.request("OPTIONS", 2, call_id="after"))
        await end.hears("SIP/2.0 200")
        assert answered == [200]


async def test_a_request_is_repeated_until_it_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resending, "_T1_S", 0.01)
    async with peer() as end:
        end.phone.sip.register(lambda _: None)
        first = await end.hears("REGISTER")
        assert await end.hears("REGISTER") == first


async def test_a_request_that_nobody_answers_counts_as_answered_by_408(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(resending, "_T1_S", 0.01)
    monkeypatch.setattr(resending, "LONGEST_S", 0.05)
    async with peer() as end:
        end.phone.call("102")
        down = await end.sees(TurnedDown)
        assert isinstance(down, TurnedDown)
        assert (down.status, end.phone.calls) == (408, {})


# As the caller


async def test_requests_in_a_dialog_go_along_the_route_set_with_its_tags() -> None:
    async with peer() as end:
        invite = await talks(end, RECORD_ROUTE)
        ack = await end.hears("ACK")
        (call,) = end.phone.calls.values()
        call.hangup()
        bye = await end.hears("BYE")
        for each, method, cseq in ((ack, "ACK", 1), (bye, "BYE", 2)):
            assert each.startswith(f"{method} sip:theirs@192.0.2.9 SIP/2.0")
            assert wording.values(each, "Route") == list(reversed(ROUTES))
            assert wording.values(each, "To") == [f"<sip:102@{HOST}>;tag=theirs"]
            assert wording.values(each, "From") == wording.values(invite, "From")
            assert wording.values(each, "CSeq") == [f"{cseq} {method}"]
        assert len({wording.branch_of(each) for each in (invite, ack, bye)}) == 3
        (ended,) = end.saw(Ended)
        assert isinstance(ended, Ended)
        assert ended.by is By.ITSELF


@pytest.mark.parametrize(
    "audio",
    [
        pytest.param("m=audio 0 RTP/AVP 0", id="refused"),
        pytest.param("m=audio 4000 RTP/AVP 97", id="of a format without a name"),
        pytest.param("m=audio 0 RTP/AVP 97\r\na=inactive", id="refused, of a format without a name"),
        pytest.param("", id="none"),
    ],
)
async def test_an_answer_without_audio_is_a_call_all_the_same(audio: str) -> None:
    async with peer() as end:
        end.phone.call("102")
        invite = await end.hears("INVITE")
        body = f"{end.sdp().partition('m=')[0]}{audio}\r\n".replace("\r\n\r\n", "\r\n")
        end.answers(invite, "200 OK", "Contact: <sip:theirs@192.0.2.9>", body=body)
        await end.hears("ACK")
        await end.sees(Answered)
        (call,) = end.phone.calls.values()
        assert (call.RTPClients, end.saw(Broke)) == ([], [])
        call.hangup()
        await end.hears("BYE")


async def test_an_answer_that_comes_again_is_acknowledged_again() -> None:
    async with peer() as end:
        invite = await talks(end)
        first = await end.hears("ACK")
        end.answers(invite, "200 OK", "Contact: <sip:theirs@192.0.2.9>", body=end.sdp())
        assert await end.hears("ACK") == first
        assert len(end.saw(Answered)) == 1


@pytest.mark.parametrize("status", ["404 Not Found", "486 Busy Here", "503 Nothing Works", "603 Decline"])
async def test_a_call_that_is_turned_down_is_over(status: str) -> None:
    async with peer() as end:
        end.phone.call("102")
        invite = await end.hears("INVITE")
        end.answers(invite, "180 Ringing")
        end.answers(invite, status)
        ack = await end.hears("ACK")
        assert wording.values(ack, "To") == [f"<sip:102@{HOST}>;tag=theirs"]
        (down,) = end.saw(TurnedDown)
        (progressed,) = end.saw(Progressed)
        assert isinstance(down, TurnedDown)
        assert isinstance(progressed, Progressed)
        assert (progressed.status, down.status) == (180, int(status[:3]))
        assert end.phone.calls == {}


async def test_it_gives_up_once_it_has_been_told_that_the_call_goes_on() -> None:
    async with peer() as end:
        call = end.phone.call("102")
        invite = await end.hears("INVITE")
        call.hangup()
        end.says(end.request("OPTIONS", 1, call_id="before"))
        await end.hears("SIP/2.0 200")
        # A CANCEL may only follow a provisional response (RFC 3261 §9.1).
        assert not end.has_heard("CANCEL")
        end.answers(invite, "100 Trying")
        cancel = await end.hears("CANCEL")
        assert wording.branch_of(cancel) == wording.branch_of(invite)
        assert wording.values(cancel, "CSeq") == ["1 CANCEL"]
        end.answers(cancel, "200 OK")
        end.answers(invite, "487 Request Terminated")
        await end.hears("ACK")
        assert len(end.saw(GaveUp)) == 1
        assert isinstance(down := end.saw(TurnedDown)[0], TurnedDown)
        assert down.status == 487


async def test_an_answer_that_crosses_its_cancel_is_hung_up() -> None:
    async with peer() as end:
        end.phone.call("102").hangup()
        invite = await end.hears("INVITE")
        end.answers(invite, "200 OK", "Contact: <sip:theirs@192.0.2.9>", body=end.sdp())
        await end.hears("ACK")
        await end.hears("BYE")
        assert end.phone.calls == {}


# As who is called


async def test_it_rings_at_once_and_names_itself() -> None:
    async with peer() as end:
        end.rings(RECORD_ROUTE)
        ringing = await end.hears("SIP/2.0 180")
        assert len(end.saw(Rang)) == 1
        assert wording.values(ringing, "Contact") == [f"<sip:101@{HOST}:{end.phone.sip.myPort}>"]
        assert wording.values(ringing, "Record-Route") == [RECORD_ROUTE.partition(": ")[2]]


async def test_it_answers_and_hangs_up_along_the_route_set() -> None:
    async with peer() as end:
        end.rings(RECORD_ROUTE)
        ringing = await end.hears("SIP/2.0 180")
        (call,) = end.phone.calls.values()
        call.answer()
        answer = await end.hears("SIP/2.0 200")
        assert wording.values(answer, "To") == wording.values(ringing, "To")
        assert wording.values(answer, "Record-Route") == [RECORD_ROUTE.partition(": ")[2]]
        assert end.saw(Answered) == []
        tag = wording.values(answer, "To")[0].partition(";tag=")[2]
        end.says(end.request("ACK", 1, tag=tag))
        await end.sees(Answered)
        call.hangup()
        bye = await end.hears("BYE")
        assert wording.values(bye, "Route") == list(ROUTES)
        assert bye.startswith(f"BYE sip:exchange@{HOST}:{end.server.getsockname()[1]} SIP/2.0")
        assert wording.values(bye, "To") == [f'"Serwis" <sip:104@{HOST}>;tag=caller']
        assert wording.values(bye, "From") == wording.values(answer, "To")


async def test_an_answer_is_repeated_until_it_is_acknowledged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resending, "_T1_S", 0.01)
    async with peer() as end:
        end.rings()
        await end.hears("SIP/2.0 180")
        (call,) = end.phone.calls.values()
        call.answer()
        assert await end.hears("SIP/2.0 200") == await end.hears("SIP/2.0 200")
        await end.hears("SIP/2.0 200")


async def test_an_invite_that_comes_again_gets_the_same_response() -> None:
    async with peer() as end:
        invite = end.rings()
        ringing = await end.hears("SIP/2.0 180")
        end.says(invite)
        assert await end.hears("SIP/2.0 180") == ringing
        assert len(end.saw(Rang)) == 1


@pytest.mark.parametrize("status", [486, 603, 480])
async def test_it_refuses_with_any_status(status: int) -> None:
    async with peer() as end:
        invite = end.rings()
        await end.hears("SIP/2.0 180")
        (call,) = end.phone.calls.values()
        call.refuse(status)
        refusal = await end.hears(f"SIP/2.0 {status}")
        end.says(invite)
        assert await end.hears(f"SIP/2.0 {status}") == refusal
        assert isinstance(refused := end.saw(Refused)[0], Refused)
        assert (refused.status, end.phone.calls) == (status, {})


async def test_a_refusal_is_repeated_until_it_is_acknowledged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resending, "_T1_S", 0.01)
    async with peer() as end:
        end.rings()
        await end.hears("SIP/2.0 180")
        (call,) = end.phone.calls.values()
        call.refuse(486)
        await end.hears("SIP/2.0 486")
        await end.hears("SIP/2.0 486")


async def test_a_cancelled_call_rings_no_longer_and_says_so() -> None:
    async with peer() as end:
        end.rings()
        ringing = await end.hears("SIP/2.0 180")
        end.says(end.request("CANCEL", 1, 'Reason: SIP;cause=200;text="Call completed elsewhere"'))
        assert wording.values(await end.hears("SIP/2.0 200"), "CSeq") == ["1 CANCEL"]
        terminated = await end.hears("SIP/2.0 487")
        assert wording.values(terminated, "To") == wording.values(ringing, "To")
        assert wording.values(terminated, "CSeq") == ["1 INVITE"]
        assert isinstance(stopped := end.saw(StoppedRinging)[0], StoppedRinging)
        assert stopped.reason == 'SIP;cause=200;text="Call completed elsewhere"'
        assert end.phone.calls == {}


async def test_a_cancel_that_crosses_the_answer_changes_nothing() -> None:
    async with peer() as end:
        end.rings()
        await end.hears("SIP/2.0 180")
        end.phone.calls["call"].answer()
        end.says(end.request("CANCEL", 1))
        await end.hears("SIP/2.0 200")
        assert wording.values(await end.hears("SIP/2.0 200"), "CSeq") == ["1 CANCEL"]
        assert (end.saw(StoppedRinging), list(end.phone.calls)) == ([], ["call"])


async def test_who_hangs_up_is_known() -> None:
    async with peer() as end:
        await talks(end)
        await end.hears("ACK")
        (call,) = end.phone.calls
        end.says(end.request("BYE", 1, call_id=call))
        await end.hears("SIP/2.0 200")
        assert isinstance(ended := end.saw(Ended)[0], Ended)
        assert ended.by is By.OTHER


async def test_a_call_without_audio_that_it_knows_is_refused() -> None:
    async with peer() as end:
        end.rings(body=end.sdp(codec="9"))
        await end.hears("SIP/2.0 488")
        assert len(end.saw(Broke)) == 1
        end.rings(call_id="without", body="")
        await end.hears("SIP/2.0 488")


async def test_it_is_busy_with_four_calls() -> None:
    async with peer() as end:
        for number in range(4):
            end.rings(call_id=f"call{number}")
            await end.hears("SIP/2.0 180")
        end.rings(call_id="one more")
        await end.hears("SIP/2.0 486")
        assert len(end.saw(Rang)) == 4
