"""``./run bench``: a table of times and counts, on a throw-away SQLite database.

Times are medians in milliseconds of one process on this machine; counts are exact.
"""

from __future__ import annotations

import os
import sys

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

import django

django.setup()

from tests.benchmarks import blades, certificates, chains, dataplane, sweep  # noqa: E402
from tests.benchmarks.table import Table  # noqa: E402


def main() -> int:
    from django.db import connection

    table = Table()
    connection.creation.create_test_db(verbosity=0)
    try:
        for part in (certificates, blades, chains, sweep, dataplane):
            part.run(table)
    finally:
        table.print()
        connection.creation.destroy_test_db(str(connection.settings_dict["NAME"]), verbosity=0)
    return 0


if __name__ == "__main__":
    sys.exit(main())
