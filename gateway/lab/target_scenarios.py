"""Lab servers that stand for resources: virtual machines, a scale set, an App Service."""

from __future__ import annotations

from gateway.lab.scenario import APP_SERVICE_ZONE, ZONE, Scenario
from gateway.models import TargetKind

TARGETS: tuple[Scenario, ...] = (
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
