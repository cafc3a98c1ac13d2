"""The portal as a person meets it: a real browser, a real worker, real lab servers."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12
from django.conf import settings
from django.db import connection
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

from certificates.x509.issuing import issue
from gateway.accounts.models import User
from gateway.accounts.people import ensure_owner
from gateway.lab.sandbox import ensure_sandbox
from gateway.models import ApplicationGateway, LabServer

ROOT = Path(__file__).resolve().parents[2]
GROUPS = {"v1": "myResourceGroupAG-v1", "v2": "myResourceGroupAG"}


@dataclass
class Portal:
    """What a walkthrough does again and again."""

    page: Page
    user: User
    folder: Path
    _files: dict[str, Path] = field(default_factory=dict)

    # -- getting about ---------------------------------------------------------------------

    def gateway(self, tier: str) -> ApplicationGateway:
        return ApplicationGateway.objects.select_related("group__subscription").get(
            group__name=GROUPS[tier], group__subscription__sandbox_of=self.user
        )

    def address(self, tier: str) -> str:
        subscription = self.gateway(tier).group.subscription_id
        return f"/portal/gateways/{subscription}/{GROUPS[tier]}/myAppGateway/"

    def open_gateway(self, tier: str) -> None:
        """All resources, then the gateway, as the documents say."""
        self.page.goto("/portal/resources/")
        group = re.compile(rf"{GROUPS[tier]}(?!-)")
        row = self.page.get_by_role("row").filter(has_text=group).filter(has_text="gateway")
        row.get_by_role("link", name="myAppGateway").click()
        expect(self.page.get_by_role("heading", level=1)).to_contain_text("myAppGateway")

    def menu(self, blade: str) -> None:
        self.page.get_by_role("navigation", name="myAppGateway").get_by_role(
            "link", name=blade
        ).click()

    def open_default_setting(self, tier: str) -> None:
        self.open_gateway(tier)
        self.menu("HTTP settings")
        self.page.get_by_role("link", name="appGatewayBackendHttpSettings").click()
        expect(self.page.get_by_label("Request timeout", exact=True)).to_be_visible()

    def add_setting(self, name: str) -> None:
        self.menu("HTTP settings")
        self.page.get_by_role("main").get_by_role("link", name="Add", exact=True).click()
        self.page.locator("#id_name").fill(name)

    def add_https_listener(self, tier: str, name: str, password: str) -> None:
        page = self.page
        page.goto(self.address(tier) + "listeners/add/multi-site/")
        page.locator("#id_name").fill(name)
        page.get_by_label("Host name", exact=True).fill("secure.contoso.test")
        self.choose("Protocol", "HTTPS")
        self.upload(self.pfx("secure.contoso.test", password))
        page.get_by_label("Certificate name", exact=True).fill("secure")
        page.get_by_label("Password", exact=True).fill(password)
        page.get_by_role("button", name="OK", exact=True).click()
        expect(page.get_by_role("row").filter(has_text=name)).to_be_visible()

    # -- forms -----------------------------------------------------------------------------

    def choose(self, group: str, option: str) -> None:
        """Choose one of joined segments."""
        self.page.get_by_role("group", name=group).get_by_text(option, exact=True).click()

    @property
    def preview(self) -> Locator:
        """What the page says of the chosen file."""
        return self.page.locator("#certificate-preview")

    def upload(self, file: Path) -> None:
        """Choose a file in the box for certificates."""
        box = re.compile(r"^Upload (CER|PFX) certificate$")
        self.page.get_by_label(box).set_input_files(file)

    def save(self) -> None:
        self.page.get_by_role("button", name="Save").click()

    def host_name(self, name: str) -> None:
        self.page.get_by_label("Host name", exact=True).fill(name)

    def delete_row(self, name: str) -> None:
        row = self.page.get_by_role("row").filter(has_text=name)
        row.get_by_role("button", name=re.compile("Actions for")).click()
        row.get_by_role("menuitem", name="Delete").click()
        self.page.get_by_role("dialog").get_by_role("button", name="OK", exact=True).click()

    def point_pool_at(self, tier: str, *targets: str) -> None:
        """Give the default pool these targets, in the portal."""
        self.page.goto(self.address(tier) + "pools/appGatewayBackendPool/edit/")
        for number, target in enumerate(targets):
            self.page.locator(f"#id_targets-{number}-target").fill(target)
        self.save()
        expect(self.page.get_by_role("status").filter(has_text="was saved")).to_be_visible()

    def expect_health(self, server: str, status: str) -> Locator:
        """After a save, open Backend health and wait for the verdict (`./run bench` times it)."""
        saved = self.page.get_by_role("status").filter(has_text="was saved")
        expect(saved.first).to_be_visible()
        self.menu("Backend health")
        row = self.page.get_by_role("row").filter(has_text=server)
        expect(row).to_contain_text(status)
        return row

    # -- files -----------------------------------------------------------------------------

    def file(self, name: str, content: bytes) -> Path:
        # A folder for each, so that files may share a name.
        path = Path(tempfile.mkdtemp(dir=self.folder)) / name
        path.write_bytes(content)
        return path

    def _server(self, name: str) -> LabServer:
        return LabServer.objects.select_related("leaf", "root").filter(
            name=name, virtual_network__group__subscription__sandbox_of=self.user
        )[0]

    def leaf(self, server: str) -> Path:
        leaf = self._server(server).leaf
        assert leaf is not None
        return self.file(f"{server}.cer", leaf.parsed.pem.encode())

    def root(self, server: str) -> Path:
        root = self._server(server).root
        assert root is not None
        return self.file(f"{server}-root.cer", root.parsed.pem.encode())

    def der(self, server: str) -> Path:
        leaf = self._server(server).leaf
        assert leaf is not None
        return self.file(f"{server}.der.cer", bytes(leaf.der))

    def key_file(self) -> Path:
        made = issue.make_self_signed("key.contoso.test", now=timezone.now(), ca=False)
        return self.file("key.cer", issue.key_pem(made) + made.certificate.pem.encode())

    def pfx(
        self,
        host: str,
        password: str,
        *,
        self_signed: bool = False,
        key: bool = True,
        expired: bool = False,
        padding: int = 0,
    ) -> Path:
        """A listener's PFX file for ``host``; with ``padding`` extra certificates fill it up."""
        now = timezone.now()
        start = now - timedelta(days=30)
        end = now - timedelta(days=1) if expired else now + timedelta(days=300)
        root = issue.make_root("Listener Root", now=now)
        made = (
            issue.make_self_signed(host, now=now, ca=False, dns_names=[host])
            if self_signed
            else issue.make_leaf(
                root, host, now=now, dns_names=[host], not_before=start, not_after=end
            )
        )
        extra = []
        while sum(len(one.der) for one in extra) < padding:
            extra.append(issue.make_root(f"Padding {len(extra)}", now=now).certificate)
        name = f"{host}.pfx"
        if not key:
            data = pkcs12.serialize_key_and_certificates(
                None,
                None,
                None,
                [made.certificate.x509],
                BestAvailableEncryption(password.encode()),
            )
            return self.file(name, data)
        chain = () if self_signed else (root.certificate, *extra)
        return self.file(name, issue.to_pfx(made, password, chain=chain))

    def opens(self, pfx: Path, password: str) -> bool:
        """Whether openssl opens the file with this password."""
        done = subprocess.run(
            ["openssl", "pkcs12", "-in", str(pfx), "-passin", f"pass:{password}", "-noout"],
            capture_output=True,
            check=False,
        )
        return done.returncode == 0

    def files_for_key_presses(self, *files: Path) -> None:
        """Answer file choosers that open by keyboard."""
        waiting = list(files)
        self.page.on("filechooser", lambda chooser: chooser.set_files(waiting.pop(0)))


