"""The project's settings. What can be chosen from outside is read by ``gateway.environment``."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from gateway import environment

BASE_DIR = Path(__file__).resolve().parent.parent
DEBUG = False

# -- The installation -------------------------------------------------------------------------

GATEWRIGHT_DATA = environment.data_directory(BASE_DIR)
GATEWRIGHT_INSTALLATION = environment.installation(GATEWRIGHT_DATA)
GATEWRIGHT_LOOPBACK_RANGE = environment.loopback_range(GATEWRIGHT_DATA)
GATEWRIGHT_KEYS = environment.encryption_keys(GATEWRIGHT_DATA)
GATEWRIGHT_ALLOWED_NETWORKS = environment.networks("GATEWRIGHT_ALLOWED_NETWORKS")
SECRET_KEY = environment.secret_key(GATEWRIGHT_DATA)

# The certificate authority of this installation and the portal's own certificate below it.
GATEWRIGHT_TLS = GATEWRIGHT_DATA / "tls"
GATEWRIGHT_CA_FILE = GATEWRIGHT_TLS / "ca.pem"

# -- How this process is reached (`serve` sets these for the processes it starts) --------------

GATEWRIGHT_SCHEME = environment.choice("GATEWRIGHT_SCHEME", "http", {"http", "https"})
# Names beside the loopback ones. With any of them the portal is open to the network.
GATEWRIGHT_NAMES = environment.items("GATEWRIGHT_NAMES")
# Addresses at which the portal itself listens, "127.0.0.1:8000"; no probe may reach them.
GATEWRIGHT_PORTAL_ADDRESSES = environment.items("GATEWRIGHT_PORTAL_ADDRESSES")

_HTTPS = GATEWRIGHT_SCHEME == "https"
_OPEN = bool(GATEWRIGHT_NAMES)

ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]"]
ALLOWED_HOSTS += [f"[{name}]" if ":" in name else name for name in GATEWRIGHT_NAMES]

# -- Database -----------------------------------------------------------------------------------

DATABASES = {"default": environment.database(GATEWRIGHT_DATA)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# -- Applications and the way of a request ------------------------------------------------------

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.forms",
    "axes",
    "django_htmx",
    "certificates",
    "gateway.accounts",
    "gateway",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "gateway.http.security_headers",
    "gateway.http.body_limit",
    "gateway.http.nul_refused",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "axes.middleware.AxesMiddleware",
    "gateway.http.storage_failures",
    "gateway.http.method_refused",
]

# How a door tells programs what went wrong, by the beginning of its addresses: the longest match
# holds, and without one it is a page. See ``gateway.errors.Form``.
GATEWRIGHT_ERROR_FORMS = {
    "/agents/v1/": "gateway.agents.views.told",
}

ROOT_URLCONF = "gateway.urls"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "gateway.portal.frame.frame",
            ]
        },
    }
]
FORM_RENDERER = "gateway.renderer.FormRenderer"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"

# -- Static files -------------------------------------------------------------------------------

STATIC_URL = "/static/"
STATIC_ROOT = GATEWRIGHT_DATA / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "gateway.statics.StaticFiles"},
}
# Static files are for our own pages; no other site has business with them.
WHITENOISE_ALLOW_ALL_ORIGINS = False

# -- Sign-in ------------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
LOGIN_URL = "/account/sign-in/"
LOGIN_REDIRECT_URL = "/portal/"
LOGOUT_REDIRECT_URL = LOGIN_URL
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

# Users behind one proxy share an address, and anybody may type anybody's name: lock the pair.
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_RESET_ON_SUCCESS = True
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_LOCKOUT_CALLABLE = "gateway.errors.locked_out"
AXES_DISABLE_ACCESS_LOG = True
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False

# -- Cookies and transport ----------------------------------------------------------------------

# Browsers keep cookies by host and not by port, so portals side by side, and the two schemes of
# one portal, need names of their own.
_COOKIE = f"gatewright-{GATEWRIGHT_INSTALLATION}-{GATEWRIGHT_SCHEME}"
SESSION_COOKIE_NAME = f"{_COOKIE}-session"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = _HTTPS
CSRF_COOKIE_NAME = f"{_COOKIE}-csrf"
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SECURE = _HTTPS
CSRF_FAILURE_VIEW = "gateway.errors.csrf_failure"

# A loopback name is shared by everything on the machine: it must never be pinned to HTTPS.
SECURE_SSL_REDIRECT = _OPEN
SECURE_HSTS_SECONDS = 31_536_000 if _OPEN else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = _OPEN
SECURE_HSTS_PRELOAD = _OPEN
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

# -- Uploads ------------------------------------------------------------------------------------

_MIB = 1024 * 1024
# The largest body of a request in bytes, by the beginning of its path: the longest match holds.
GATEWRIGHT_BODY_LIMITS = {
    "/": _MIB,
    "/portal/import/": 4 * _MIB,
    "/agents/v1/report": 4 * _MIB,
    "/subscriptions/": 4 * _MIB,
}
DATA_UPLOAD_MAX_MEMORY_SIZE = max(GATEWRIGHT_BODY_LIMITS.values())
DATA_UPLOAD_MAX_NUMBER_FILES = 20
# A pool of 1,200 targets, each with its type, its target and the boxes of its row.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 10_000
FILE_UPLOAD_HANDLERS = ["gateway.uploads.MemoryUploadHandler"]

# -- Words, time, log ---------------------------------------------------------------------------

LANGUAGE_CODE = "en"
USE_I18N = False
USE_TZ = True
TIME_ZONE = "UTC"
DATE_FORMAT = "Y-m-d"
DATETIME_FORMAT = "Y-m-d H:i"

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "plain": {
            "()": "gateway.logs.PlainFormatter",
            "format": "{asctime} {levelname} {name}: {message}",
            "style": "{",
        }
    },
    "filters": {"brief": {"()": "gateway.logs.Brief"}},
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": "plain",
            "filters": ["brief"],
        },
        "nowhere": {"class": "logging.NullHandler"},
    },
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {
        # Django's own handlers would write each line again, and mail nobody.
        "django": {"handlers": [], "level": "INFO", "propagate": True},
        "axes": {"level": "WARNING"},
        # Whoever knocks under a wrong name would otherwise fill the log with tracebacks; the
        # error page writes one line.
        "django.security.DisallowedHost": {"handlers": ["nowhere"], "propagate": False},
    },
}
