"""A gateway with published ports, an agent that carries it, and what that agent reports."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from gateway.models import (
    AccessLogLine,
    Agent,
    AgentState,
    ApplicationGateway,
    HttpListener,
    ListenerState,
    PublishedPort,
    TrafficMinute,
)
from tests import factories as make

ENGINE = "1.40.0"


def publish(
    gateway: ApplicationGateway, listener: HttpListener, number: int, host: str = "127.0.0.1"
) -> PublishedPort:
    """The port of ``listener``, bound as ``number``."""
    assert listener.frontend_port is not None
    return make.add_row(
        PublishedPort,
        frontend=listener.frontend_ip_configuration,
        host=host,
        port=listener.frontend_port.port,
        number=number,
    )


def agent(
    gateway: ApplicationGateway, seen: datetime | None, name: str = "here", **fields: Any
) -> Agent:
    """An agent with an engine that is to carry ``gateway`` and was heard of at ``seen``."""
    fields.setdefault("engine", ENGINE)
    row = Agent.objects.create(
        name=name,
        credential_hash=f"hash of {name}",
        enrolled_at=make.NOW,
        last_seen_at=seen,
        **fields,
    )
    row.assigned.add(gateway)
    return row


def accepts(
    row: Agent, gateway: ApplicationGateway, accepted: bool | None = True, **fields: Any
) -> None:
    """The agent's report on the gateway as a whole."""
    fields.setdefault("generation", gateway.generation)
    AgentState.objects.create(agent=row, gateway=gateway, accepted=accepted, at=make.NOW, **fields)


def reports(
    row: Agent, gateway: ApplicationGateway, listener: str, state: str, reason: str = ""
) -> None:
    """The agent's report on one listener."""
    ListenerState.objects.create(
        agent=row, gateway=gateway, listener=listener, state=state, reason=reason, at=make.NOW
    )


def logged(gateway: ApplicationGateway, **fields: Any) -> AccessLogLine:
    """A line of the access log; what is not given is that of a good request."""
    line = {
        "clientIP": "127.0.0.1",
        "clientPort": "50000",
        "httpMethod": "GET",
        "originalRequestUriWithArgs": "/",
        "requestUri": "/",
        "httpStatus": 200,
        "details": "via_upstream",
        "flags": "-",
        "listenerName": "site",
        "ruleName": "rule",
        "routeName": "rule",
        "originalHost": "www.contoso.com",
        "sslEnabled": "on",
        "sslProtocol": "TLSv1.3",
        "sslCipher": "TLS_AES_256_GCM_SHA384",
    }
    return AccessLogLine.objects.create(gateway=gateway, at=make.NOW, line={**line, **fields})


def crowded(gateway: ApplicationGateway, count: int) -> None:
    """Everything that the data plane reports, for each of the sites of ``tests.crowds``."""
    row = agent(gateway, timezone.now(), name=f"for {gateway.pk}")
    accepts(row, gateway)
    published = None
    for number in range(count):
        listener = HttpListener.objects.get(gateway=gateway, name=f"listener{number}")
        if published is None:
            published = publish(gateway, listener, 10_000 + gateway.pk)
        reports(row, gateway, listener.name, "live")
        now = timezone.now().replace(second=0, microsecond=0)
        if number < 60:
            TrafficMinute.objects.create(
                gateway=gateway, minute=now - timedelta(minutes=number), requests=3, s2xx=3
            )
        logged(
            gateway,
            listenerName=listener.name,
            ruleName="site0",
            backendPoolName="shared",
            backendSettingName="settings0",
            serverRouted="10.0.2.0:443",
        )
