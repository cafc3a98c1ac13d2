"""``manage.py dataplane``: the agent that carries traffic, and the register of agents."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from gateway import waking
from gateway.agents import register
from gateway.dataplane.agent import binary, engine, follow, handover, home, places
from gateway.dataplane.agent.run import Agent, Installed
from gateway.models import Agent as AgentRow
from gateway.models import ApplicationGateway

TOKEN = "GATEWRIGHT_TOKEN"  # noqa: S105  (the name of a variable)


class Command(BaseCommand):
    help = "Carries the traffic of gateways with Envoy, and keeps the register of those who do."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        commands = parser.add_subparsers(dest="what", required=True)
        run = commands.add_parser("run", help="carry traffic until told to stop")
        self._directory(run)
        run.add_argument("--concurrency", type=int, default=2, help="threads of Envoy (2)")
        run.add_argument(
            "--listen",
            action="append",
            default=[],
            metavar="PUBLISHED=OWN",
            help="listen at an address of this machine instead of a published one, or at those of "
            "a network instead of those of another; may be repeated",
        )
        check = commands.add_parser("check", help="would Envoy carry what this machine has?")
        self._directory(check)
        upgrade = commands.add_parser(
            "upgrade", help="let the running agent and its Envoy become what is installed now"
        )
        self._directory(upgrade)
        enrol = commands.add_parser("enrol", help="enrol this machine at a portal")
        self._directory(enrol)
        enrol.add_argument("--portal", required=True, help="https://host:port of the portal")
        enrol.add_argument("--ca", required=True, type=Path, help="the portal's ca.pem")
        enrol.add_argument(
            "--token", help=f"the token that the portal gave; better in the variable {TOKEN}"
        )
        token = commands.add_parser("token", help="at the portal: let one more machine enrol")
        token.add_argument("name", help="what the agent will be called")
        token.add_argument(
            "--gateway",
            action="append",
            default=[],
            metavar="GROUP/NAME",
            help="carry this gateway only; may be repeated (default: all)",
        )
        commands.add_parser("list", help="at the portal: the agents there are")
        revoke = commands.add_parser("revoke", help="at the portal: close the door to an agent")
        revoke.add_argument("name")

    def _directory(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--directory", type=Path, help="where the agent keeps everything (default: below data)"
        )

    def handle(self, *args: Any, what: str, **options: Any) -> None:
        # Whatever an agent writes holds keys or may tell of them.
        os.umask(0o077)
        work: dict[str, Callable[[dict[str, Any]], None]] = {
            "run": self.run_agent,
            "check": self.check_engine,
            "upgrade": self.upgrade,
            "enrol": self.enrol,
            "token": self.token,
            "list": self.list_agents,
            "revoke": self.revoke,
        }
        work[what](options)

    def run_agent(self, options: dict[str, Any]) -> None:
        place = _home(options)
        lock, engine_lock = handover.locks()
        try:
            own = [places.place(text) for text in options["listen"]]
            found = binary.find(os.environ.get("ENVOY_BIN"))
            with home.held(place, lock) as lock:
                envoy = engine.Engine(place, found, max(options["concurrency"], 1))
                Agent(place, envoy, lock, _installed(place), engine_lock, own).run()
        except (
            binary.EngineMissingError,
            engine.EngineHeldError,
            home.HomeTakenError,
            places.BadPlaceError,
        ) as error:
            raise CommandError(str(error)) from None

    def check_engine(self, options: dict[str, Any]) -> None:
        try:
            found = binary.find(os.environ.get("ENVOY_BIN"))
            binary.try_out(found, _home(options))
        except binary.EngineMissingError as error:
            raise CommandError(str(error)) from None
        self.stdout.write(f"Envoy {found.version} would carry what lies here.")

    def upgrade(self, options: dict[str, Any]) -> None:
        try:
            self.stdout.write(handover.ask(_home(options)))
        except handover.UpgradeError as error:
            raise CommandError(str(error)) from None

    def enrol(self, options: dict[str, Any]) -> None:
        place = _home(options)
        token = options["token"] or os.environ.get(TOKEN, "")
        if not token:
            raise CommandError(f"A token is needed: --token, or the variable {TOKEN}.")
        try:
            authority = options["ca"].read_text(encoding="ascii")
        except (OSError, UnicodeDecodeError):
            raise CommandError(f"{options['ca']} cannot be read as a PEM file.") from None
        asked = follow.Credentials(options["portal"].rstrip("/"), authority)
        try:
            credential = follow.Portal(asked).enrol(token)
        except follow.PortalError as error:
            raise CommandError(str(error)) from None
        follow.save(place.portal, follow.Credentials(asked.url, authority, credential))
        self.stdout.write("This machine is enrolled. “manage.py dataplane run” carries traffic.")

    def token(self, options: dict[str, Any]) -> None:
        gateways = [_gateway(text) for text in options["gateway"]]
        try:
            token = register.issue_token(
                options["name"], now=timezone.now(), gateways=gateways or None
            )
        except register.NameTakenError as error:
            raise CommandError(str(error)) from None
        minutes = int(register.LIFETIME.total_seconds() // 60)
        self.stdout.write(f"Works once, within {minutes} minutes:")
        self.stdout.write(token)

    def list_agents(self, options: dict[str, Any]) -> None:
        for agent in AgentRow.objects.order_by("name").prefetch_related("assigned"):
            carries = "all gateways" if agent.everything else _names(agent)
            seen = f"{agent.last_seen_at:%Y-%m-%d %H:%M:%S}" if agent.last_seen_at else "never"
            state = "revoked" if agent.revoked_at else f"seen {seen}"
            self.stdout.write(f"{agent.name}: {state}, Envoy {agent.engine or '?'}, {carries}")

    def revoke(self, options: dict[str, Any]) -> None:
        if not register.revoke(options["name"], now=timezone.now()):
            raise CommandError(f"There is no agent called “{options['name']}”.")
        self.stdout.write("Revoked. What it has it keeps serving; stop it on its machine.")


def _installed(place: home.Home) -> Installed:
    """What this command is again, once other files lie where its own do now."""
    again = [sys.executable, *sys.orig_argv[1:]]
    check = [sys.executable, sys.argv[0], "dataplane", "check", "--directory", str(place.path)]
    return Installed(again, check)


def _home(options: dict[str, Any]) -> home.Home:
    found = home.Home((options["directory"] or waking.directory()).absolute())
    found.make()
    return found


def _gateway(text: str) -> ApplicationGateway:
    group, _, name = text.rpartition("/")
    found = ApplicationGateway.objects.filter(name__iexact=name, group__name__iexact=group)
    if len(found) != 1:
        raise CommandError(
            f"{text} names {'no gateway' if not found else 'several gateways'}; write GROUP/NAME."
        )
    return found[0]


def _names(agent: AgentRow) -> str:
    return ", ".join(gateway.name for gateway in agent.assigned.all()) or "no gateway"
