"""A throw-away PostgreSQL: `python -m tests.postgres COMMAND …` runs a command inside one."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PREFIX = "gatewright-pg-"
ABANDONED = 6 * 3600  # seconds after which a directory was left behind by a killed run


def program(name: str) -> str:
    """The path of one of PostgreSQL's programs; raises ``FileNotFoundError``."""
    installed = sorted(
        Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: float(path.parts[4])
    )
    found = shutil.which(name) or (str(installed[-1]) if installed else None)
    if found is None:
        raise FileNotFoundError(f"PostgreSQL's {name} is not installed (Debian: postgresql).")
    return found


def sweep() -> None:
    """Remove directories of runs that were killed."""
    for path in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        if time.time() - path.stat().st_mtime > ABANDONED:
            shutil.rmtree(path, ignore_errors=True)


@contextmanager
def cluster() -> Iterator[str]:
    """Run a fresh server on a unix socket and give the ``DATABASE_URL`` that reaches it."""
    sweep()
    directory = Path(tempfile.mkdtemp(prefix=PREFIX))
    # PostgreSQL refuses to run as root, so root lends the directory to Debian's own user.
    user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    if user:
        shutil.chown(directory, "postgres")
    data, log = directory / "data", directory / "log"

    def run(*arguments: str) -> None:
        done = subprocess.run(
            [*user, *arguments], cwd=directory, capture_output=True, text=True, check=False
        )
        if done.returncode:
            written = log.read_text() if log.exists() else ""
            raise RuntimeError(f"{arguments[0]} failed: {done.stdout}{done.stderr}{written}")

    options = f"-c listen_addresses='' -c unix_socket_directories='{directory}' -c fsync=off"
    try:
        run(
            program("initdb"), f"--pgdata={data}", "--username=postgres", "--auth=trust",
            "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync",
        )  # fmt: skip
        # Output goes to a file: a server that held our pipe would keep pg_ctl from returning.
        run(program("pg_ctl"), "-D", str(data), "-l", str(log), "-o", options, "-w", "start")
        try:
            yield f"postgresql://postgres@/postgres?host={directory}"
        finally:
            run(program("pg_ctl"), "-D", str(data), "-m", "immediate", "stop")
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def main() -> int:
    with cluster() as url:
        return subprocess.run(
            sys.argv[1:], env={**os.environ, "DATABASE_URL": url}, check=False
        ).returncode


if __name__ == "__main__":
    sys.exit(main())
