"""Backend servers in a process of their own; knows nothing of Django."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import datetime
from multiprocessing.connection import Connection

from certificates.x509 import issue
from tests import servers


def name(number: int) -> str:
    return f"server{number}.contoso.test"


def serve(pipe: Connection, good: int, silent: int, now: datetime) -> None:
    """Serve until the pipe says anything.

    It gets (ports, DER of the root): ``good`` TLS servers, then ``silent`` ones that never answer.
    """
    root = issue.make_root("Bench Root", now=now)
    names = [name(number) for number in range(good)]
    leaf = issue.make_leaf(root, names[0], now=now, dns_names=names)
    with ExitStack() as stack:
        ports = [stack.enter_context(servers.tls_server(leaf)).port for _ in names]
        ports += [stack.enter_context(servers.silent_server()).port for _ in range(silent)]
        pipe.send((ports, root.certificate.der))
        pipe.recv()
