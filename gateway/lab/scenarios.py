"""What lab servers do: each scenario declared once, by what it presents and what it answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from gateway.models import TargetKind

Presents = Literal[
    "full-chain",
    "leaf-only",
    "self-signed-ca",
    "self-signed",
    "wrong-name",
    "expired",
    "public",
    "app-service",
    "nothing",
]
"""Which certificates are sent in the handshake; ``nothing`` means plain HTTP."""

Answers = Literal["page", "error", "silence", "refusal"]
"""A page (200), an error (500), a connection without an answer, or no connection at all."""

ZONE = "contoso.test"
APP_SERVICE_ZONE = "azurewebsites.test"
NETWORK = "10.0.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A kind of lab server and its place in a sandbox's virtual network.

    ``id`` is what a row keeps; ``teaches`` says what the probe of a gateway finds. ``port`` is the
    port that clients name. With ``plain_port`` the server answers there too, by plain HTTP.
    """

    id: str
    name: str
    title: str
    teaches: str
    suffix: int
    fqdn: str
    port: int = 443
    plain_port: int | None = None
    kind: TargetKind = TargetKind.ADDRESS
    presents: Presents = "full-chain"
    answers: Answers = "page"

    @property
    def address(self) -> str:
        """The address in the virtual network of a sandbox."""
        return f"{NETWORK}.{self.suffix}"

    @property
    def is_tls(self) -> bool:
        return self.presents != "nothing"


SCENARIOS: tuple[Scenario, ...] = (
    Scenario(
        id="full-chain",
        name="full-chain",
        title="Private CA, full chain",
        teaches=(
            "Sends leaf, intermediate and root of your lab CA. v2 wants the root uploaded, v1 the "
            "leaf; it answers plain HTTP on port 80 as well."
        ),
        suffix=10,
        fqdn=f"full-chain.{ZONE}",
        plain_port=80,
    ),
    Scenario(
        id="no-intermediate",
        name="no-intermediate",
        title="Private CA, intermediate left out",
        teaches=(
            "Sends its leaf alone. v2 cannot build a path to the root, uploaded or not; v1 "
            "compares leaves only and is content."
        ),
        suffix=11,
        fqdn=f"no-intermediate.{ZONE}",
        presents="leaf-only",
    ),
    Scenario(
        id="self-signed-ca",
        name="self-signed-ca",
        title="Self-signed, marked as a CA",
        teaches="Signed itself and says CA:TRUE, so v2 takes it as a root once it is uploaded.",
        suffix=12,
        fqdn=f"self-signed-ca.{ZONE}",
        presents="self-signed-ca",
    ),
    Scenario(
        id="self-signed",
        name="self-signed",
        title="Self-signed, not marked as a CA",
        teaches=(
            "Signed itself without CA:TRUE: v1 takes it on its list, v2 goes on looking for an "
            "issuer and finds none."
        ),
        suffix=13,
        fqdn=f"self-signed.{ZONE}",
        presents="self-signed",
    ),
    Scenario(
        id="wrong-name",
        name="wrong-name",
        title="Certificate of another host",
        teaches="The chain is fine, but the certificate names a host that nobody asked for.",
        suffix=14,
        fqdn=f"wrong-name.{ZONE}",
        presents="wrong-name",
    ),
    Scenario(
        id="expired",
        name="expired",
        title="Expired certificate",
        teaches="Everything fits except the date: the leaf has run out.",
        suffix=15,
        fqdn=f"expired.{ZONE}",
        presents="expired",
    ),
    Scenario(
        id="public",
        name="public",
        title="Issued by the lab's public CA",
        teaches=(
            "Issued by an authority that the lab counts as well known: v2 needs no upload, only "
            "the right host name."
        ),
        suffix=16,
        fqdn=f"public.{ZONE}",
        presents="public",
    ),
    Scenario(
        id="app-service",
        name="contoso-app",
        title="App Service",
        teaches=(
            f"Shows a wildcard certificate of *.{APP_SERVICE_ZONE} from the lab's public CA; pick "
            "the host name from the backend address."
        ),
        suffix=17,
        fqdn=f"contoso-app.{APP_SERVICE_ZONE}",
        plain_port=80,
        kind=TargetKind.APP_SERVICE,
        presents="app-service",
    ),
    Scenario(
        id="plain-http",
        name="plain-http",
        title="Plain HTTP",
        teaches="Speaks no TLS: port 80 answers, port 443 refuses.",
        suffix=18,
        fqdn=f"plain-http.{ZONE}",
        port=80,
        presents="nothing",
    ),
    Scenario(
        id="answers-500",
        name="answers-500",
        title="Answers 500",
        teaches="The connection is fine and the application is not: every answer has status 500.",
        suffix=19,
        fqdn=f"answers-500.{ZONE}",
        plain_port=80,
        answers="error",
    ),
    Scenario(
        id="silent",
        name="silent",
        title="Never answers",
        teaches="Takes the connection and says nothing until the probe runs out of time.",
        suffix=20,
        fqdn=f"silent.{ZONE}",
        plain_port=80,
        presents="nothing",
        answers="silence",
    ),
    Scenario(
        id="closed",
        name="closed",
        title="Closed port",
        teaches="Nothing listens: each connection is refused at once.",
        suffix=21,
        fqdn=f"closed.{ZONE}",
        presents="nothing",
        answers="refusal",
    ),
    Scenario(
        id="virtual-machine",
        name="myVM",
        title="Virtual machine",
        teaches="A web server on a virtual machine, with the full chain on 443 and HTTP on 80.",
        suffix=4,
        fqdn=f"myvm.{ZONE}",
        plain_port=80,
        kind=TargetKind.VIRTUAL_MACHINE,
    ),
    Scenario(
        id="virtual-machine-2",
        name="myVM2",
        title="Second virtual machine",
        teaches="The same again, so that a pool can hold two machines.",
        suffix=5,
        fqdn=f"myvm2.{ZONE}",
        plain_port=80,
        kind=TargetKind.VIRTUAL_MACHINE,
    ),
    Scenario(
        id="scale-set",
        name="myScaleSet",
        title="Scale set",
        teaches="An instance of a scale set, with the full chain on 443 and HTTP on 80.",
        suffix=6,
        fqdn=f"myscaleset.{ZONE}",
        plain_port=80,
        kind=TargetKind.SCALE_SET,
    ),
)

BY_ID = {scenario.id: scenario for scenario in SCENARIOS}

# Nobody is asked for by this name; the certificate of the wrong-name server bears it.
OTHER_HOST = "www.fabrikam.test"
