"""Visits of the workshop's pages by its owner."""

from __future__ import annotations

from html import unescape
from typing import Any

from django.test import Client

from certificates import stores
from certificates.models import Folder, Store, StoredCertificate
from certificates.x509.issuing.issue import Issued, key_pem
from gateway.accounts.models import User

USER, COMPUTER = Store.CURRENT_USER, Store.LOCAL_COMPUTER


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def put(
    user: User,
    issued: Issued,
    folder: Folder = Folder.PERSONAL,
    store: Store = USER,
    *,
    key: bool = False,
    **more: Any,
) -> StoredCertificate:
    pem = key_pem(issued) if key else None
    return stores.add(user.pk, store, folder, issued.certificate, key_pem=pem, **more)


def text(answer: Any) -> str:
    return unescape(answer.content.decode())
