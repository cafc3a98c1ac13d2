"""Every kind of problem has a page that helps, and a test that raises it."""

from __future__ import annotations

import importlib
import pkgutil
import subprocess
import sys
from html import unescape
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

import certificates
import gateway
from gateway.health.catalogue import HELP_ONLY
from gateway.problems import KINDS
from tests import factories
from tests.certificates import test_imports as imports
from tests.certificates.x509 import test_kinds_raised as x509
from tests.gateway.dataplane import test_kinds_raised as dataplane
from tests.gateway.document import test_kinds_raised as document
from tests.gateway.health import test_kinds_raised as health
from tests.gateway.lab import test_creating as lab
from tests.gateway.operations import test_kinds_raised as operations
from tests.gateway.portal import test_kinds_raised as portal
from tests.gateway.rules import test_every_kind as rules

ROOT = Path(__file__).resolve().parent.parent

for _package in (certificates, gateway):
    for _module in pkgutil.walk_packages(_package.__path__, f"{_package.__name__}."):
        importlib.import_module(_module.name)

# The tables by which each room's tests raise its kinds, one test for each entry.
TABLES: tuple[set[str], ...] = (
    {*x509.ROOTS, *x509.AUTHENTICATION, *x509.CLIENT_CAS, *x509.LISTENERS, *x509.PASSWORDS},
    x509.ELSEWHERE,
    {*imports.REFUSED, *imports.ELSEWHERE},
    {case.kind for case in rules.CASES},
    rules.OF_DELETING,
    rules.OF_NETWORKS,
    set(document.WRONG),
    document.ELSEWHERE,
    set(health.HAPPENINGS),
    # Explained and never reported here.
    set(HELP_ONLY),
    set(operations.HAPPENINGS),
    set(portal.MISTAKES),
    set(lab.HAPPENINGS),
    set(dataplane.HAPPENINGS),
)


def test_every_kind_is_raised_by_a_test() -> None:
    raised: set[str] = set().union(*TABLES)
    assert raised == set(KINDS)


@pytest.fixture
def client(db: None) -> Client:
    client = Client()
    client.force_login(factories.make_user(), backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_every_kind_has_a_page_with_title_cause_and_remedy(client: Client) -> None:
    index = unescape(client.get(reverse("portal:help-index")).content.decode())
    for kind in KINDS.values():
        url = reverse("portal:help", args=[kind.id])
        answer = client.get(url)
        assert answer.status_code == 200, kind.id
        text = unescape(answer.content.decode())
        for words in (kind.title, kind.why, kind.remedy, kind.source):
            assert words in text, f"the page of {kind.id} lacks “{words}”"
        assert url in index
        assert kind.title in index


def test_a_kind_that_nobody_declared_has_no_page(client: Client) -> None:
    assert client.get(reverse("portal:help", args=["no-such-kind"])).status_code == 404


def test_a_web_server_knows_every_kind_once_it_knows_its_addresses() -> None:
    """In a process of its own: here all rooms are imported already."""
    program = (
        "import django; django.setup(); import gateway.urls; "
        "from gateway.problems import KINDS; print(*sorted(KINDS))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout.split() == sorted(KINDS)
