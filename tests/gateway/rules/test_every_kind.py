"""Every kind of problem that the rules declare is raised, at its place and in plain words."""

from __future__ import annotations

import importlib
import pkgutil

import pytest

from gateway import rules
from gateway.models import ApplicationGateway
from gateway.problems import KINDS, Kind, errors
from gateway.rules.advice import advise
from gateway.rules.fields import field_problems
from tests.factories import NOW, loaded
from tests.gateway.rules import (
    cases_advice,
    cases_backends,
    cases_certificates,
    cases_fields,
    cases_frontends,
    cases_listeners,
    cases_policies,
    cases_routing,
    cases_tiers,
)
from tests.gateway.rules.tables import CASES, Case

TABLES = (
    cases_advice,
    cases_backends,
    cases_certificates,
    cases_fields,
    cases_frontends,
    cases_listeners,
    cases_policies,
    cases_routing,
    cases_tiers,
)
# Raised when something is to be deleted; its test is in test_references.py.
OF_DELETING = {"in-use"}
# Raised where a verdict is looked at; the table of tests.gateway.health has it.
OF_TRAFFIC = {"traffic-name-uncovered"}
# Raised about virtual networks; their tests are in test_networks.py.
OF_NETWORKS = {"dns-server-invalid", "dns-servers-many", "zone-full"}


def declared() -> dict[str, Kind]:
    """The kinds of the room: those that stand in one of its modules."""
    found: dict[str, Kind] = {}
    for module in pkgutil.iter_modules(rules.__path__, "gateway.rules."):
        for value in vars(importlib.import_module(module.name)).values():
            if isinstance(value, Kind):
                found[value.id] = value
    return found


@pytest.mark.django_db
@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_mistake_is_found(case: Case):
    made = case.make()
    if isinstance(made, ApplicationGateway) and made.pk:
        whole = loaded(made)
        problems = [*rules.check(whole, now=NOW), *advise(whole, now=NOW)]
    else:
        problems = field_problems(made)
    found = [problem for problem in problems if problem.id == case.kind]
    assert found, f"found {[problem.id for problem in problems]}"
    first = found[0]
    assert (first.target.collection, first.target.name, first.target.field) == case.target
    for words in case.says:
        assert words in first.message
    assert first.arm_code == case.code
    others = {problem.id for problem in errors(problems)} - {case.kind}
    assert others <= case.also, "one mistake has one cause"
    if made.pk:
        assert {problem.id for problem in errors(problems)} >= case.also


def test_every_kind_has_a_mistake():
    assert TABLES
    missing = (
        set(declared()) - {case.kind for case in CASES} - OF_DELETING - OF_NETWORKS - OF_TRAFFIC
    )
    assert not missing


@pytest.mark.parametrize("kind", declared().values(), ids=lambda kind: kind.id)
def test_every_kind_explains_itself(kind: Kind):
    assert KINDS[kind.id] is kind
    assert kind.title
    assert not kind.title.endswith(".")
    assert kind.why.endswith(".")
    assert kind.remedy.endswith(".")
    assert kind.source
    assert kind.id == kind.id.lower().replace("_", "-")
