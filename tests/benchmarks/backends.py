"""Backend servers in a process of their own; knows nothing of Django."""

from __future__ import annotations

import asyncio
import resource
import ssl
import tempfile
from contextlib import suppress
from datetime import datetime
from multiprocessing.connection import Connection
from pathlib import Path

from certificates.x509.issuing import issue
from tests.servers import answer

# So many servers share a certificate.
SHARING = 10


def name(number: int) -> str:
    return f"server{number}.contoso.test"


def serve(pipe: Connection, good: int, silent: int, now: datetime) -> None:
    """Serve until the pipe says anything.

    It gets (ports, DER of the root): ``good`` TLS servers, then ``silent`` ones that never answer.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    asyncio.run(_serve(pipe, good, silent, now))


async def _serve(pipe: Connection, good: int, silent: int, now: datetime) -> None:
    root = issue.make_root("Bench Root", now=now)
    issuer = issue.make_intermediate(root, "Bench Issuing CA", now=now)
    contexts = [_context(issuer, first, now) for first in range(0, good, SHARING)]
    listeners = [
        await asyncio.start_server(_greet, "127.0.0.1", 0, ssl=contexts[number // SHARING])
        for number in range(good)
    ]
    listeners += [await asyncio.start_server(_ignore, "127.0.0.1", 0) for _ in range(silent)]
    ports = [one.sockets[0].getsockname()[1] for one in listeners]
    pipe.send((ports, root.certificate.der))
    await asyncio.to_thread(pipe.recv)


def _context(issuer: issue.Issued, first: int, now: datetime) -> ssl.SSLContext:
    names = [name(number) for number in range(first, first + SHARING)]
    leaf = issue.make_leaf(issuer, names[0], now=now, dns_names=names)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory, "server.pem")
        file.write_bytes(issue.key_pem(leaf) + issue.chain_pem(leaf))
        context.load_cert_chain(file)
    return context


async def _greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError, asyncio.IncompleteReadError):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer())
        await writer.drain()
    writer.close()


async def _ignore(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while await reader.read(4096):
            pass
    writer.close()
