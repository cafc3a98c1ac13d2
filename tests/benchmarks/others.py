"""Other proxies of the same work, where Debian's packages of them are installed.

Each is one process with one thread that takes TLS connections and speaks verified TLS to the
backend, as the gateways that :mod:`tests.benchmarks.throughput` compares do.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.test_run import wait_for

FRONT, BACK = "www.contoso.com", "backend.contoso.test"


def nginx(here: Path, port: int, backend: int) -> tuple[Path, list[str]]:
    """Its configuration, written, and how it is started in the foreground."""
    folders = "".join(
        f"{kind}_temp_path {here}/nginx-{kind};\n"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    written = here / "nginx.conf"
    written.write_text(
        f"""daemon off; master_process off; pid {here}/nginx.pid; error_log {here}/nginx.log;
events {{ worker_connections 1024; }}
http {{
  access_log off; {folders}
  upstream back {{ server 127.0.0.1:{backend}; keepalive 64; keepalive_requests 1000000; }}
  server {{
    listen 127.0.0.1:{port} ssl; keepalive_requests 1000000;
    ssl_certificate {here}/{FRONT}.crt; ssl_certificate_key {here}/{FRONT}.key;
    location / {{
      proxy_pass https://back; proxy_http_version 1.1;
      proxy_set_header Connection ""; proxy_set_header Host {BACK};
      proxy_ssl_server_name on; proxy_ssl_name {BACK};
      proxy_ssl_verify on; proxy_ssl_trusted_certificate {here}/root.crt;
    }}
  }}
}}
"""
    )
    return written, ["nginx", "-e", str(here / "nginx.log"), "-c", str(written)]


def haproxy(here: Path, port: int, backend: int) -> tuple[Path, list[str]]:
    """As :func:`nginx`."""
    together = here / "front.pem"
    together.write_bytes(
        (here / f"{FRONT}.crt").read_bytes() + (here / f"{FRONT}.key").read_bytes()
    )
    written = here / "haproxy.cfg"
    written.write_text(
        f"""global
  nbthread 1
  maxconn 500
defaults
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s
  http-reuse always
frontend front
  bind 127.0.0.1:{port} ssl crt {together}
  default_backend back
backend back
  http-request set-header Host {BACK}
  server one 127.0.0.1:{backend} ssl verify required ca-file {here}/root.crt sni str({BACK}) """
        f"""verifyhost {BACK}
"""
    )
    return written, ["haproxy", "-db", "-f", str(written)]


PROXIES: dict[str, Callable[[Path, int, int], tuple[Path, list[str]]]] = {
    "nginx": nginx,
    "haproxy": haproxy,
}


@contextmanager
def started(name: str, here: Path, port: int, backend: int) -> Iterator[int]:
    """Run a proxy until the block ends; its process id. ``here`` holds certificates and root."""
    _, command = PROXIES[name](here, port, backend)
    with (here / f"{name}.out").open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out)
    try:
        wait_for(lambda: _answers(port) or process.poll() is not None, 10, name)
        if process.poll() is not None:
            raise RuntimeError((here / f"{name}.out").read_text())
        yield process.pid
    finally:
        process.terminate()
        process.wait(10)


def installed() -> list[str]:
    return [name for name in PROXIES if shutil.which(name)]


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0
