"""``./run manage user NAME``: a learner with a sandbox, or a fresh sign-in link for anybody."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from gateway.accounts import links
from gateway.accounts.models import User
from gateway.accounts.people import create_user
from gateway.lab.sandbox import ensure_sandbox


class Command(BaseCommand):
    help = "Create a user with a sandbox of their own, or print a fresh one-time link for one."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="the user's name")
        parser.add_argument("--trainer", action="store_true", help="make the new user a trainer")
        parser.add_argument(
            "--administrator", action="store_true", help="make the new user an administrator"
        )
        parser.add_argument(
            "--address", default="http://localhost:8000", help="address of the portal"
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
        token = links.issue(user, now=timezone.now())
        self.stdout.write(
            f"One-time link, valid for 15 minutes:\n{options['address']}/account/link/{token}/"
        )
