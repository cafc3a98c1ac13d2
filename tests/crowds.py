"""Gateways with as many of everything as wanted, for what must not grow with the rows."""

from __future__ import annotations

from certificates import stores
from certificates.authorities import keep_authority
from certificates.files import save_file
from certificates.models import Folder, Place, Store
from certificates.x509.issuing import issue
from gateway.accounts.models import User
from gateway.health.planner import plan_gateway
from gateway.models import (
    Activity,
    ApplicationGateway,
    BackendAddress,
    BackendAddressPool,
    FrontendPort,
    LabServer,
    TargetKind,
    ZoneRecord,
)
from tests import factories as make

# What the first of each carries for a name; the others count on from it.
SETTINGS, LISTENER, RULE, POOL, PROBE = "settings0", "listener0", "site0", "pool0", "probe0"
SHARED_POOL = "shared"


def crowd(count: int, name: str = "myAppGateway") -> ApplicationGateway:
    """A v2 gateway with ``count`` sites over HTTPS, all that belongs to them, and their verdicts.

    Each site has a listener with a certificate, a rule, a pool, an HTTP setting with a probe and a
    trusted root. One pool has ``count`` targets; there are as many path maps with a rule each,
    redirects, rewrite sets, lab servers and recorded operations.
    """
    gateway = make.v2_gateway(name=name)
    port = make.add(gateway, FrontendPort, "port443", port=443)
    shared = make.add_pool(gateway, SHARED_POOL)
    network = make.loaded(gateway).virtual_network
    owner = make.owner_of(gateway)
    for number in range(count):
        make.add_row(BackendAddress, pool=shared, ip_address=f"10.0.2.{number}", position=number)
        make.add_row(
            LabServer,
            virtual_network=network,
            name=f"vm{number}",
            kind=TargetKind.VIRTUAL_MACHINE,
            scenario="full-chain",
            address=f"10.0.3.{number}",
            fqdn=f"vm{number}.contoso.test",
            port=443,
        )
        make.add_row(
            ZoneRecord,
            virtual_network=network,
            name=f"vm{number}.contoso.test",
            address=f"10.0.3.{number}",
        )
        _site(gateway, number, port, shared)
        _happened(gateway, owner, number)
    assert plan_gateway(gateway, make.NOW) is not None
    return gateway


def fill_stores(owner: User, count: int) -> None:
    """``count`` certificates with keys, their authorities, and as many exported files."""
    root = issue.make_root("Crowded Root", now=make.NOW)
    stores.add(owner.pk, Store.CURRENT_USER, Folder.ROOTS, root.certificate)
    for number in range(count):
        name = f"stored{number}.contoso.test"
        leaf = issue.make_leaf(root, name, now=make.NOW, dns_names=[name])
        stores.add(
            owner.pk,
            Store.CURRENT_USER,
            Folder.PERSONAL,
            leaf.certificate,
            key_pem=issue.key_pem(leaf),
            made_here=True,
        )
        keep_authority(owner.pk, f"authority{number}", root)
        save_file(owner.pk, Place.DESKTOP, f"{name}.cer", issue.to_pem(leaf.certificate))


def _site(
    gateway: ApplicationGateway, number: int, port: FrontendPort, shared: BackendAddressPool
) -> None:
    root = make.add_root(gateway, f"root{number}")
    probe = make.add_probe(gateway, f"probe{number}")
    pool = make.add_pool(gateway, f"pool{number}", f"server{number}.contoso.test")
    settings = make.add_settings(
        gateway, f"settings{number}", protocol="Https", roots=[root], probe=probe
    )
    listener = make.add_listener(
        gateway,
        f"listener{number}",
        frontend_port=port,
        protocol="Https",
        host_name=f"site{number}.contoso.com",
        ssl_certificate=make.add_ssl_certificate(gateway, f"site{number}"),
        require_server_name_indication=True,
    )
    rewrite = make.add_rewrite_set(gateway, f"rewrite{number}")
    make.add_path_map(gateway, f"map{number}", {f"images{number}": [f"/images{number}/*"]})
    make.add_redirect(gateway, f"redirect{number}")
    make.add_rule(
        gateway,
        f"site{number}",
        listener,
        shared if number == 0 else pool,
        settings,
        priority=1000 + number,
        rewrite_rule_set=rewrite,
    )


def _happened(gateway: ApplicationGateway, user: User, number: int) -> None:
    Activity.objects.create(
        subscription=gateway.group.subscription,
        resource_id=gateway.arm_id,
        resource_name=gateway.name,
        operation=f"Save {number}",
        status=Activity.Status.SUCCEEDED,
        user=user,
        client="Portal",
        changes=[{"path": "properties/enableHttp2", "before": False, "after": True}],
        happened_at=make.NOW,
    )
