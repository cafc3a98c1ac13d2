"""``./run manage labca KIND NAME``: a user's lab CA, which makes what its page makes."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from certificates import labca, labca_files
from certificates.labca import Kind, Made, Order, OrderRefusedError, make, validity
from certificates.labca_files import PUBLIC_FILES, File
from certificates.models import Authority, ChainForm, StoredCertificate
from certificates.secrets import KeyMissingError
from certificates.workshop.labca_forms import KEYS, PURPOSES, label
from certificates.x509.places.export import ExportError
from gateway.accounts.models import User
from gateway.accounts.people import OWNER_NAME

_ABOUT = """\
List or make certificates of a user's lab CA. What is made is in the user's stores as well, as if
the page “Lab CA” had made it; with --out its files are written into a directory.

  labca list
  labca root "My Root"
  labca intermediate "My Issuing CA" --issuer "My Root"
  labca server backend.contoso.test --issuer "My Issuing CA" --out certs
  labca server backend.contoso.test --issuer "My Issuing CA" --from 2020-01-01 --to 2021-01-01
  labca self-signed backend.contoso.test --out certs --pfx-password-file password.txt
  labca client Anna --issuer "My Root" --out certs
"""
_CALENDAR_DAYS = 10**7  # beyond any date that there is


class Command(BaseCommand):
    help = _ABOUT

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> Any:
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        parser.formatter_class = RawDescriptionHelpFormatter
        return parser

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "kind", choices=["list", "root", "intermediate", "server", "client", "self-signed"]
        )
        parser.add_argument("name", nargs="?", default="", help="the common name (CN)")
        parser.add_argument("--user", default=OWNER_NAME, help="whose lab CA (%(default)s)")
        parser.add_argument("--issuer", default="", help="the name of the authority that signs")
        parser.add_argument(
            "--san", action="append", default=[], metavar="NAME", help="a host name; repeatable"
        )
        parser.add_argument(
            "--ip", action="append", default=[], metavar="ADDRESS", help="an address; repeatable"
        )
        parser.add_argument("--cn-only", action="store_true", help="no alternative names at all")
        parser.add_argument("--from", dest="begin", metavar="ISO", help="first day or moment (UTC)")
        parser.add_argument("--to", dest="end", metavar="ISO", help="last day or moment (UTC)")
        parser.add_argument("--days", type=int, help="days from its first, instead of --to")
        parser.add_argument("--key", choices=[key for key, _ in KEYS], default="ec")
        parser.add_argument(
            "--purpose",
            choices=list(PURPOSES),
            help="what it may be used for; none: neither server nor client, any: not stated",
        )
        parser.add_argument("--sha1", action="store_true", help="an outdated signature")
        parser.add_argument("--path-length", type=int, metavar="N", help="of an authority")
        parser.add_argument("--ca", action="store_true", help="mark self-signed as a CA")
        parser.add_argument(
            "--chain",
            choices=ChainForm.values,
            default=ChainForm.COMPLETE.value,
            help="what the chain file holds (%(default)s)",
        )
        parser.add_argument("--friendly-name", default="", help="its name in the stores")
        parser.add_argument("--out", type=Path, metavar="DIR", help="write its files there")
        parser.add_argument(
            "--pfx-password-file",
            metavar="FILE",
            help="write a PFX too, protected by the first line of this file (-: standard input)",
        )
        parser.add_argument("--legacy", action="store_true", help="a PFX for old programs")

    def handle(self, *args: Any, **options: Any) -> None:
        user = _user(options["user"])
        if options["kind"] == "list":
            self.show(user)
            return
        now = timezone.now()
        # All that can be wrong outside the order is found before anything is made.
        password = _password(options)
        directory = _directory(options["out"])
        try:
            made = make(user.pk, _order(user, options, now), now=now)
        except OrderRefusedError as error:
            raise CommandError(str(error)) from None
        name = made.entry.friendly_name or options["name"]
        self.stdout.write(f"Made “{name}” in the lab CA of {user.username}.")
        if directory is not None:
            try:
                files = _files(made, user, password, legacy=options["legacy"], now=now)
            except (ExportError, KeyMissingError) as error:
                raise CommandError(f"Its files were not written: {error}") from None
            for file, is_secret in files:
                self.stdout.write(str(_write(directory, file, is_secret=is_secret)))

    def show(self, user: User) -> None:
        """The authorities and certificates, a line for each."""
        for authority in labca.authorities_of(user.pk):
            above = f"below {label(authority.parent)}" if authority.parent else "root"
            self.stdout.write(_line(label(authority), authority, above))
        made = StoredCertificate.objects.filter(owner=user, made_here=True)
        for entry in made.select_related("certificate").order_by("pk"):
            issuer = entry.certificate.parsed.issuer_common_name
            self.stdout.write(_line(entry.friendly_name, entry, f"issued by {issuer}"))


def _user(name: str) -> User:
    # Bytes that are no UTF-8 arrive as characters that no database takes.
    user = User.objects.filter(username__iexact=name).first() if name.isprintable() else None
    if user is None:
        shown = name.encode(errors="replace").decode()
        raise CommandError(f"There is no user “{shown}”.")
    return user


def _line(name: str, row: Authority | StoredCertificate, where: str) -> str:
    certificate = row.certificate.parsed
    return f"{name}  ({where}, {certificate.key.label}, until {certificate.not_after:%Y-%m-%d})"


def _order(user: User, options: dict[str, Any], now: datetime) -> Order:
    kind = cast(Kind, options["kind"])
    if kind == "self-signed" and options["ca"]:
        kind = "self-signed-ca"
    begin, end = _dates(options, now, authority=kind in labca.AUTHORITIES)
    issuer_id = None
    if kind in labca.ISSUED:
        issuer_id = _issuer(user, options["issuer"]).pk
    purpose = options["purpose"] or ("client" if kind == "client" else "server")
    return Order(
        kind=kind,
        name=options["name"],
        valid_from=begin,
        valid_to=end,
        issuer_id=issuer_id,
        names=[*options["san"], *options["ip"]],
        cn_only=options["cn_only"],
        key=options["key"],
        purposes=PURPOSES[purpose],
        digest="sha1" if options["sha1"] else "sha256",
        path_length=options["path_length"],
        chain_form=ChainForm(options["chain"]),
        friendly_name=options["friendly_name"],
    )


def _issuer(user: User, name: str) -> Authority:
    """The authority that ``--issuer`` means: by its name, or by that of its certificate."""
    mine = list(labca.authorities_of(user.pk))
    if not name:
        known = ", ".join(f"“{one.name}”" for one in mine) or "none yet: make a root first"
        raise CommandError(f"Say who signs it with --issuer. Authorities: {known}.")
    wanted = name.lower()
    for one in mine:
        if wanted in {one.name.lower(), one.certificate.parsed.label.lower()}:
            return one
    raise CommandError(f"{user.username} has no authority “{name}”; “labca list” shows them.")


def _dates(options: dict[str, Any], now: datetime, *, authority: bool) -> tuple[datetime, datetime]:
    usual_begin, usual_end = validity("valid", now, authority=authority)
    begin = _moment("--from", options["begin"]) or usual_begin
    if options["days"] is not None and options["end"]:
        raise CommandError("Give --to or --days, not both.")
    if options["days"] is None:
        # What begins in the future lasts as long as what begins now.
        usual = usual_end if begin <= now else _later(begin, usual_end - usual_begin)
        return begin, _moment("--to", options["end"]) or usual
    days = max(-_CALENDAR_DAYS, min(options["days"], _CALENDAR_DAYS))
    return begin, _later(begin, timedelta(days=days))


def _later(begin: datetime, span: timedelta) -> datetime:
    try:
        return begin + span
    except OverflowError:
        raise CommandError("These dates lie outside the calendar.") from None


def _moment(option: str, text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        raise CommandError(
            f"{option} wants a date such as 2026-03-31 or 2026-03-31T12:00, not “{text}”."
        ) from None


def _password(options: dict[str, Any]) -> str | None:
    """The first line of the password file; ``None`` without one."""
    path = options["pfx_password_file"]
    if path is None:
        if options["legacy"]:
            raise CommandError("--legacy is about a PFX: it needs --pfx-password-file.")
        return None
    if options["out"] is None:
        raise CommandError("A PFX is written with the other files: --out is missing.")
    try:
        text = sys.stdin.readline() if path == "-" else Path(path).read_text().partition("\n")[0]
    except OSError as error:
        raise CommandError(f"The password cannot be read: {path}: {error.strerror}.") from None
    except ValueError:
        raise CommandError(f"The password cannot be read: {path} is no UTF-8 text.") from None
    password = text.rstrip("\r\n")
    if not password:
        raise CommandError("A PFX needs a password; its file begins with an empty line.")
    return password


def _directory(path: Path | None) -> Path | None:
    if path is None:
        return None
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CommandError(f"The directory {path} cannot be made: {error.strerror}.") from None
    return path


def _files(
    made: Made, user: User, password: str | None, *, legacy: bool, now: datetime
) -> list[tuple[File, bool]]:
    """The files of what was made, each with whether it holds the private key.

    The key of an authority leaves in a PFX alone; a certificate's in the zip for a server too.
    """
    if made.authority is not None:
        subject = labca_files.of_authority(made.authority, user.pk, now)
        key = bytes(made.authority.key.pem)
    else:
        subject = labca_files.of_entry(made.entry, now)
        key = bytes(made.entry.key.pem)
    files = [(labca_files.public_file(subject, kind), False) for kind in PUBLIC_FILES]
    if made.authority is None:
        files.append((labca_files.server_zip(subject, key, now), True))
    if password is not None:
        files.append((labca_files.pfx(subject, key, password, legacy=legacy), True))
    return files


def _write(directory: Path, file: File, *, is_secret: bool) -> Path:
    """Write a file, readable by its owner alone if it holds a key; a fresh one replaces an old."""
    path = directory / file.name
    try:
        path.unlink(missing_ok=True)
        mode = 0o600 if is_secret else 0o644
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(file.content)
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error.strerror}.") from None
    return path
