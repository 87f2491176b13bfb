"""Phones that boot all at once, each request on its own connection: `BASE PHONES AT_ONCE PATH…` (a program).

A path may hold `{token}` and `{mac}`. Prints as JSON how it went. Answers may be 200 and 404.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import sys
import time
from urllib.parse import urlsplit

import stock
import uvloop

_PATIENCE_S = 30.0


async def ask(host: str, port: int, tls: ssl.SSLContext | None, path: str) -> bool:
    """Whether one request got its answer."""
    try:
        async with asyncio.timeout(_PATIENCE_S):
            reader, writer = await asyncio.open_connection(host, port, ssl=tls)
            writer.write(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
            answer = await reader.read()
            writer.close()
    except (OSError, TimeoutError):
        return False
    return answer.startswith((b"HTTP/1.1 200", b"HTTP/1.1 404"))


async def main() -> None:
    """All phones, so many at a time."""
    base, phones, at_once, *paths = sys.argv[1:]
    url = urlsplit(base)
    assert url.hostname
    assert url.port
    tls = None
    if url.scheme == "https":
        tls = ssl.create_default_context()
        tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
    left = iter(range(int(phones)))
    requests = lost = 0
    longest = 0.0

    async def boots() -> None:
        nonlocal requests, lost, longest
        for number in left:
            for path in paths:
                began = time.monotonic()
                filled = path.format(token=stock.token(number), mac=f"{stock.FIRST_MAC + number:012x}")
                lost += not await ask(url.hostname, url.port, tls, filled)
                requests += 1
                longest = max(longest, time.monotonic() - began)

    began = time.monotonic()
    async with asyncio.TaskGroup() as tasks:
        for _ in range(int(at_once)):
            tasks.create_task(boots())
    took = time.monotonic() - began
    print(json.dumps({"requests": requests, "seconds": took, "longest_ms": longest * 1000, "lost": lost}))


if __name__ == "__main__":
    uvloop.run(main())
