"""What a phone of pyVoIP says and hears in a call."""

from __future__ import annotations

import asyncio
import re
import struct
import warnings
from array import array
from itertools import pairwise
from pathlib import Path

import pytest

from sip.testcall.audio import Audio, Codec, open_port
from sip.testcall.observed import Ended, Heard
from sip.testcall.phone import PhoneCall
from sip.testcall.tones import Ear, tone
from tests.sip.testcall.peer import HOST, LONGEST_S, Peer, peer

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    import audioop

HEAD = struct.Struct("!BBHII")
CODECS = {0: (audioop.lin2ulaw, audioop.ulaw2lin), 8: (audioop.lin2alaw, audioop.alaw2lin)}
"How samples are written and read, by payload type."


async def talk(end: Peer, codec: int = 0) -> PhoneCall:
    """The phone takes a call."""
    end.rings(body=end.sdp(codec=str(codec)))
    await end.hears("SIP/2.0 180")
    (call,) = end.phone.calls.values()
    call.answer()
    await end.hears("SIP/2.0 200")
    return call


async def heard_from(end: Peer) -> bytes:
    """The next packet of the phone's."""
    async with asyncio.timeout(LONGEST_S):
        return await asyncio.get_running_loop().sock_recv(end.audio, 2048)


def say(end: Peer, call: PhoneCall, hz: int, codec: int, packets: int = 20) -> None:
    """So many packets of a tone for the phone, at once."""
    port = call.RTPClients[0].inPort
    sound = tone(hz)
    for number in range(packets):
        payload = CODECS[codec][0](sound[number * 160 : number * 160 + 160].tobytes(), 2)
        end.audio.sendto(HEAD.pack(0x80, codec, number, number * 160, 7) + payload, (HOST, port))


@pytest.mark.parametrize("codec", list(CODECS))
async def test_a_phone_sends_its_tone_as_was_agreed(codec: int) -> None:
    async with peer() as end:
        end.phone.hz = 620
        await talk(end, codec)
        ear, told, numbers = Ear(), [], []
        while not told:
            packet = await heard_from(end)
            version, kind, number, stamp, _ = HEAD.unpack(packet[:12])
            assert (version, kind) == (0x80, codec)
            numbers.append((number, stamp))
            samples = array("h", CODECS[codec][1](packet[12:], 2))
            told += [each.hz for each in [ear.hears(samples)] if each is not None]
        assert told == [620]
        first, stamped = numbers[0]
        assert numbers == [((first + each) % 2**16, stamped + 160 * each) for each in range(len(numbers))]


@pytest.mark.parametrize("codec", list(CODECS))
async def test_a_phone_tells_of_the_tone_that_it_hears(codec: int) -> None:
    async with peer() as end:
        call = await talk(end, codec)
        say(end, call, 440, codec)
        heard = await end.sees(Heard)
        assert isinstance(heard, Heard)
        assert (heard.hz, heard.call) == (440, "call")
        assert heard.level_db == pytest.approx(-12, abs=0.5)


async def test_who_hears_nothing_tells_of_nothing() -> None:
    async with peer() as end:
        call = await talk(end)
        await heard_from(end)
        call.hangup()
        assert isinstance(ended := end.saw(Ended)[0], Ended)
        assert (ended.packets, ended.lost, end.saw(Heard)) == (0, 0, [])


async def test_packets_are_counted() -> None:
    async with peer() as end:
        call = await talk(end)
        say(end, call, 440, 0, packets=20)
        await end.sees(Heard)
        key = HEAD.pack(0x80, 101, 20, 3200, 7) + b"\x01\x00\x00\xa0"
        for noise in (b"no audio", b"", b"\x80", key):
            end.audio.sendto(noise, (HOST, call.RTPClients[0].inPort))
        end.audio.sendto(HEAD.pack(0x80, 0, 25, 4000, 7) + bytes(160), (HOST, call.RTPClients[0].inPort))
        while call.RTPClients[0].audio.reception.packets < 21:
            await heard_from(end)
        call.hangup()
        assert isinstance(ended := end.saw(Ended)[0], Ended)
        assert (ended.packets, ended.lost) == (21, 5)


