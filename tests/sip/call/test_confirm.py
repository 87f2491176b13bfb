"""A call that is no call: what was dialled is done, and the caller is told so (RFC 3261 §13.3.1.4, §15)."""

from __future__ import annotations

from typing import Any

import pytest

from sip.call.story import EndedBy
from sip.call.tree.done import Done
from sip.message.sdp import parse_sdp
from tests.sip.call.phones import Switchboard, calling, sdp


@pytest.fixture
def board() -> Switchboard:
    return Switchboard()


@pytest.mark.parametrize("body", [sdp(4000), b""])
def test_who_dialled_a_code_is_answered_without_media_and_hung_up(board: Switchboard, body: bytes):
    done: Any = Done
    board.routes["*26"] = done
    alice = board.phone("101")
    invite = alice.invite("*26", body)
    response = alice.response("200 INVITE")
    assert all(stream.port == 0 for stream in parse_sdp(response.body).media)
    assert len(parse_sdp(response.body).media) == (1 if body else 0)
    # A BYE waits for the ACK.
    alice.assert_silence()
    talk = calling(alice, invite, response)
    talk.acks(invite)
    alice.says(alice.request("BYE"), 200)
    assert board.kinds() == ["CallBegan", "CallEnded"]
    assert board.ended() == (EndedBy.SERVICE, 200)
    board.assert_nothing_is_left()


def test_who_never_acknowledges_it_is_forgotten(board: Switchboard):
    done: Any = Done
    board.routes["*26"] = done
    board.phone("101").invite("*26")
    board.assert_nothing_is_left()
