"""``./run manage user NAME``: a learner with a sandbox, or a fresh sign-in link for anybody."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from gateway.accounts import links
from gateway.accounts.models import Role, User
from gateway.accounts.people import create_user
from gateway.lab.sandbox import ensure_sandbox
from gateway.management.serving import lock
from gateway.operations import Caller
from gateway.operations.access import grant


class Command(BaseCommand):
    help = "Create a user with a sandbox of their own, or print a fresh one-time link for one."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="the user's name")
        parser.add_argument("--trainer", action="store_true", help="make the new user a trainer")
        parser.add_argument(
            "--administrator", action="store_true", help="make the new user an administrator"
        )
        parser.add_argument(
            "--role", choices=Role.values, help="give this role on the sandbox of --of"
        )
        parser.add_argument("--of", metavar="OWNER", help="the user whose sandbox --role is about")
        parser.add_argument(
            "--address", help="address of the portal (default: where it answers now)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(username__iexact=options["name"]).first()
        if user is None:
            try:
                user = create_user(
                    options["name"],
                    administrator=options["administrator"],
                    trainer=options["trainer"],
                )
            except ValidationError as error:
                raise CommandError(" ".join(error.messages)) from None
            ensure_sandbox(user)
            self.stdout.write(f"Created {user.username} with a sandbox.")
        if options["role"]:
            self.give_role(user, options["role"], options["of"] or "")
        token = links.issue(user, now=timezone.now())
        running = lock.address_of(settings.GATEWRIGHT_DATA)
        address = (options["address"] or running or "http://localhost:8000").rstrip("/")
        self.stdout.write(f"One-time link, valid for 15 minutes:\n{address}/account/link/{token}/")

    def give_role(self, user: User, role: str, owner_name: str) -> None:
        """Give ``user`` a role on somebody's sandbox, in the name of its owner."""
        owner = User.objects.filter(username__iexact=owner_name).first()
        if owner is None:
            raise CommandError("--role needs --of with the name of the sandbox's owner.")
        sandbox = ensure_sandbox(owner)
        outcome = grant(Caller(owner, "Command"), sandbox, user, Role(role))
        if not outcome.ok:
            raise CommandError("; ".join(problem.message for problem in outcome.errors))
        self.stdout.write(f"{user.username} is now {role} of “{sandbox.name}”.")
