"""Exported files: three places on a make-believe disk, and what may lie in them."""

from __future__ import annotations

import re

from django.db import transaction
from django.db.models import Count, Sum
from django.db.models.functions import Length

from certificates.models import Place, SavedFile
from certificates.stores import lock_owner

MAX_FILES = 200
"""Files of one user, all places together."""

MAX_NAME = 120
MAX_BYTES = 1024 * 1024
MAX_TOTAL = 8 * MAX_BYTES
"""Bytes of all files of one user."""

_FORBIDDEN = '\\/:*?"<>|'
# Names of devices: Windows keeps them to itself, with any ending.
_DEVICES = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])", re.IGNORECASE)


class FileRefusedError(ValueError):
    """A file cannot be saved; ``str()`` is a sentence for the user."""


def check_name(name: str) -> str:
    """``name`` as it will be stored, in full: blanks before it are cut off.

    Raises :class:`FileRefusedError` where Windows would not take it (Microsoft's article on naming
    files, paths and namespaces) or it is longer than :data:`MAX_NAME` characters.
    """
    name = name.lstrip(" ")
    if not name:
        raise FileRefusedError("Enter a file name.")
    if len(name) > MAX_NAME:
        raise FileRefusedError(f"A file name may have {MAX_NAME} characters; it has {len(name)}.")
    if any(not character.isprintable() for character in name):
        raise FileRefusedError("The file name holds a character that cannot be seen.")
    found = "  ".join(character for character in _FORBIDDEN if character in name)
    if found:
        raise FileRefusedError(f"A file name cannot hold:  {found}")
    if name[-1] in ". ":
        raise FileRefusedError("A file name cannot end with a dot or a blank.")
    stem = name.split(".", 1)[0].rstrip(" ")
    if _DEVICES.fullmatch(stem):
        raise FileRefusedError(f"“{stem}” is the name of a device; take another name.")
    return name


def find_file(owner_id: int, place: Place | str, name: str) -> SavedFile | None:
    """The file of that name, in whatever letter case it was saved."""
    # Compared here: SQLite folds the case of ASCII letters alone.
    wanted = name.casefold()
    rows = SavedFile.objects.filter(owner_id=owner_id, place=place).values_list("pk", "name")
    for pk, other in rows[:MAX_FILES]:
        if other.casefold() == wanted:
            return SavedFile.objects.filter(pk=pk).first()
    return None


def save_file(owner_id: int, place: Place | str, name: str, data: bytes) -> SavedFile:
    """Save a file at a place of the user; one of the same name (in any letter case) is replaced.

    Raises :class:`FileRefusedError` for a name that cannot be, for more than :data:`MAX_FILES`
    files, and for more than :data:`MAX_BYTES` bytes or :data:`MAX_TOTAL` in all files.
    """
    name = check_name(name)
    if place not in Place.values:
        raise FileRefusedError("Choose the Desktop, Documents or Downloads.")
    if len(data) > MAX_BYTES:
        raise FileRefusedError(f"The file has {len(data):,} bytes; {MAX_BYTES:,} can be kept.")
    with transaction.atomic():
        lock_owner(owner_id)
        row = find_file(owner_id, place, name) or SavedFile(owner_id=owner_id, place=place)
        others = SavedFile.objects.filter(owner_id=owner_id).exclude(pk=row.pk)
        told = others.aggregate(count=Count("pk"), size=Sum(Length("data")))
        if told["count"] >= MAX_FILES:
            raise FileRefusedError(
                f"There are {MAX_FILES} exported files already. Delete some of them first."
            )
        if (told["size"] or 0) + len(data) > MAX_TOTAL:
            raise FileRefusedError(
                f"Your exported files would take more than {MAX_TOTAL:,} bytes. Delete some of "
                "them first."
            )
        row.name, row.data = name, data
        row.save()
    return row
