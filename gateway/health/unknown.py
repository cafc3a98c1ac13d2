"""Causes of an unknown health (``U-``), one kind each, with what helps.

The causes are those of the article "Troubleshoot backend health issues in Application Gateway";
``U-NOT-ALLOWED`` and ``U-PROBER`` are this portal's own. What lies in the cloud's network cannot
be observed here: those causes are simulated by a switch of the gateway's subnet.
"""

from __future__ import annotations

from gateway.problems import declare

_HEALTH = "Troubleshoot backend health issues in Application Gateway"
_502 = "Troubleshoot bad gateway errors in Application Gateway"

U_NEW = declare(
    "U-NEW",
    severity="warning",
    title="Not probed yet",
    why="The first probe of this server has not finished. Until a probe succeeds the server gets "
    "no traffic.",
    remedy="Wait for the first probe.",
    source=_HEALTH,
)
U_NOT_ALLOWED = declare(
    "U-NOT-ALLOWED",
    severity="warning",
    title="This installation does not connect to that address",
    why="Backends in the lab are always reachable. Other addresses are only connected to when the "
    "administrator of the installation has opened their network, and a few never are.",
    remedy="Choose a server of the lab, or ask the administrator to add the network to "
    "GATEWRIGHT_ALLOWED_NETWORKS.",
)
U_PROBER = declare(
    "U-PROBER",
    severity="warning",
    title="The prober itself failed",
    why="Something went wrong inside the portal while this server was probed; it says nothing "
    "about the server. The portal's log has the details.",
    remedy="Wait for the next probe. If it stays, report it together with the log.",
)
U_DNS = declare(
    "U-DNS",
    severity="warning",
    title="The DNS servers are silent, and no earlier address is known",
    why="The pool holds a name, and nobody answered when it was asked for. A gateway goes on with "
    "the address that a name had last, but every change of its configuration empties that memory, "
    "so after a save the name has to be resolved anew.",
    remedy="Repair the DNS servers of the virtual network, or the way to them from the gateway's "
    "subnet. Until then, do not save the gateway, or put the IP address into the pool.",
    source=_HEALTH,
)
U_CDNS = declare(
    "U-CDNS",
    severity="warning",
    title="The custom DNS servers do not resolve other names than their own",
    why="The virtual network names its own DNS servers, and they refuse to answer for names "
    "outside the zone that they serve. A gateway also needs public names: those of public "
    "backends, and those under which authorities publish revoked certificates.",
    remedy="Have the custom DNS servers forward what they do not know, or go back to the DNS of "
    "the platform in the virtual network.",
    source=_HEALTH,
)
U_NSG = declare(
    "U-NSG",
    severity="warning",
    title="A network security group blocks the gateway's management ports",
    why="The platform manages a gateway through ports of its own: 65503 to 65534 for v1, 65200 to "
    "65535 for v2. While a network security group on the gateway's subnet blocks them, the health "
    "of the backends cannot be told. For v2 such a group is refused when it is configured, so in "
    "practice this happens to v1.",
    remedy="Allow those ports inbound on the gateway's subnet, for v2 from the service tag "
    "GatewayManager.",
    source=_HEALTH,
)
U_UDR = declare(
    "U-UDR",
    severity="warning",
    title="A route of the subnet leads the gateway's traffic away",
    why="A route table on the gateway's subnet sends 0.0.0.0/0 somewhere else than to the "
    "internet, so the platform and the gateway no longer hear each other.",
    remedy="Give the default route of the gateway's subnet the next hop Internet, or remove it.",
    source=_HEALTH,
)
U_BGP = declare(
    "U-BGP",
    severity="warning",
    title="A default route learned over BGP leads the gateway's traffic away",
    why="ExpressRoute or a VPN announces 0.0.0.0/0 to the virtual network, so answers take "
    "another way back than the questions came.",
    remedy="Keep the announced default route away from the gateway's subnet: a route table with a "
    "default route to the internet, or no propagation of gateway routes.",
    source=_HEALTH,
)
U_FW = declare(
    "U-FW",
    severity="warning",
    title="A firewall on the way drops the probes",
    why="Traffic between the gateway and its backends runs through a firewall or a virtual WAN "
    "hub that drops the probes, or that sees one direction only.",
    remedy="Let the firewall pass the gateway's subnet to the backends in both directions, or "
    "route between the two directly.",
    source=_HEALTH,
)
U_NVA = declare(
    "U-NVA",
    severity="warning",
    title="An appliance on the way alters the probes",
    why="A network appliance between gateway and backend rewrites probes or their answers. The "
    "health may then be unknown although the server answers, and clients are still served.",
    remedy="Have the appliance pass the traffic between gateway and backend unaltered, or route "
    "around it.",
    source=_502,
)
U_CRL = declare(
    "U-CRL",
    severity="warning",
    title="The lists of revoked certificates cannot be fetched",
    why="The gateway looks up at public authorities whether certificates were revoked "
    "(crl.microsoft.com, crl3.digicert.com). Where those hosts cannot be reached from its subnet, "
    "the health may be unknown although the server answers.",
    remedy="Allow the gateway's subnet outbound to those hosts on port 80.",
    source=_502,
)
U_GW = declare(
    "U-GW",
    severity="warning",
    title="The gateway itself is not well",
    why="The platform reports that the gateway's own instances are degraded, so they cannot tell "
    "about the backends.",
    remedy="Look at the resource health of the gateway; if it stays, open a support case.",
    source=_HEALTH,
)
