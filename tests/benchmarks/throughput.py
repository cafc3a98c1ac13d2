"""Requests per second of proxy CPU: a compiled gateway beside the same Envoy with the least, and
beside nginx and haproxy where they are installed.

TLS on both sides, one worker, kept connections; the backend is an Envoy that answers by itself.
Rounds are interleaved, so that whatever else the machine does falls on both.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from django.utils import timezone

from certificates.x509.issuing import issue
from gateway.dataplane.agent.apply import Documents
from gateway.dataplane.compile import compile_gateway
from gateway.dataplane.envoy import extension
from gateway.dataplane.inputs import gather
from gateway.models import (
    ApplicationGateway,
    LabEndpoint,
    LabServer,
    PublishedPort,
    Verdict,
    writing,
)
from gateway.operations.ports import publish
from tests import factories
from tests.benchmarks import others
from tests.benchmarks.others import BACK, FRONT
from tests.benchmarks.table import Table
from tests.gateway.dataplane.agent.nodes import Node, a_port, cluster, leads, node, says

ROUNDS, SECONDS = 3, 6.0
LEAST = "the same Envoy, least configuration"


def run(table: Table) -> None:
    root = issue.make_root("Bench root", now=timezone.now())
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        here = Path(folder)
        backend = stack.enter_context(node(here / "backend", concurrency=1))
        port = a_port()
        tls = _server_tls(here, root, BACK)
        assert not backend.apply([says("backend", port, "ok", tls=tls)]).refused
        compiled = stack.enter_context(node(here / "compiled", concurrency=1))
        place = _compiled(compiled, root, port)
        least = stack.enter_context(node(here / "least", concurrency=1))
        other = _least(least, here, root, port)
        assert compiled.engine.process is not None
        assert least.engine.process is not None
        runs = {
            "compiled gateway": (compiled.engine.process.pid, *place),
            LEAST: (least.engine.process.pid, "127.0.0.1", other),
        }
        for name in others.installed():
            open_port = a_port()
            pid = stack.enter_context(others.started(name, here, open_port, port))
            runs[name] = (pid, "127.0.0.1", open_port)
        found: dict[str, list[float]] = {name: [] for name in runs}
        for _ in range(ROUNDS):
            for name, one in runs.items():
                found[name].append(_round(*one))
    middle = {name: statistics.median(rounds) for name, rounds in found.items()}
    for name, rounds in found.items():
        table.add(
            f"requests per second of the proxy's CPU: {name}",
            per_s=f"{middle[name]:.0f}",
            rounds=" ".join(f"{one:.0f}" for one in rounds),
            ratio=f"{middle[name] / middle[LEAST]:.2f}",
        )
    for name in others.PROXIES.keys() - found.keys():
        table.add(f"requests per second of the proxy's CPU: {name} is not installed")


def _compiled(made: Node, root: issue.Issued, backend: int) -> tuple[str, int]:
    """A gateway with an HTTPS listener and an HTTPS setting, as the product compiles it."""
    gateway = factories.v2_gateway(name="bench")
    certificate = factories.add_ssl_certificate(gateway, "front", _leaf(root, FRONT))
    listener = factories.add_listener(
        gateway, "front", port=443, protocol="Https", ssl_certificate=certificate
    )
    settings = factories.add_settings(
        gateway, "back", protocol="Https", host_name=BACK,
        roots=[factories.add_root(gateway, "root", root.certificate)],
    )  # fmt: skip
    pool = factories.add_pool(gateway, "back", "10.0.1.77")
    factories.add_rule(gateway, "front", listener, pool, settings)
    loaded = factories.loaded(gateway)
    server = factories.add_row(
        LabServer, virtual_network=loaded.virtual_network, name="bench", scenario="plain",
        address="10.0.1.77", fqdn=BACK, port=443,
    )  # fmt: skip
    now = timezone.now()
    LabEndpoint.objects.create(
        server=server, port=443, real_host="127.0.0.1", real_port=backend, reported_at=now
    )
    found = next(one for one in loaded.pools if one.name == "back")
    Verdict.objects.create(
        gateway=gateway, address=loaded.addresses(found)[0], settings=settings,
        status=Verdict.Status.HEALTHY, due_at=now, checked_at=now,
    )  # fmt: skip
    with writing():
        assert publish(loaded) == []
    written = compile_gateway(gather(ApplicationGateway.objects.get(pk=gateway.pk)))
    documents = Documents(
        {one["name"]: one for one in written.listeners},
        {one["name"]: one for one in written.clusters},
        written.files,
    )
    applied = made.applier.apply(documents)
    assert not applied.refused, applied
    place = PublishedPort.objects.get(frontend__gateway=gateway, port=443)
    return str(place.host), place.number


def _least(made: Node, folder: Path, root: issue.Issued, backend: int) -> int:
    """What somebody who knows Envoy would write for the same, and nothing more."""
    authority = folder / "root.crt"
    authority.write_bytes(issue.to_pem(root.certificate))
    socket = extension(
        "tls", "extensions.transport_sockets.tls.v3.UpstreamTlsContext",
        sni=BACK, auto_sni_san_validation=True,
        common_tls_context={
            "tls_params": {"tls_maximum_protocol_version": "TLSv1_3"},
            "validation_context": {"trusted_ca": {"filename": str(authority)}},
        },
    )  # fmt: skip
    port = a_port()
    listener: Any = leads("least", port, "back")
    [chain] = listener["filter_chains"]
    chain["filters"][0]["typed_config"].pop("access_log")
    chain["transport_socket"] = extension(
        "tls", "extensions.transport_sockets.tls.v3.DownstreamTlsContext",
        common_tls_context=_server_tls(folder, root, FRONT),
    )  # fmt: skip
    applied = made.apply([listener], [cluster("back", backend, transport_socket=socket)])
    assert not applied.refused, applied
    return port


def _leaf(root: issue.Issued, name: str) -> issue.Issued:
    return issue.make_leaf(root, name, now=timezone.now(), dns_names=[name], key="rsa2048")


def _server_tls(folder: Path, root: issue.Issued, name: str) -> dict[str, Any]:
    leaf = _leaf(root, name)
    certificate, key = folder / f"{name}.crt", folder / f"{name}.key"
    certificate.write_bytes(issue.to_pem(leaf.certificate))
    key.write_bytes(issue.key_pem(leaf))
    files = {
        "certificate_chain": {"filename": str(certificate)},
        "private_key": {"filename": str(key)},
    }
    return {"tls_certificates": [files]}


def _round(pid: int, host: str, port: int) -> float:
    """Requests per second of the CPU that the proxy used for them."""
    before = _cpu(pid)
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.load", host, str(port), FRONT, str(SECONDS)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return int(done.stdout) / (_cpu(pid) - before)


def _cpu(pid: int) -> float:
    """Seconds that all threads of a process have run."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9
