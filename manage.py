#!/usr/bin/env python3
"""Django's commands for this project. ``--data DIR`` is understood by each of them."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def take_data_directory(arguments: list[str]) -> list[str]:
    """Take ``--data DIR`` out of the arguments: settings need it before any command is known."""
    rest: list[str] = []
    waiting = iter(arguments)
    for argument in waiting:
        name, equals, value = argument.partition("=")
        if name != "--data":
            rest.append(argument)
            continue
        directory = value if equals else next(waiting, "")
        if not directory:
            sys.exit("--data takes a directory.")
        os.environ["GATEWRIGHT_DATA"] = str(Path(directory).expanduser().absolute())
        os.environ.pop("GATEWRIGHT_DATA_FILE", None)
    return rest


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gateway.settings")
    arguments = take_data_directory(sys.argv[1:])

    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    try:
        execute_from_command_line([sys.argv[0], *arguments])
    except ImproperlyConfigured as error:
        sys.exit(f"Gatewright cannot start: {error}")


if __name__ == "__main__":
    main()
