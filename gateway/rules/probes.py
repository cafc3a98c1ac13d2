"""Custom health probes by themselves; how they fit a setting is said in :mod:`backends`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gateway.models import LoadedGateway, Probe
from gateway.problems import Problem, declare
from gateway.rules.words import about, called, texts

_PROBES = "Application Gateway health probes article"

HOST_CHOICE = declare(
    "probe-host-choice",
    title="A probe has a host name, or takes it from the HTTP setting",
    why="The host name goes into the probe's request, and for HTTPS it is the name that the "
    "backend's certificate is checked for. It comes from exactly one place.",
    remedy="Enter a host, or choose to pick the host name from the HTTP setting.",
    source=_PROBES,
)
TIMEOUT_LONG = declare(
    "probe-timeout-long",
    severity="warning",
    title="The probe waits longer than its interval",
    why="With a timeout above the interval the next probe is due before the last one is judged, "
    "and a silent server stays in use for longer.",
    remedy="Make the timeout equal to or less than the interval.",
    source=_PROBES,
)
STATUS_CODES = declare(
    "probe-status-codes",
    title="The accepted status codes cannot be read",
    why="Accepted answers are given as codes and ranges of codes between 100 and 599.",
    remedy="Write codes like 200 and ranges like 200-399, separated by commas.",
    source=_PROBES,
)

_CODES = re.compile(r"([1-5]\d\d)(?:-([1-5]\d\d))?\Z", re.ASCII)


def status_range(text: str) -> tuple[int, int] | None:
    """Lowest and highest code of “200” or “200-399”; ``None`` if it is neither."""
    found = _CODES.match(text.strip())
    if found is None:
        return None
    low = int(found[1])
    high = int(found[2] or low)
    return (low, high) if low <= high else None


def check(loaded: LoadedGateway) -> Iterator[Problem]:
    for probe in loaded.probes:
        yield from _probe(probe)


def _probe(probe: Probe) -> Iterator[Problem]:
    if bool(probe.host) == probe.pick_host_name_from_settings:
        what = (
            f"has the host “{probe.host}” and also picks it from the HTTP setting"
            if probe.host
            else "has no host and does not pick it from the HTTP setting"
        )
        yield about(HOST_CHOICE, probe, f"{called(probe)} {what}.", "host")
    if probe.timeout > probe.interval:
        message = (
            f"{called(probe)} waits {probe.timeout} seconds for an answer and is sent every "
            f"{probe.interval} seconds."
        )
        yield about(TIMEOUT_LONG, probe, message, "timeout")
    for codes in texts(probe.match_status_codes):
        if status_range(codes) is None:
            message = f"{called(probe)}: “{codes[:40]}” is neither a status code nor a range."
            yield about(STATUS_CODES, probe, message, "match_status_codes")