async def test_a_call_that_is_renegotiated_speaks_to_the_new_place() -> None:
    async with peer() as end, peer() as other:
        await talk(end)
        await heard_from(end)
        end.says(end.request("INVITE", 2, tag="any", body=other.sdp()))
        answer = await end.hears("SIP/2.0 200")
        assert "\r\nCSeq: 2 INVITE\r\n" in answer
        await heard_from(other)
        assert len(end.phone.calls) == 1


async def test_audio_may_have_an_address_of_its_own() -> None:
    async with peer() as end:
        own = end.sdp() + f"c=IN IP4 {HOST}\r\n"
        end.rings(body=own.replace(f"c=IN IP4 {HOST}", "c=IN IP4 192.0.2.1", 1))
        await end.hears("SIP/2.0 180")
        end.phone.calls["call"].answer()
        await heard_from(end)


async def test_a_caller_leaves_the_choice_of_the_codec() -> None:
    async with peer() as end:
        end.phone.call("102")
        invite = await end.hears("INVITE")
        assert re.search(r"\r\nm=audio \d+ RTP/AVP 0 8 101\r\n", invite)
        end.answers(invite, "200 OK", "Contact: <sip:theirs@192.0.2.9>", body=end.sdp(codec="8"))
        assert HEAD.unpack((await heard_from(end))[:12])[1] == 8


async def test_a_call_ends_with_all_that_it_had() -> None:
    async with peer() as end:
        before = open_files()
        call = await talk(end)
        await heard_from(end)
        call.hangup()
        end.rings(call_id="refused")
        await end.hears("SIP/2.0 180")
        end.phone.calls["refused"].refuse(486)
        end.phone.call("102").close()
        assert end.phone.calls == end.phone.ports == {}
        assert open_files() == before


async def test_a_phone_ends_with_all_that_it_had() -> None:
    before = open_files()
    async with peer() as end:
        end.rings()
        await end.hears("SIP/2.0 180")
        dialled = end.phone.call("102")
        end.phone.calls["call"].answer()
        end.rings(call_id="second")
        await end.hears("SIP/2.0 180")
    assert open_files() == before
    # As pyVoIP does when it forgets a call.
    end.phone.release_ports(dialled)


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def test_numbers_of_packets_begin_anew() -> None:
    with open_port(HOST) as listener:
        audio = Audio(open_port(HOST), 440, lambda _: None, first=2**16 - 2)
        audio.start(Codec(0, lambda samples: samples.tobytes(), lambda _: None), 7, listener.getsockname)
        async with asyncio.timeout(LONGEST_S):
            packets = [await asyncio.get_running_loop().sock_recv(listener, 2048) for _ in range(4)]
        audio.stop()
    heads = [HEAD.unpack(packet[:12]) for packet in packets]
    assert [number for _, _, number, _, _ in heads] == [2**16 - 2, 2**16 - 1, 0, 1]
    assert {after - before for before, after in pairwise(stamp for _, _, _, stamp, _ in heads)} == {160}


async def test_a_phone_speaks_on_where_nobody_listens() -> None:
    with open_port(HOST) as deaf:
        nowhere = deaf.getsockname()
    audio = Audio(open_port(HOST), 440, lambda _: None)
    written: list[int] = []
    has_gone_on = asyncio.Event()

    def write(samples: array[int]) -> bytes:
        written.append(len(samples))
        if len(written) == 5:
            has_gone_on.set()
        return samples.tobytes()

    audio.start(Codec(0, write, lambda _: None), 7, lambda: nowhere)
    async with asyncio.timeout(LONGEST_S):
        await has_gone_on.wait()
    audio.stop()