def sign_in(page: Page, user: User, base_url: str) -> None:
    """Give the browser a session of ``user``."""
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    page.context.add_cookies(
        [
            {
                "name": settings.SESSION_COOKIE_NAME,
                "value": client.cookies[settings.SESSION_COOKIE_NAME].value,
                "url": base_url,
            }
        ]
    )


def end(process: subprocess.Popen[bytes]) -> None:
    """Wait for one that was told to end. How soon it does has a test of its own: here the last
    words of a worker may wait as long as SQLite lets it for its turn."""
    try:
        process.wait(timeout=40)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@pytest.fixture
def engines(transactional_db: None) -> Iterator[None]:
    """The worker and the lab servers, as processes of their own, on the test's database."""
    name = connection.settings_dict["NAME"]
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "gateway.settings",
        "DATABASE_URL": f"sqlite:///{name}",
        "GATEWRIGHT_KEYS": " ".join(settings.GATEWRIGHT_KEYS),
    }
    running = [
        subprocess.Popen([sys.executable, "manage.py", command], cwd=ROOT, env=environment)
        for command in ("labservers", "worker")
    ]
    try:
        yield
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.wait(timeout=20)


@pytest.fixture
def owner(transactional_db: None) -> User:
    """The installation's owner with a filled sandbox."""
    user = ensure_owner()
    ensure_sandbox(user)
    return user


@pytest.fixture
def portal(page: Page, owner: User, engines: None, live_server: object, tmp_path: Path) -> Portal:
    """A signed-in owner in the browser, with worker and lab servers running."""
    sign_in(page, owner, str(live_server))
    return Portal(page, owner, tmp_path)
