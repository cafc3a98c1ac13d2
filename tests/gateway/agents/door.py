"""The agents' door as an agent knocks at it."""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from gateway.agents import register
from gateway.models import ApplicationGateway, writing
from gateway.operations.ports import publish
from tests import factories


class Door:
    """Requests to the door; ``credential`` is sent along once there is one."""

    def __init__(self) -> None:
        self.client = Client(raise_request_exception=False)
        self.credential = ""

    def enrolled(self, name: str = "node", gateways: Any = None) -> Door:
        """The door as a new agent of its own knocks at it."""
        token = register.issue_token(name, now=timezone.now(), gateways=gateways)
        other = Door()
        answer = other.post("enrol", {"token": token})
        assert answer.status_code == 201, answer.content
        other.credential = answer.json()["credential"]
        return other

    def bundle(self, etag: str = "", *, parts: bool = False) -> HttpResponse:
        headers = {"If-None-Match": etag} if etag else {}
        headers |= {"A-IM": "gateways"} if parts else {}
        return self.client.get(
            "/agents/v1/bundle", secure=True, headers={**headers, **self._authorization()}
        )

    def post(self, what: str, content: object) -> Any:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        return self.client.post(
            f"/agents/v1/{what}",
            body,
            content_type="application/json",
            secure=True,
            headers=self._authorization(),
        )

    def _authorization(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.credential}"} if self.credential else {}


def published(gateway: ApplicationGateway) -> ApplicationGateway:
    """The gateway with its listeners published, as a save leaves it."""
    with writing():
        assert publish(factories.loaded(gateway)) == []
    return gateway


def report(**parts: Any) -> dict[str, Any]:
    """A report with nothing in it but ``parts``."""
    empty = {"id": "r1", "engine": "1.40.0", "gateways": [], "traffic": [], "access": []}
    return {**empty, **parts}


def state(gateway: ApplicationGateway, **parts: Any) -> dict[str, Any]:
    """What an agent says of a gateway whose last change it accepted."""
    told = {
        "id": gateway.pk,
        "generation": gateway.generation,
        "digest": "d" * 64,
        "accepted": True,
        "reason": "",
        "listeners": [],
    }
    return {**told, **parts}
