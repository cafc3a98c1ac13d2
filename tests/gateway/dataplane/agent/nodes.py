"""An agent's directory with a real Envoy, and documents to give it."""

from __future__ import annotations

import base64
import http.client
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gateway.dataplane.agent import binary
from gateway.dataplane.agent.apply import Applier, Documents
from gateway.dataplane.agent.engine import Engine, is_ready
from gateway.dataplane.agent.home import Home
from gateway.dataplane.envoy import extension, typed
from tests.free_ports import free_ports

PATIENCE = 20.0


def wait_for(condition: Callable[[], Any], what: str, seconds: float = PATIENCE) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"waited {seconds} s for {what}"
        time.sleep(0.01)
    return found


class Node:
    """One directory with its Envoy, kept by hand as the agent's main thread keeps it."""

    def __init__(self, path: Path, concurrency: int = 2) -> None:
        self.home = Home(path)
        self.home.make()
        self.engine = Engine(self.home, binary.find(None), concurrency)
        self.engine.prepare()
        self.engine.tend()
        wait_for(lambda: is_ready(self.home), "Envoy to be ready")
        self.applier = self.new_applier()

    def new_applier(self) -> Applier:
        applier = Applier(self.home, lambda: self.engine.starts)
        applier.load()
        return applier

    def apply(self, listeners: list[Any], clusters: list[Any] = (), **files: bytes) -> Any:  # type: ignore[assignment]
        return self.applier.apply(documents(listeners, clusters, files))

    def end(self) -> None:
        """End every Envoy at once, and leave nothing of them on the machine."""
        running = [process for process, _ in self.engine.leaving]
        for process in (*running, self.engine.process):
            if process is not None:
                process.kill()
                process.wait()
        self.engine.stop()
        if self.engine.lock >= 0:
            os.close(self.engine.lock)

    def kill(self) -> None:
        """End Envoy as nobody should, and start it again."""
        assert self.engine.process is not None
        self.engine.process.kill()
        self.engine.process.wait()

        def again() -> bool:
            self.engine.tend()
            return is_ready(self.home)

        wait_for(again, "Envoy to be back")


@contextmanager
def node(path: Path, concurrency: int = 2) -> Iterator[Node]:
    made = Node(path, concurrency)
    try:
        yield made
    finally:
        made.end()


def documents(
    listeners: list[Any], clusters: Any = (), files: dict[str, bytes] | None = None
) -> Documents:
    return Documents(
        {one["name"]: one for one in listeners}, {one["name"]: one for one in clusters}, files or {}
    )


def bundle(listeners: list[Any], clusters: Any = (), files: dict[str, bytes] | None = None) -> Any:
    """The same as a portal sends it."""
    encoded = {name: base64.b64encode(data).decode() for name, data in (files or {}).items()}
    return {
        "gateways": [],
        "lds": {"version_info": "1", "resources": listeners},
        "cds": {"version_info": "1", "resources": list(clusters)},
        "files": encoded,
    }


def says(name: str, port: int, text: str, host: str = "127.0.0.1", **more: Any) -> Any:
    """A listener that answers every request with ``text``."""
    route = {"match": {"prefix": "/"}, "direct_response": answer(text)}
    return listener(name, port, [route], host=host, **more)


def leads(name: str, port: int, cluster: str) -> Any:
    """A listener that sends every request to ``cluster``."""
    return listener(name, port, [{"match": {"prefix": "/"}, "route": {"cluster": cluster}}])


def answer(text: str) -> Any:
    return {"status": 200, "body": {"inline_string": text}}


def listener(
    name: str, port: int, routes: list[Any], host: str = "127.0.0.1", tls: Any = None
) -> Any:
    router = extension("envoy.filters.http.router", "extensions.filters.http.router.v3.Router")
    manager = extension(
        "envoy.filters.network.http_connection_manager",
        "extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        stat_prefix=name,
        http_filters=[router],
        route_config={
            "validate_clusters": False,
            "virtual_hosts": [{"name": "all", "domains": ["*"], "routes": routes}],
        },
        access_log=[
            extension(
                "file",
                "extensions.access_loggers.file.v3.FileAccessLog",
                path="access.log",
                log_format={
                    "json_format": {
                        "gateway": "7",
                        "timeStamp": "%START_TIME(%Y-%m-%dT%H:%M:%S.%3fZ)%",
                        "httpStatus": "%RESPONSE_CODE%",
                    }
                },
            )
        ],
    )
    chain: Any = {"filters": [manager]}
    if tls:
        chain["transport_socket"] = extension(
            "tls",
            "extensions.transport_sockets.tls.v3.DownstreamTlsContext",
            common_tls_context=tls,
        )
    return typed(
        "config.listener.v3.Listener",
        name=name,
        address={"socket_address": {"address": host, "port_value": port}},
        filter_chains=[chain],
    )


def cluster(name: str, port: int, **more: Any) -> Any:
    endpoint = {"address": {"socket_address": {"address": "127.0.0.1", "port_value": port}}}
    return typed(
        "config.cluster.v3.Cluster",
        name=name,
        type="STATIC",
        connect_timeout="5s",
        load_assignment={
            "cluster_name": name,
            "endpoints": [{"lb_endpoints": [{"endpoint": endpoint}]}],
        },
        **more,
    )


def ask(port: int, host: str = "127.0.0.1", path: str = "/") -> str:
    """Status and text of an answer; "refused" where nobody listens."""
    connection = http.client.HTTPConnection(host, port, timeout=5)
    try:
        connection.request("GET", path)
        found = connection.getresponse()
        return f"{found.status} {found.read().decode()}"
    except ConnectionRefusedError:
        return "refused"
    finally:
        connection.close()


def a_port() -> int:
    return free_ports(1)[0]


@contextmanager
def taken_port() -> Iterator[int]:
    """A port at which somebody else listens."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        yield other.getsockname()[1]
