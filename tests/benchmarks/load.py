"""Clients over kept TLS connections, in a process of their own (`-m tests.benchmarks.load`)."""

from __future__ import annotations

import asyncio
import ssl
import sys
import time

CONNECTIONS = 30


async def _client(host: str, port: int, name: str, until: float) -> int:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    reader, writer = await asyncio.open_connection(host, port, ssl=context, server_hostname=name)
    question = f"GET / HTTP/1.1\r\nHost: {name}\r\n\r\n".encode()
    answered = 0
    while time.monotonic() < until:
        writer.write(question)
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise SystemExit(head.decode(errors="replace"))
        length = head.lower().partition(b"content-length:")[2].partition(b"\r")[0]
        await reader.readexactly(int(length))
        answered += 1
    writer.close()
    return answered


async def main(host: str, port: int, name: str, seconds: float) -> int:
    until = time.monotonic() + seconds
    clients = [_client(host, port, name, until) for _ in range(CONNECTIONS)]
    return sum(await asyncio.gather(*clients))


if __name__ == "__main__":
    where, number, called, lasting = sys.argv[1:]
    print(asyncio.run(main(where, int(number), called, float(lasting))))
