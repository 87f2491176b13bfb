"""Damaged copies of good messages, the same ones each time."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

PIECES = tuple(
    text.encode("utf-8", "surrogateescape")
    for text in (
        *"\r\n\0\udcff\u0105 \t:;,=<>\"\\%@?&[]/*0",
        *("\r\n", "\r\n ", "\r\n\r\n", "%00", "%41", "::", "[::1]", "-1", "4294967296", "9" * 20),
        *("Content-Length: 5\r\n", "l: 1\r\n", "Via: SIP/2.0/UDP a\r\n", "v:", "X-Hdr : a\r\n"),
        *(";tag=", ";branch=", ";rport", ";received=", ";q=0.5", "SIP/2.0", "sip:"),
        *("Digest ", 'nonce="', "m=", "c=IN IP4 "),
    )
)
"What parsers stumble over."


def mutations(seeds: Sequence[bytes], count: int, seed: int) -> Iterator[bytes]:
    """So many, by a generator that begins with `seed`."""
    chance = random.Random(seed)  # noqa: S311
    for _ in range(count):
        data = bytearray(chance.choice(seeds))
        for _ in range(chance.randint(1, 6)):
            at = chance.randint(0, len(data))
            match chance.randrange(5):
                case 0:
                    data[at:at] = chance.choice(PIECES)
                case 1:
                    data[at : at + chance.randint(1, 20)] = chance.choice(PIECES)
                case 2:
                    del data[at : at + chance.randint(1, 20)]
                case 3:
                    other = chance.choice(seeds)
                    begin = chance.randint(0, len(other))
                    data[at:at] = other[begin : begin + chance.randint(1, 60)]
                case _:
                    data[at:at] = data[at : at + chance.randint(1, 40)] * chance.randint(1, 5)
        yield bytes(data)
