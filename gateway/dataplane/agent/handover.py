"""An agent becomes the agent that is installed now, and its Envoy does not notice.

Told so by SIGUSR2, the agent first lets what is installed look at everything that it would serve.
If that is content, the process executes it in its own place: it stays the parent of Envoy, which
ends with it, and it keeps the locks of its directory.
"""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from gateway.dataplane.agent.home import Home, is_held, put

LOCKS = "GATEWRIGHT_AGENT_LOCKS"
PATIENCE = 240.0  # seconds that an upgrade may take: a slow machine with many sites needs some
_HELD_BACK = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR2)


class UpgradeError(Exception):
    """There was no upgrade, and what runs goes on; the text says why."""


@dataclass(frozen=True, slots=True)
class Told:
    """What an agent says of itself: since when it is what it is, and how its last upgrade went.

    ``begun`` differs for each program that the process was, ``refused`` counts upgrades that were
    not made. Holds no secret.
    """

    pid: int
    begun: int
    said: str
    refused: int = 0

    def keep(self, path: Path) -> None:
        put(path, json.dumps(asdict(self)).encode())


def told(home: Home) -> Told | None:
    """What the agent of a directory says; ``None`` while it has said nothing."""
    try:
        found = json.loads(home.agent_state.read_bytes())
        numbers = {name: int(found[name]) for name in ("pid", "begun", "refused")}
        return Told(said=str(found["said"]), **numbers)
    except (OSError, ValueError, KeyError, TypeError):
        return None


# -- the agent's side ----------------------------------------------------------------------------


def locks() -> tuple[int | None, int | None]:
    """The locks of directory and engine, handed over by the program that this process was."""
    agent, _, engine = os.environ.pop(LOCKS, "").partition(",")
    if not (agent.isdigit() and engine.isdigit()):
        return None, None
    for descriptor in (int(agent), int(engine)):
        os.set_inheritable(descriptor, False)
    return int(agent), int(engine)


def hold_back_signals() -> None:
    """Let signals wait, which between two programs would find nobody who knows them."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _HELD_BACK)


def take_signals() -> None:
    """Take them again, those that have waited first."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _HELD_BACK)


def become(command: Sequence[str], agent: int, engine: int) -> None:
    """Execute ``command`` in this process; returns, with an error, only if that cannot be.

    Raises :class:`OSError`.
    """
    for descriptor in (agent, engine):
        os.set_inheritable(descriptor, True)
    try:
        os.execve(command[0], list(command), {**os.environ, LOCKS: f"{agent},{engine}"})  # noqa: S606  (what this process is)
    finally:
        for descriptor in (agent, engine):
            os.set_inheritable(descriptor, False)


# -- the other side ------------------------------------------------------------------------------


def ask(home: Home, patience: float = PATIENCE) -> str:
    """Let the agent of a directory upgrade itself; what became of it, in words.

    Raises :class:`UpgradeError`.
    """
    before = told(home) if is_held(home) else None
    if before is None:
        raise UpgradeError(f"No agent works in {home.path}; “manage.py dataplane run” starts one.")
    try:
        os.kill(before.pid, signal.SIGUSR2)
    except OSError as error:
        raise UpgradeError(f"The agent cannot be told: {error.strerror}.") from None
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        now = told(home)
        if now is not None and now.begun != before.begun:
            return now.said
        if now is not None and now.refused != before.refused:
            raise UpgradeError(now.said)
        if not is_held(home):
            raise UpgradeError("The agent has ended; its own output says why.")
        time.sleep(0.05)
    raise UpgradeError("The agent does not answer; its own output may say why.")
