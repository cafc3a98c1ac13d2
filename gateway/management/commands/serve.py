"""Start everything that belongs to one installation and keep it running."""

from __future__ import annotations

import os
import socket
import sys
import time
from argparse import ArgumentTypeError
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connections
from django.utils import timezone

from gateway.accounts import links, people
from gateway.accounts.models import Subscription
from gateway.lab import sandbox
from gateway.management.serving import database, dataplane, lock, ports, statics, tls, web
from gateway.management.serving.children import Child, Crew
from gateway.models.fields import validate_host_name
from gateway.operations.ports import publish_all

HTTP_PORT = 8000
HTTPS_PORT = 8443
LATE = 20.0  # seconds after which a start that takes longer is explained


def port_number(text: str) -> int:
    """A port for ``argparse``."""
    if text.isascii() and text.isdigit() and 1 <= int(text[:6]) <= 65535:
        return int(text)
    raise ArgumentTypeError(f"{text} is no port; it takes a number from 1 to 65535")


def process_count(text: str) -> int:
    """A number of processes for ``argparse``."""
    if text.isascii() and text.isdigit() and 1 <= int(text[:4]) <= 64:
        return int(text)
    raise ArgumentTypeError(f"{text} does not fit; it takes a number from 1 to 64")


class Command(BaseCommand):
    help = "Serve the portal over HTTP and HTTPS, with worker, lab servers and data-plane agent."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
        parser.add_argument(
            "--name", action="append", default=[], help="name by which others reach this machine"
        )
        parser.add_argument("--port", type=port_number, help=f"HTTP port ({HTTP_PORT} or next)")
        parser.add_argument(
            "--tls-port", type=port_number, help=f"HTTPS port ({HTTPS_PORT} or next)"
        )
        parser.add_argument("--workers", type=process_count, default=1, help="web processes each")
        # manage.py takes it before settings are read; it stands here for the help text.
        parser.add_argument("--data", help="directory that holds all of this installation")

    def handle(self, *args: Any, **options: Any) -> None:
        # Whatever any of our processes writes belongs to this user alone.
        os.umask(0o077)
        data: Path = settings.GATEWRIGHT_DATA
        try:
            with lock.held(data):
                self.prepare(data)
                self.serve(options)
        except (lock.InUseError, ports.PortTakenError, database.DatabaseUnusableError) as error:
            raise CommandError(str(error)) from None
        except KeyboardInterrupt:
            self.say("Stopped.")

    def say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()

    @contextmanager
    def step(self, label: str) -> Iterator[None]:
        started = time.monotonic()
        self.stdout.write(f"{label} … ", ending="")
        self.stdout.flush()
        yield
        self.say(f"done ({time.monotonic() - started:.1f} s)")

    def prepare(self, data: Path) -> None:
        """Everything that must stand before the first request."""
        if not database.is_current(data):
            with self.step("Preparing the database"):
                database.migrate(data)
        if not statics.is_current():
            with self.step("Collecting static files"):
                statics.collect()

    def serve(self, options: dict[str, Any]) -> None:
        names = outside_names(options["host"], options["name"])
        certificate = tls.ensure(
            settings.GATEWRIGHT_TLS,
            names,
            installation=settings.GATEWRIGHT_INSTALLATION,
            now=timezone.now(),
        )
        doors = open_doors(options, (certificate.certificate, certificate.key))
        publish_all(dataplane.look(doors))
        owner = people.ensure_owner()
        if Subscription.objects.filter(sandbox_of=owner).exists():
            sandbox.ensure_sandbox(owner)
        else:
            with self.step("Making a sandbox for the first user"):
                sandbox.ensure_sandbox(owner)
        engine, missing = dataplane.find_engine()
        if engine:
            dataplane.hand_over(doors, certificate.authority, now=timezone.now())
        connections.close_all()
        children = children_of(doors, names, options["workers"], carries=bool(engine))
        crew = Crew(children, self.say)
        crew.listen()
        try:
            if self.wait_until_ready(crew, doors):
                token = links.issue(owner, now=timezone.now())
                connections.close_all()
                carried = f"carried by Envoy {engine}"
                traffic = carried if engine else f"none, configuration only: {missing}"
                name = names[0] if names else "localhost"
                lock.tell_address(settings.GATEWRIGHT_DATA, doors[0].url(name))
                self.announce(doors, name, token, certificate, traffic)
            while not crew.stopping:
                crew.wait(crew.tend())
            self.say("")
            self.say("Stopping …")
        finally:
            crew.end()
        self.say("Stopped.")

    def wait_until_ready(self, crew: Crew, doors: list[web.Door]) -> bool:
        """Tend the children until every door answers; false when asked to stop before."""
        late = time.monotonic() + LATE
        closed = list(doors)
        while closed and not crew.stopping:
            crew.wait(min(crew.tend(), 0.1))
            closed = [
                door
                for door in closed
                if not web.answers(
                    door, settings.GATEWRIGHT_INSTALLATION, settings.GATEWRIGHT_CA_FILE
                )
            ]
            if closed and time.monotonic() > late:
                late += LATE
                waiting = ", ".join(door.url(door.nearby) for door in closed)
                self.say(f"Still waiting for {waiting} to answer …")
        return not crew.stopping

    def announce(
        self,
        doors: list[web.Door],
        name: str,
        token: str,
        certificate: tls.PortalCertificate,
        traffic: str,
    ) -> None:
        if certificate.new_authority:
            self.say("A new certificate authority was made for this installation.")
        self.say("")
        self.say("Gatewright is ready.")
        self.say("")
        for door in doors:
            self.say(f"  {door.scheme.upper():<8} {door.url(name)}")
        self.say(f"  Trust    {certificate.authority}  (signs the HTTPS certificate)")
        self.say(f"  Data     {settings.GATEWRIGHT_DATA}")
        self.say(f"  Traffic  {traffic}")
        self.say(f"  Sign in  {doors[0].url(name)}account/link/{token}/")
        minutes = int(links.LIFETIME.total_seconds() // 60)
        self.say(f"           (works once, within {minutes} minutes; each start prints a new one)")
        self.say("")
        self.say("Ctrl-C stops everything.")


def outside_names(host: str, given: list[str]) -> list[str]:
    """Names and addresses by which other machines reach the portal; none on the loopback."""
    if ports.is_loopback(host):
        if given:
            raise CommandError(
                "--name goes with a --host that other machines can reach, such as 0.0.0.0."
            )
        return []
    for name in given:
        try:
            validate_host_name(name)
        except ValidationError as error:
            raise CommandError(f"--name: {' '.join(error.messages)}") from None
    own = [socket.gethostname()] if ports.is_wildcard(host) else [host]
    return list(dict.fromkeys([*given, *own]))


def open_doors(options: dict[str, Any], certificate: tuple[Path, Path]) -> list[web.Door]:
    """The addresses to listen on: HTTP on the loopback only, HTTPS always."""
    host, port, tls_port = options["host"], options["port"], options["tls_port"]
    if not ports.is_loopback(host):
        if port is not None:
            raise CommandError(
                f"HTTP is served on the loopback only, so --port does not go with --host {host}; "
                "--tls-port names the HTTPS port."
            )
        found = ports.find(host, tls_port, HTTPS_PORT)
        return [web.Door("https", host, found, certificate)]
    plain = ports.find(host, port, HTTP_PORT, besides=tls_port or 0)
    secure = ports.find(host, tls_port, HTTPS_PORT, besides=plain)
    return [web.Door("http", host, plain), web.Door("https", host, secure, certificate)]


def children_of(
    doors: list[web.Door], names: list[str], workers: int, *, carries: bool
) -> list[Child]:
    """The processes of the installation, the web servers first; an agent if it ``carries``."""
    common = {
        **os.environ,
        "GATEWRIGHT_DATA": str(settings.GATEWRIGHT_DATA),
        "GATEWRIGHT_NAMES": ",".join(names),
        "GATEWRIGHT_PORTAL_ADDRESSES": ",".join(door.address for door in doors),
        "PYTHONPATH": os.pathsep.join(
            filter(None, [str(settings.BASE_DIR), os.environ.get("PYTHONPATH")])
        ),
    }
    # serve has read it already, and both at once are an error.
    common.pop("GATEWRIGHT_DATA_FILE", None)
    manage = [sys.executable, str(settings.BASE_DIR / "manage.py")]
    # Envoy ends with it, and so does traffic: it must not be waited for long.
    agent = Child("data-plane agent", [*manage, "dataplane", "run"], common, most=2.0)
    return [
        *(
            Child(
                f"{door.scheme.upper()} server",
                web.command(door, workers),
                {**common, "GATEWRIGHT_SCHEME": door.scheme},
                most=5.0,
            )
            for door in doors
        ),
        Child("worker", [*manage, "worker"], common),
        Child("lab server process", [*manage, "labservers"], common),
        *([agent] if carries else []),
    ]
