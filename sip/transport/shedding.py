"""Under more REGISTERs than can be served: whose come in, so that those are served whole.

To read what can't be served takes the time that serving would take, and whoever gets a challenge has gained
nothing if the credentials are lost then. So phones are let in or kept out as a whole, by where they are, and
by the system itself: what it drops costs us nothing. As those who are in have registered and are silent, more
are let in. Who is kept out sends again (RFC 3261 §17.1.2.2). Other requests, and answers, always come in.
"""

from __future__ import annotations

import ctypes
import secrets
import socket
import struct

from sip.transport.intake import Counts, Waiting

_EVERY = 1 << 16
"As a share: all of them."
_LEAST = _EVERY // 512
_LATE_S, _SOON_S = 0.1, 0.02
"What waits for longer is too much; where everything is served within the other, there is room for more."
_LEAST_KEPT, _NEARLY_ALL = 0.25, 0.95
"Of the share, at one look, where there is too much; what is above will pass by itself."
_LEAST_MORE, _MOST_MORE = 1.1, 2.0
"""Times the share, at one look, where there is room: who was kept out comes all at once, and to read what is
too much costs as much as to serve some of it."""
_PACE = 2_000.0
"Datagrams that are served in a second, until it is known how many."
_NEWS = 0.3
"What the latest pace counts beside those before."
_ANSWER = 4
"One of so many strangers that are asked for credentials has to bring them."
_LONG_NEWS = 0.03
"What the latest look counts in that: of dozens in a tenth of a second, chance makes phones."
_TURN_S = 30.0
"After which others have their turn; less, and fewer would be served in the end before they give up."

REVIEW_S = 0.1
"How often to look."
_IDLE_S = 0.5
"After which there was nothing to look at for a while: how much was served since says nothing."


class Shedding:
    """Decides which share is let in, by how it goes. Times are loop times, in seconds."""

    def __init__(self) -> None:
        self.share = _EVERY
        "Of 65536."
        self._salts = (0, 0, 0)
        self._turn_ends = 0.0
        self._pace = _PACE
        self._asked = self._brought = 0.0
        "Of strangers at a look of late."
        self._looked_at = 0.0

    @property
    def is_on(self) -> bool:
        """Whether anybody is kept out."""
        return self.share < _EVERY

    def review(self, waiting: Waiting, went: Counts, now: float) -> None:
        """What waits, and what became of datagrams since the last look: the intake's."""
        lasted_s, self._looked_at = now - self._looked_at, now
        if 0 < lasted_s < _IDLE_S:
            pace = went.served / lasted_s
            if waiting.number or pace > self._pace:
                self._pace += _NEWS * (pace - self._pace)
        self._asked += _LONG_NEWS * (went.asked - self._asked)
        self._brought += _LONG_NEWS * (went.brought - self._brought)
        # The oldest may wait for nothing but its end, where the newest go first; and a burst is no pace.
        waits_s = min(waiting.first_s, waiting.number / max(self._pace, 1.0))
        if self._is_too_much(waits_s, went):
            kept = max(went.served / max(went.come, 1), _LEAST_KEPT)
            if kept < _NEARLY_ALL:
                self.share = max(int(self.share * kept), _LEAST)
        elif waits_s < _SOON_S:
            room = self._pace * lasted_s / max(went.come, 1)
            more = min(max(room, _LEAST_MORE), _MOST_MORE)
            self.share = min(int(self.share * more) + 1, _EVERY)
        if now >= self._turn_ends:
            self._turn_ends = now + _TURN_S
            first, second, third = (secrets.randbits(32) | 1 for _ in range(3))
            self._salts = first, second, third

    def _is_too_much(self, waits_s: float, went: Counts) -> bool:
        """Whether more has come than can be served.

        Strangers who never come back with credentials are no phones: those who are known go before them, and
        to keep out some of all would help nobody but them. Nor would it where most of what came is something
        that can't be kept out.
        """
        are_phones = self._brought * _ANSWER >= self._asked and went.registers * 2 > went.come
        return waits_s > _LATE_S or went.lost > 0 or (went.turned_away > 0 and are_phones)

    def filter(self) -> bytes:
        """What the system is to let in: a program of classic BPF (bpf(4), <linux/filter.h>), for UDP sockets.

        It sees a datagram from its UDP header on. Sources are told apart by a sum of what their addresses
        differ in, each part times a salt: nobody outside can tell who is let in, or have others kept out.
        """
        first, second, third = self._salts
        return b"".join(
            struct.pack("=HBBI", *each)
            for each in (
                (_LOAD_WORD, 0, 0, _PAYLOAD),
                (_JUMP_IF_EQUAL, 0, 12, int.from_bytes(b"REGI", "big")),
                # The source's last word of IPv4, or the second of IPv6.
                (_LOAD_WORD, 0, 0, _IP_HEADER + 12),
                (_MULTIPLY, 0, 0, first),
                (_KEEP, 0, 0, 0),
                # The ports of UDP, behind IPv4; or the last word of IPv6.
                (_LOAD_WORD, 0, 0, _IP_HEADER + 20),
                (_MULTIPLY, 0, 0, second),
                (_ADD_KEPT, 0, 0, 0),
                (_KEEP, 0, 0, 0),
                (_LOAD_HALF, 0, 0, _SOURCE_PORT),
                (_MULTIPLY, 0, 0, third),
                (_ADD_KEPT, 0, 0, 0),
                (_SHIFT_RIGHT, 0, 0, 16),
                (_JUMP_IF_ABOVE, 1, 0, self.share - 1),
                (_RETURN, 0, 0, 0xFFFFFFFF),
                (_RETURN, 0, 0, 0),
            )
        )


_LOAD_WORD, _LOAD_HALF, _KEEP, _ADD_KEPT, _MULTIPLY, _SHIFT_RIGHT = 0x20, 0x28, 0x07, 0x0C, 0x24, 0x74
_JUMP_IF_EQUAL, _JUMP_IF_ABOVE, _RETURN = 0x15, 0x25, 0x06
_SOURCE_PORT, _PAYLOAD = 0, 8
_IP_HEADER = 0xFFF00000
"`SKF_NET_OFF`: what follows is counted from there."
_SO_ATTACH_FILTER, _SO_DETACH_FILTER = 26, 27
"Of <asm-generic/socket.h>, which Python's `socket` doesn't name."


def attach(where: socket.socket, program: bytes) -> None:
    """Has the system drop what `program` doesn't let in. Raises `OSError`."""
    held = ctypes.create_string_buffer(program, len(program))
    where.setsockopt(
        socket.SOL_SOCKET,
        _SO_ATTACH_FILTER,
        struct.pack("@HP", len(program) // 8, ctypes.addressof(held)),
    )


def detach(where: socket.socket) -> None:
    """Lets everything in again. Raises `OSError`."""
    where.setsockopt(socket.SOL_SOCKET, _SO_DETACH_FILTER, 0)
