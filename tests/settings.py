"""The project's settings with what only tests need: own keys, an own data directory, speed."""

import os
import tempfile
from pathlib import Path

from cryptography.fernet import Fernet

_TEMPORARY = tempfile.TemporaryDirectory(prefix="gatewright-tests-")
os.environ["GATEWRIGHT_DATA"] = _TEMPORARY.name
os.environ["GATEWRIGHT_KEYS"] = Fernet.generate_key().decode()
os.environ["GATEWRIGHT_SECRET_KEY"] = "only for tests " * 5
for _name in ("GATEWRIGHT_ALLOWED_NETWORKS", "GATEWRIGHT_SCHEME", "GATEWRIGHT_NAMES"):
    os.environ.pop(_name, None)
# Playwright's synchronous API runs an event loop in the thread of the test, beside the ORM.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

from gateway.settings import *  # noqa: E402, F403
from gateway.settings import DATABASES, STORAGES  # noqa: E402

# Hashed names need a collected directory, which no test of a page should wait for.
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
STATIC_ROOT.mkdir(exist_ok=True)  # noqa: F405

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # A file and not memory: the live server's threads then have connections of their own, as in
    # an installation.
    DATABASES["default"]["TEST"] = {"NAME": str(Path(_TEMPORARY.name) / "test.sqlite3")}
