"""Phones that call each other over UDP: `JSON` (a program). Prints as JSON how it went.

Half of them call, and the others answer at once; a call that is up is hung up by its caller. Callers have one
socket and callees another, and what each phone sends is like what a T46S sends. Nothing is sent again: on
loopback what is not answered in `PATIENCE_S` has failed. When an INVITE came to a callee is what the kernel
says: this program may still be answering the one before.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import select
import socket
import struct
import sys
import time
from collections import Counter, deque
from dataclasses import dataclass, field

PATIENCE_S = 8.0
_LATE_S = 0.05
_BURST = 32
_RUN = secrets.token_hex(4)
"What no other run calls its calls: the server still knows those (§8.2.2.2)."
_CALL = re.compile(rb"\r\nCall-ID: *(\d+)-")
_MARK = re.compile(rb"\r\na=call:(\d+)")
_CHALLENGE = re.compile(rb'nonce="([^"]+)"')
_RUNG = re.compile(rb"INVITE sip:(\d+)@")
_LIT = re.compile(rb'entity="sip:(\d+)@.*<state>(?:early|confirmed)<', re.DOTALL)
_TO = re.compile(rb"\r\nTo: *([^\r]+)")
_CONTACT = re.compile(rb"\r\nContact: *<([^>]+)>")
_COPIED = re.compile(rb"\r\n((?:Via|Record-Route|From|Call-ID|CSeq): [^\r]+)")
_TIMESPEC = struct.Struct("@qq")
_STAMPS = 35
"SO_TIMESTAMPNS of Linux, which `socket` does not name."
_ROOM = socket.CMSG_SPACE(_TIMESPEC.size)
_SDP = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 8\r\n"


@dataclass(frozen=True)
class Plan:
    """What is asked for."""

    port: int
    "Where the server is."
    callers: list[str]
    callees: list[str]
    callees_port: int
    password: str = ""
    "Of all lines; empty: the server asks nobody to log in."
    count: int = 0
    "Calls, when so many are under way at once …"
    at_once: int = 0
    rate: int = 0
    "… or how many begin each second, whatever becomes of them, for …"
    seconds: float = 0.0
    holds: bool = False
    "Calls stay up, `at_once` of them, until a line comes from stdin."
    dialled: str = ""
    "What all call; empty: each another callee."
    keys: list[str] = field(default_factory=list)
    "Extensions of the callees, in their order: a key of the caller in the same place watches each."


@dataclass(slots=True)
class Attempt:
    """One call under way."""

    serial: int
    caller: str
    began: float
    cseq: int = 1


@dataclass
class Tally:
    """How it went."""

    begun: int = 0
    done: int = 0
    failed: int = 0
    statuses: Counter[str] = field(default_factory=Counter)
    to_callee_ms: list[float] = field(default_factory=list)
    "From the caller's INVITE that is let in to the callee's, for each callee that rings."
    to_last_ms: dict[int, float] = field(default_factory=dict)
    "Of each call, the same to the last callee that rings."
    lit_ms: list[float] = field(default_factory=list)
    "From a callee's 180 to the NOTIFY that lights its lamp."
    up_ms: list[float] = field(default_factory=list)
    "From the first INVITE to the 200."
    seconds: float = 0.0


class Load:
    """All phones, in one loop."""

    def __init__(self, plan: Plan) -> None:
        self.plan, self.tally = plan, Tally()
        self._callers, self._callees, self._keys = _socket(0), _socket(plan.callees_port), _socket(0)
        self._callees.setsockopt(socket.SOL_SOCKET, _STAMPS, 1)
        self._own = f"127.0.0.1:{self._callers.getsockname()[1]}"
        self._theirs = f"127.0.0.1:{plan.callees_port}"
        self._server = ("127.0.0.1", plan.port)
        self._at = f"127.0.0.1:{plan.port}"
        self._nonces: dict[str, tuple[str, int]] = {}
        self._up: dict[int, Attempt] = {}
        self._order: deque[int] = deque()
        self._rings: dict[int, float] = {}
        "When the INVITE of each call was sent that is let in, by the kernel's clock."
        self._came_at = 0.0
        "When the datagram came that is being looked at, by the same clock, if that is a callee's."
        self._dark: dict[str, float] = {}
        "When each extension's phone rang whose lamp isn't lit yet."
        self._answered: set[int] = set()
        self._held: list[tuple[Attempt, bytes, str]] = []

    def run(self) -> None:
        """Until all calls are over."""
        if self.plan.password:
            self._register()
        for line, number in zip(self.plan.callers, self.plan.keys, strict=False):
            self._watch(line, number)
        start = time.monotonic()
        if self.plan.rate:
            self._open(start)
        else:
            # Phones have logged in before they call, and strangers get twenty answers a second.
            self._begin()
            while not self.tally.done + self.tally.failed:
                self._read(0.05)
            while len(self._up) < self.plan.at_once and self.tally.begun < self.plan.count:
                self._begin()
            while self._up:
                self._read(0.05)
        self.tally.seconds = time.monotonic() - start
        if self.plan.holds:
            print(json.dumps({"up": len(self._held)}), flush=True)
            sys.stdin.readline()
            for attempt, to, target in self._held:
                self._bye(attempt, to, target)
                self._read(0.002)
            self._read(0.5)

    def _open(self, start: float) -> None:
        count = int(self.plan.rate * self.plan.seconds)
        number = 0
        while number < count or self._up:
            now = time.monotonic()
            while number < count and start + number / self.plan.rate <= now:
                # What this program is too slow for does not begin.
                if start + number / self.plan.rate > now - _LATE_S:
                    self._begin()
                number += 1
            self._read(0.001)

    def _read(self, wait_s: float) -> None:
        takers = {self._callers: self._to_caller, self._callees: self._to_callee, self._keys: self._to_key}
        ready, _, _ = select.select([*takers], [], [], wait_s)
        for each in ready:
            take = takers[each]
            for _ in range(_BURST):
                try:
                    data, stamps, _, _ = each.recvmsg(8192, _ROOM)
                except BlockingIOError:
                    break
                for _, _, stamp in stamps:
                    seconds, nanoseconds = _TIMESPEC.unpack(stamp)
                    self._came_at = seconds + nanoseconds / 1e9
                take(data)
        now = time.monotonic()
        while self._order and (self._order[0] not in self._up or self._is_late(self._order[0], now)):
            if self._up.pop(self._order.popleft(), None) is not None:
                self._over(is_done=False)

    def _is_late(self, serial: int, now: float) -> bool:
        return now > self._up[serial].began + PATIENCE_S

    # Callers

    def _begin(self) -> None:
        serial = self.tally.begun
        self.tally.begun += 1
        attempt = Attempt(serial, self.plan.callers[serial % len(self.plan.callers)], time.monotonic())
        self._up[serial] = attempt
        self._order.append(serial)
        self._invite(attempt)

    def _number(self, attempt: Attempt) -> str:
        return self.plan.dialled or self.plan.callees[attempt.serial % len(self.plan.callees)]

    def _invite(self, attempt: Attempt) -> None:
        uri = f"sip:{self._number(attempt)}@{self._at}"
        body = f"{_SDP}a=call:{attempt.serial}\r\n"
        login = self._login(attempt.caller, "INVITE", uri)
        self._rings[attempt.serial] = time.time()
        self._send(attempt, "INVITE", uri, f"<{uri}>", login, body)

    def _send(
        self, attempt: Attempt, method: str, uri: str, to: str, more: str = "", body: str = ""
    ) -> None:
        kind = "Content-Type: application/sdp\r\n" if body else ""
        allow = "Allow: INVITE, ACK, BYE, CANCEL, OPTIONS, UPDATE, REFER, INFO\r\n" if body else ""
        branch = f"z9hG4bK{_RUN}{attempt.serial}{method[0]}{attempt.cseq}"
        self._callers.sendto(
            f"{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP {self._own};branch={branch};rport\r\n"
            f'From: "Bench" <sip:{attempt.caller}@{self._at}>;tag={_RUN}{attempt.serial}\r\nTo: {to}\r\n'
            f"Call-ID: {attempt.serial}-{_RUN}\r\nCSeq: {attempt.cseq} {method}\r\n"
            f"Contact: <sip:{attempt.caller}@{self._own}>\r\n{more}{kind}{allow}Max-Forwards: 70\r\n"
            f"User-Agent: Yealink SIP-T46S 66.86.0.15\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode(),
            self._server,
        )

    def _login(self, line: str, method: str, uri: str) -> str:
        if line not in self._nonces:
            return ""
        nonce, used = self._nonces[line]
        self._nonces[line] = nonce, used + 1
        count = f"{used + 1:08x}"
        ha1 = _md5(f"{line}:centralka:{self.plan.password}")
        response = _md5(f"{ha1}:{nonce}:{count}:c:auth:{_md5(f'{method}:{uri}')}")
        return (
            f'Authorization: Digest username="{line}", realm="centralka", nonce="{nonce}", uri="{uri}", '
            f'response="{response}", algorithm=MD5, cnonce="c", qop=auth, nc={count}\r\n'
        )

    def _to_caller(self, data: bytes) -> None:
        found = _CALL.search(data)
        attempt = self._up.get(int(found[1])) if found is not None else None
        status = data[8:11]
        if attempt is None or status < b"200":
            return
        to = _first(_TO, data).decode()
        if b" INVITE\r\n" not in data:
            self._up.pop(attempt.serial)
            self._over(is_done=status == b"200")
            return
        if status != b"200":
            self._send(attempt, "ACK", f"sip:{self._number(attempt)}@{self._at}", to)
            if status == b"401" and attempt.cseq < 3:
                self._nonces[attempt.caller] = _first(_CHALLENGE, data).decode(), 0
                attempt.cseq += 1
                self._invite(attempt)
                return
            self.tally.statuses[status.decode()] += 1
            self._up.pop(attempt.serial)
            self._over(is_done=False)
            return
        self.tally.up_ms.append(1000 * (time.monotonic() - attempt.began))
        target = _first(_CONTACT, data).decode()
        recorded = re.findall(rb"\r\nRecord-Route: *([^\r]+)", data)
        routes = "".join(f"Route: {each.decode()}\r\n" for each in reversed(recorded))
        self._send(attempt, "ACK", target, to, routes)
        if self.plan.holds:
            self._held.append((attempt, data, target))
            self._up.pop(attempt.serial)
            self._over(is_done=True)
            return
        attempt.cseq += 1
        self._send(attempt, "BYE", target, to, routes)

    def _bye(self, attempt: Attempt, data: bytes, target: str) -> None:
        attempt.cseq += 1
        self._send(attempt, "BYE", target, _first(_TO, data).decode())

    def _over(self, *, is_done: bool) -> None:
        self.tally.done += is_done
        self.tally.failed += not is_done
        if not self.plan.rate and self.tally.begun < self.plan.count:
            self._begin()

    # Callees

    def _register(self) -> None:
        """All of them, one after another."""
        for number, line in enumerate(self.plan.callees):
            for cseq in (1, 2):
                uri = f"sip:{self._at}"
                self._callees.sendto(
                    f"REGISTER {uri} SIP/2.0\r\n"
                    f"Via: SIP/2.0/UDP {self._theirs};branch=z9hG4bKr{number}c{cseq};rport\r\n"
                    f"From: <sip:{line}@{self._at}>;tag=r{number}\r\nTo: <sip:{line}@{self._at}>\r\n"
                    f"Call-ID: r{number}@{self._theirs}\r\nCSeq: {cseq} REGISTER\r\n"
                    f"Contact: <sip:{line}@{self._theirs}>\r\n{self._login(line, 'REGISTER', uri)}"
                    f"Expires: 3600\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n".encode(),
                    self._server,
                )
                data = b""
                while not data.startswith(b"SIP/2.0"):
                    select.select([self._callees], [], [], 5)
                    data = self._callees.recv(8192)
                if data.startswith(b"SIP/2.0 401"):
                    self._nonces[line] = _first(_CHALLENGE, data).decode(), 0
                else:
                    assert data.startswith(b"SIP/2.0 200"), data
                    break

    def _to_callee(self, data: bytes) -> None:
        if data.startswith(b"INVITE"):
            serial = int(_first(_MARK, data))
            if (began := self._rings.get(serial)) is not None:
                late_ms = 1000 * (self._came_at - began)
                self.tally.to_callee_ms.append(late_ms)
                self.tally.to_last_ms[serial] = late_ms
            self._reply(data, "180 Ringing")
            if self.plan.keys:
                place = self.plan.callees.index(_first(_RUNG, data).decode())
                self._dark[self.plan.keys[place]] = time.monotonic()
            if not self.plan.dialled or serial not in self._answered:
                self._answered.add(serial)
                self._reply(data, "200 OK", f"{_SDP}a=call:{serial}\r\n")
        elif data.startswith(b"CANCEL"):
            self._reply(data, "200 OK")
            self._reply(data.replace(b" CANCEL\r\n", b" INVITE\r\n"), "487 Request Terminated")
        elif not data.startswith((b"ACK", b"SIP/2.0")):
            self._reply(data, "200 OK")

    # Keys

    def _watch(self, line: str, number: str) -> None:
        uri, own = f"sip:{number}@{self._at}", f"127.0.0.1:{self._keys.getsockname()[1]}"
        for cseq in (1, 2):
            self._keys.sendto(
                f"SUBSCRIBE {uri} SIP/2.0\r\n"
                f"Via: SIP/2.0/UDP {own};branch=z9hG4bK{_RUN}k{number}c{cseq};rport\r\n"
                f"From: <sip:{line}@{self._at}>;tag=k{number}\r\nTo: <{uri}>\r\n"
                f"Call-ID: k{number}-{_RUN}\r\nCSeq: {cseq} SUBSCRIBE\r\nContact: <sip:{line}@{own}>\r\n"
                f"Event: dialog\r\nAccept: application/dialog-info+xml\r\n"
                f"{self._login(line, 'SUBSCRIBE', uri)}Expires: 3600\r\nMax-Forwards: 70\r\n"
                f"Content-Length: 0\r\n\r\n".encode(),
                self._server,
            )
            data = b""
            while not data.startswith(b"SIP/2.0"):
                select.select([self._keys], [], [], 5)
                data = self._keys.recv(8192)
                self._to_key(data)
            if data.startswith(b"SIP/2.0 401"):
                self._nonces[line] = _first(_CHALLENGE, data).decode(), 0
            else:
                assert data.startswith(b"SIP/2.0 2"), data
                break

    def _to_key(self, data: bytes) -> None:
        if not data.startswith(b"NOTIFY"):
            return
        lit = _LIT.search(data)
        rang_at = None if lit is None else self._dark.pop(lit[1].decode(), None)
        if rang_at is not None:
            self.tally.lit_ms.append(1000 * (time.monotonic() - rang_at))
        self._reply(data, "200 OK")

    # Both

    def _reply(self, request: bytes, status: str, body: str = "") -> None:
        head = request.partition(b"\r\n\r\n")[0]
        copied = b"\r\n".join(_COPIED.findall(head))
        to = _first(_TO, head)
        tag = b"" if b";tag=" in to else b";tag=callee"
        kind = "Content-Type: application/sdp\r\n" if body else ""
        rest = (
            f"Contact: <sip:callee@{self._theirs}>\r\n{kind}Content-Length: {len(body)}\r\n\r\n{body}"
        ).encode()
        self._callees.sendto(
            f"SIP/2.0 {status}\r\n".encode() + copied + b"\r\nTo: " + to + tag + b"\r\n" + rest, self._server
        )


def _first(pattern: re.Pattern[bytes], data: bytes) -> bytes:
    found = pattern.search(data)
    assert found is not None, data
    return found[1]


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def _socket(port: int) -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32 << 20)
    made.bind(("127.0.0.1", port))
    made.setblocking(False)
    return made


if __name__ == "__main__":
    load = Load(Plan(**json.loads(sys.argv[1])))
    load.run()
    print(json.dumps(vars(load.tally)))
