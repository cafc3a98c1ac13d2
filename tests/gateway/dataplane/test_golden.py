"""Every feature and every defect compiles to what its golden file holds.

``UPDATE_GOLDEN=1`` writes the files anew.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from gateway.dataplane.audit import faults
from gateway.dataplane.compile import Compiled
from gateway.dataplane.faces import NOBODY
from gateway.models import FrontendIPConfiguration
from tests.gateway.dataplane.cases import CASES
from tests.gateway.dataplane.engine import running
from tests.gateway.dataplane.sites import Traffic

pytestmark = pytest.mark.django_db
GOLDEN = Path(__file__).parent / "golden"
# What these have in common with others is not told again there.
COMMON = ("basic_http", "basic_http_v1", "basic_https", "clients_strict")

_HASHES = re.compile(r"[0-9a-f]{64}|[0-9a-f]{40}|(?<=\")[0-9a-f]{16}(?=\")|(?<=SHA-256 )\w{64}")


def compiled(build: Any) -> tuple[Traffic, Compiled]:
    """A case with ports that are always the same."""
    traffic = build()
    frontends = FrontendIPConfiguration.objects.filter(gateway=traffic.gateway).order_by("pk")
    for number, frontend in enumerate(frontends, start=1):
        for port, real in ((80, 8080), (443, 8443)):
            if port not in traffic.unpublished:
                traffic.ports[frontend.pk, port] = (f"127.0.9.{number}", real)
    return traffic, traffic.compile()


def normal(traffic: Traffic, found: Compiled) -> str:
    """The documents as text, with keys of rows and hashes replaced by numbers in their order."""
    document = {
        "listeners": found.listeners,
        "clusters": found.clusters,
        "files": sorted(name.rpartition(".")[2] for name in found.files),
        "owners": found.owners,
        "notes": [f"{note.kind.id}: {note.message}" for note in found.notes],
    }
    text = json.dumps(document, indent=1, ensure_ascii=False)
    for number, pk in enumerate(sorted({key[0] for key in traffic.ports}), start=1):
        text = text.replace(f"g{traffic.gateway.pk}/{pk}/", f"g/f{number}/")
    text = text.replace(f'"g{traffic.gateway.pk}/', '"g/')
    text = text.replace(f'"gateway": "{traffic.gateway.pk}"', '"gateway": "g"')
    seen: dict[str, str] = {}

    def numbered(match: re.Match[str]) -> str:
        if match[0] == NOBODY:
            return "nobody"
        return seen.setdefault(match[0], f"hash{len(seen) + 1}")

    return _HASHES.sub(numbered, text)


def shortened(name: str, text: str) -> str:
    """What is the same at many listeners is in one golden file only."""
    document = json.loads(text)
    for manager in managers(document):
        for common in COMMON[: COMMON.index(name)] if name in COMMON else COMMON:
            for other in managers(json.loads((GOLDEN / f"{common}.json").read_text())):
                for key, value in other.items():
                    is_small = key == "route_config" or not isinstance(value, list | dict)
                    if not is_small and manager.get(key) == value:
                        manager[key] = f"as in {common}"
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def managers(document: dict[str, Any]) -> list[dict[str, Any]]:
    """The connection managers of all filter chains."""
    return [
        chain["filters"][-1]["typed_config"]
        for listener in document["listeners"]
        for chain in (*listener["filter_chains"], listener.get("default_filter_chain"))
        if chain
    ]


@pytest.mark.parametrize("name", CASES)
def test_a_gateway_compiles_to_its_golden_file(name: str):
    traffic, found = compiled(CASES[name])
    assert list(faults(found.listeners, found.clusters)) == []
    text = shortened(name, normal(traffic, found))
    path = GOLDEN / f"{name}.json"
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(text)
    assert text == path.read_text(), f"{path.name} differs; UPDATE_GOLDEN=1 writes it anew"


def test_every_golden_file_has_its_case():
    assert {path.stem for path in GOLDEN.glob("*.json")} == set(CASES)


def test_the_same_gateway_always_gives_the_same_bytes():
    traffic = CASES["backends_with_different_certificates"]()
    traffic.compile()
    first, second = traffic.compile(), traffic.compile()
    assert json.dumps(first.listeners) == json.dumps(second.listeners)
    assert json.dumps(first.clusters) == json.dumps(second.clusters)
    assert (first.digest, first.files) == (second.digest, second.files)


def test_the_engine_takes_every_one_of_them():
    with running() as engine:
        for build in CASES.values():
            traffic = build()
            engine.write(traffic.compile())
            engine.wait_until_live()
