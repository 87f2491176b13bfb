"""Phones that register over UDP, logging in each time: `JSON` (a program). Prints as JSON how it went.

Its one socket has every loopback address (IP_PKTINFO), so that each phone may have an address of its own. An
answer counts only if it is to a request that waits for it, and a 200 only if it lists the phone's Contact. A
phone sends again as RFC 3261 §17.1.2 says (0.5 s, 1 s, 2 s, 4 s, 4 s …), and gives up after `PATIENCE_S`.
Whoever asks it by OPTIONS whether it is there is told so.
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
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field

import stock

PATIENCE_S = 8.0
EXPIRES_S = 3600
WAITS_S = (0.5, 1.0, 2.0, 4.0)
"Between the sendings of one request; the last one repeats."
_FIELD = re.compile(rb'(?i:www-authenticate|authorization): *Digest (.*?)\r\n')
_PARAMETER = re.compile(rb'(\w+)="?([^",]*)')
_REPEATED = re.compile(rb"^(?:via|from|to|call-id|cseq):.*\n", re.IGNORECASE | re.MULTILINE)
"What a response repeats of its request (RFC 3261 §8.2.6.2)."
_CALL = re.compile(rb"\r\n(?i:call-id|i): *(\d+)-([0-9a-f]+)")
_LATE_S = 0.05
_BURST = 64
"Datagrams that are read, or registrations that begin, before anything else is done."


@dataclass(frozen=True)
class Plan:
    """What is asked for."""

    host: str
    port: int
    password: str
    "`{number}` in it is the phone's, which counts from 0."
    own_port: int
    "Where all phones are."
    phones: int
    first: int = 0
    "The number of the first phone."
    count: int = 0
    "Registrations, when so many are under way at once …"
    at_once: int = 0
    rate: int = 0
    "… or how many begin each second, whatever becomes of them, for …"
    seconds: float = 0.0
    then_rate: int = 0
    "… and then so many each second, to see it recover, for …"
    then_seconds: float = 0.0
    addresses: bool = False
    "Each phone has an address of its own."
    moments: bool = False
    "When each phone had its 200 is told, too."


@dataclass(slots=True)
class Attempt:
    """One registration under way."""

    phone: int
    serial: int
    began: float
    resent: int = 0
    request: bytes = b""
    answered: bool = False
    "It has been challenged: what is under way has credentials."


@dataclass
class Tally:
    """How it went, by the second in which registrations began, and in which they were done."""

    begun: Counter[int] = field(default_factory=Counter)
    sent: Counter[int] = field(default_factory=Counter)
    "Requests, those included that were sent again."
    done: Counter[int] = field(default_factory=Counter)
    lost: Counter[int] = field(default_factory=Counter)
    "Given up or refused, by the second in which they began."
    took_ms: dict[int, list[float]] = field(default_factory=dict)
    "By the second in which they began."
    moments: dict[int, float] = field(default_factory=dict)
    "When phones had their 200: the clock is the system's monotonic one, the same for all programs."
    resent: int = 0
    statuses: Counter[str] = field(default_factory=Counter)


class Load:
    """All phones, in one loop."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.tally = Tally()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 << 20)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8 << 20)
        self._socket.bind(("0.0.0.0" if plan.addresses else "127.0.0.1", plan.own_port))  # noqa: S104 - of phones
        self._socket.setblocking(False)
        if plan.addresses:
            self._socket.setsockopt(socket.IPPROTO_IP, _IP_PKTINFO, 1)
        self._port = plan.own_port
        self._run = secrets.token_hex(4)
        self._waiting: dict[int, Attempt] = {}
        self._again = [deque[tuple[float, int]]() for _ in WAITS_S]
        "When to send what again, one queue for each wait, so that each is in order."
        self._ha1s: dict[tuple[int, bytes], bytes] = {}
        self._serial = 0
        self._start = time.monotonic()

    def run(self) -> None:
        """Until all that was begun has been done or given up."""
        plan = self.plan
        for _ in range(min(plan.at_once, plan.count)):
            self._begin(time.monotonic())
        arrivals = self._arrivals()
        due = next(arrivals, None)
        while due is not None or self._waiting:
            now = time.monotonic()
            # What this program is too slow for does not begin: made up for later, it would be another load.
            while due is not None and due < now - _LATE_S:
                due = next(arrivals, None)
            for _ in range(_BURST):
                if due is None or due > now:
                    break
                self._begin(now)
                due = next(arrivals, None)
            self._read(min(0.05, due - now if due is not None else 0.05))
            self._send_again(time.monotonic())

    def _arrivals(self) -> Iterator[float]:
        """When registrations begin in an open loop."""
        at, plan = self._start, self.plan
        for rate, seconds in ((plan.rate, plan.seconds), (plan.then_rate, plan.then_seconds)):
            for number in range(int(rate * seconds)):
                yield at + number / rate
            at += seconds

    def _read(self, wait_s: float) -> None:
        """Takes what has come; waits for it where nothing has."""
        if wait_s > 0:
            select.select([self._socket], [], [], wait_s)
        for _ in range(_BURST):
            try:
                data, ancillary, _, place = self._socket.recvmsg(4096, _ROOM)
            except BlockingIOError:
                return
            if data.startswith(b"OPTIONS "):
                self._say_it_is_there(data, ancillary, place)
            else:
                self._answered(data, time.monotonic())

    def _say_it_is_there(
        self, data: bytes, ancillary: list[tuple[int, int, bytes]], place: tuple[str, int]
    ) -> None:
        # From the address that was asked, which stands last in what came with the datagram (ip(7)).
        here = [
            (level, kind, struct.pack("=i4s4s", 0, info[8:12], bytes(4))) for level, kind, info in ancillary
        ]
        answer = (b"SIP/2.0 200 OK\r\n", *_REPEATED.findall(data), b"Content-Length: 0\r\n\r\n")
        with suppress(BlockingIOError):
            self._socket.sendmsg(answer, here, 0, place)

    def _send_again(self, now: float) -> None:
        for wait, queue in enumerate(self._again):
            while queue and queue[0][0] <= now:
                self._overdue(queue.popleft()[1], wait, now)

    def _begin(self, now: float) -> None:
        serial = self._serial
        self._serial += 1
        attempt = Attempt(self.plan.first + serial % self.plan.phones, serial, now)
        self._waiting[serial] = attempt
        self.tally.begun[int(now - self._start)] += 1
        attempt.request = self._request(attempt, 1)
        self._send(attempt, now)

    def _contact(self, phone: int) -> str:
        host = socket.inet_ntoa(_address(phone)) if self.plan.addresses else "127.0.0.1"
        return f"sip:{stock.line(phone)}@{host}:{self._port}"

    def _request(self, attempt: Attempt, cseq: int, authorization: str = "") -> bytes:
        """What a T46S sends, but for the credentials that `authorization` holds."""
        plan, number = self.plan, stock.line(attempt.phone)
        contact = self._contact(attempt.phone)
        where = contact.partition("@")[2]
        return (
            f"REGISTER sip:{plan.host}:{plan.port} SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP {where};branch=z9hG4bK{attempt.serial}c{cseq}r{self._run};rport\r\n"
            f'From: "Bench" <sip:{number}@{plan.host}:{plan.port}>;tag={attempt.serial}\r\n'
            f'To: "Bench" <sip:{number}@{plan.host}:{plan.port}>\r\n'
            f"Call-ID: {attempt.serial}-{self._run}@{plan.host}\r\n"
            f"CSeq: {cseq} REGISTER\r\n"
            f"Contact: <{contact}>\r\n"
            f"{authorization}"
            "Allow: INVITE, INFO, PRACK, ACK, BYE, CANCEL, OPTIONS, NOTIFY, REGISTER, SUBSCRIBE, REFER, "
            "UPDATE\r\n"
            "Max-Forwards: 70\r\n"
            "User-Agent: Yealink SIP-T46S 66.86.0.15\r\n"
            f"Expires: {EXPIRES_S}\r\n"
            "Allow-Events: talk,hold,conference,refer,check-sync\r\n"
            "Content-Length: 0\r\n\r\n"
        ).encode()

    def _send(self, attempt: Attempt, now: float) -> None:
        ancillary = []
        if self.plan.addresses:
            info = struct.pack("=i4s4s", 0, _address(attempt.phone), bytes(4))
            ancillary = [(socket.IPPROTO_IP, _IP_PKTINFO, info)]
        try:
            self.tally.sent[int(now - self._start)] += 1
            self._socket.sendmsg([attempt.request], ancillary, 0, (self.plan.host, self.plan.port))
        except BlockingIOError:
            # The system has no room: the datagram is lost, as it might be on any network.
            self.tally.statuses["not sent"] += 1
        wait = min(attempt.resent, len(WAITS_S) - 1)
        self._again[wait].append((now + WAITS_S[wait], attempt.serial))

    def _overdue(self, serial: int, wait: int, now: float) -> None:
        attempt = self._waiting.get(serial)
        if attempt is None or min(attempt.resent, len(WAITS_S) - 1) != wait:
            return
        if now - attempt.began > PATIENCE_S:
            self._end(attempt, now, "given up")
            return
        attempt.resent += 1
        self.tally.resent += 1
        self._send(attempt, now)

    def _answered(self, data: bytes, now: float) -> None:
        found = _CALL.search(data)
        if found is None or found[2] != self._run.encode():
            # Of another run.
            return
        attempt = self._waiting.get(int(found[1]))
        status = data[8:11]
        if attempt is None or status == b"100":
            return
        if status == b"401" and not attempt.answered and b"1 REGISTER" in data:
            attempt.answered = True
            attempt.resent = 0
            attempt.request = self._request(attempt, 2, self._credentials(attempt.phone, data))
            self._send(attempt, now)
        elif status == b"401" and b"1 REGISTER" in data:
            # The same challenge once more.
            return
        elif status == b"200" and self._contact(attempt.phone).encode() in data:
            self._end(attempt, now, "200")
        else:
            self._end(attempt, now, status.decode())

    def _credentials(self, phone: int, challenge: bytes) -> str:
        """The answer to the MD5 challenge with `qop=auth` (RFC 7616 §3.4)."""
        offered = [dict(_PARAMETER.findall(each)) for each in _FIELD.findall(challenge)]
        asked = next(each for each in offered if each.get(b"algorithm", b"MD5") == b"MD5")
        realm, nonce = asked[b"realm"], asked[b"nonce"]
        number, uri = stock.line(phone), f"sip:{self.plan.host}:{self.plan.port}"
        ha1 = self._ha1s.get((phone, realm))
        if ha1 is None:
            password = self.plan.password.format(number=phone)
            ha1 = self._ha1s[phone, realm] = _md5(b"%s:%s:%s" % (number.encode(), realm, password.encode()))
        cnonce = b"%08x" % (phone & 0xFFFFFFFF)
        ha2 = _md5(f"REGISTER:{uri}".encode())
        response = _md5(b":".join((ha1, nonce, b"00000001", cnonce, b"auth", ha2)))
        return (
            f'Authorization: Digest username="{number}", realm="{realm.decode()}", nonce="{nonce.decode()}", '
            f'uri="{uri}", response="{response.decode()}", algorithm=MD5, cnonce="{cnonce.decode()}", '
            "qop=auth, nc=00000001\r\n"
        )

    def _end(self, attempt: Attempt, now: float, how: str) -> None:
        del self._waiting[attempt.serial]
        began = int(attempt.began - self._start)
        self.tally.statuses[how] += 1
        if how == "200":
            self.tally.done[int(now - self._start)] += 1
            if self.plan.moments:
                self.tally.moments[attempt.phone] = now
            self.tally.took_ms.setdefault(began, []).append((now - attempt.began) * 1000)
        else:
            self.tally.lost[began] += 1
        if self.plan.at_once and self._serial < self.plan.count:
            self._begin(now)


_IP_PKTINFO = 8
"ip(7); the module `socket` has no name for it before Python 3.14."
_ROOM = socket.CMSG_SPACE(12)


def _address(phone: int) -> bytes:
    return bytes((127, 100 + (phone >> 16), phone >> 8 & 255, phone & 255))


def _md5(text: bytes) -> bytes:
    return hashlib.md5(text, usedforsecurity=False).hexdigest().encode()


def main() -> None:
    """Does what the plan says."""
    load = Load(Plan(**json.loads(sys.argv[1])))
    began, used = time.monotonic(), time.process_time()
    load.run()
    took, used = time.monotonic() - began, time.process_time() - used
    print(json.dumps({"seconds": took, "cpu_s": used, **vars(load.tally)}))


if __name__ == "__main__":
    main()
