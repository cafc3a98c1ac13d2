"""What a person would type to see what the prober saw, and its evidence as a text."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import Any

from gateway.health.reading import HealthRow
from gateway.network import Endpoint


@dataclass(frozen=True, slots=True)
class Command:
    """A command line; ``note`` says where it is typed."""

    id: str
    label: str
    note: str
    line: str


def commands(evidence: dict[str, Any], endpoint: Endpoint | None) -> list[Command]:
    """Commands that repeat a probe; none before the first connection was tried.

    ``endpoint`` is where a lab server really listens, which a shell on this machine can reach.
    """
    dialed = evidence.get("dialed")
    if not dialed:
        return []
    found = []
    if endpoint is not None:
        note = "On this machine; the lab server stands at a loopback address."
        real = f"{endpoint.host}:{endpoint.port}"
        found.append(Command("command-here", "On this machine", note, _line(evidence, real)))
    note = "On a virtual machine in the gateway's network, as one would in the cloud."
    found.append(Command("command-cloud", "In the cloud", note, _line(evidence, dialed)))
    return found


def _line(evidence: dict[str, Any], address: str) -> str:
    if evidence.get("scheme") == "https":
        return _s_client(evidence, address)
    host = str(evidence.get("host_header") or "")
    path = str(evidence.get("request") or "GET /").split()[1]
    return shlex.join(["curl", "-v", "-H", f"Host: {host}", f"http://{address}{path}"])


def _s_client(evidence: dict[str, Any], address: str) -> str:
    words = ["openssl", "s_client", "-connect", address]
    sni, name = evidence.get("sni"), evidence.get("checked_name")
    words += ["-servername", str(sni)] if sni else ["-noservername"]
    words += ["-showcerts", "-verify_return_error"]
    trust = evidence.get("trust") or {}
    if trust.get("kind") == "roots":
        words += ["-CAfile", "roots.cer"]
    if name:
        words += ["-verify_hostname", str(name)]
    return f"{shlex.join(words)} </dev/null"


def report(row: HealthRow, facts: list[dict[str, str]], chain: list[dict[str, Any]]) -> str:
    """The evidence of a verdict as a plain text to send to somebody; ends with a line break."""
    lines = [
        f"Server    {row.server} (pool {row.pool}), HTTP setting {row.setting}",
        f"Status    {row.status}{f' ({row.error_id})' if row.error_id else ''}",
        f"Message   {row.message}",
    ]
    if row.checked_at:
        lines.append(f"Probed    {row.checked_at:%Y-%m-%d %H:%M:%S} UTC")
    lines.append("")
    lines += [f"{fact['label']}: {fact['value']}" for fact in facts]
    stages = row.evidence.get("stages") or []
    if stages:
        lines += ["", "Stages"]
    for stage in stages:
        result = "passed" if stage["ok"] else "FAILED"
        lines.append(f"  {stage['name']:<12}{result:<8}{stage['ms']:>9.1f} ms  {stage['detail']}")
    if chain:
        lines += ["", "Presented certificates"]
    for number, one in enumerate(chain):
        mark = "  <- at fault" if one["at_fault"] else ""
        lines += [
            f"  {number}  {one['subject']}{mark}",
            f"     issued by   {one['issuer']}",
            f"     names       {', '.join(one['names']) or 'none'}",
            f"     valid       {one['not_before']:%Y-%m-%d %H:%M} to "
            f"{one['not_after']:%Y-%m-%d %H:%M} UTC",
            f"     thumbprint  {one['thumbprint']}",
        ]
    return "\n".join(lines) + "\n"
