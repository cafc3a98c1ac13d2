"""A door that speaks to programs says what went wrong in its own form, whatever it was."""

from __future__ import annotations

import errno
from typing import Any

import pytest
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path
from django.utils.module_loading import import_string
from django.views.decorators.csrf import csrf_exempt

from gateway import errors, http, urls

DOOR = "/agents/v1/"


def fail(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("secret detail")


def refuse(request: HttpRequest) -> HttpResponse:
    raise PermissionDenied("Readers look, they do not touch.")


@csrf_exempt
def full(request: HttpRequest) -> HttpResponse:
    raise OSError(errno.ENOSPC, "No space left on device", "/data/secret/place")


handler400, handler403 = urls.handler400, urls.handler403
handler404, handler500 = urls.handler404, urls.handler500
urlpatterns = [
    *(
        path(f"{start}{view.__name__}", view)
        for start in ("agents/v1/test/", "test/")
        for view in (fail, refuse, full)
    ),
    *urls.urlpatterns,
]

pytestmark = [pytest.mark.urls(__name__), pytest.mark.django_db]


@pytest.fixture
def visitor() -> Client:
    return Client(raise_request_exception=False)


CASES: list[tuple[int, dict[str, Any]]] = [
    (404, {"path": f"{DOOR}nothing"}),
    (404, {"path": f"{DOOR}a\0b"}),
    (405, {"path": f"{DOOR}report"}),
    (405, {"path": f"{DOOR}bundle", "method": "DELETE"}),
    (400, {"path": f"{DOOR}bundle", "headers": {"Host": "evil.example.test"}}),
    (400, {"path": f"{DOOR}bundle", "QUERY_STRING": "a=%00"}),
    (403, {"path": f"{DOOR}test/refuse"}),
    (500, {"path": f"{DOOR}test/fail"}),
    (507, {"path": f"{DOOR}test/full"}),
    (408, {"path": f"{DOOR}report", "method": "POST", http.LATE: True}),
    (411, {"path": f"{DOOR}report", "method": "POST", "CONTENT_LENGTH": ""}),
    (413, {"path": f"{DOOR}report", "method": "POST", "CONTENT_LENGTH": str(10**9)}),
]


@pytest.mark.parametrize(("status", "asked"), CASES)
def test_the_agents_door_speaks_json(visitor, status, asked):
    options = {"method": "GET", "data": b"{}", "content_type": "application/json", **asked}
    answer = visitor.generic(options.pop("method"), options.pop("path"), **options)
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert set(answer.json()) == {"error"}
    assert "secret" not in answer.content.decode()


@pytest.mark.parametrize("status", [404, 500, 507])
def test_the_same_is_a_page_elsewhere(visitor, status):
    where = {404: "/test/nothing", 500: "/test/fail", 507: "/test/full"}[status]
    answer = visitor.get(where)
    assert answer.status_code == status
    assert "</html>" in answer.content.decode()
    assert "secret" not in answer.content.decode()


def test_every_declared_form_exists_and_the_longest_match_holds(visitor, settings):
    for form in settings.GATEWRIGHT_ERROR_FORMS.values():
        assert callable(import_string(form))
    settings.GATEWRIGHT_ERROR_FORMS = {
        "/agents/": "gateway.errors.page",
        DOOR: "gateway.agents.views.told",
    }
    assert "</html>" in visitor.get("/agents/nothing").content.decode()
    assert "error" in visitor.get(f"{DOOR}nothing").json()


def test_a_method_that_is_not_taken_is_told_with_those_that_are(visitor):
    answer = visitor.post("/healthz")
    assert answer.status_code == 405
    assert answer.headers["Allow"] == "GET, HEAD"
    assert "It takes GET, HEAD, and was asked by POST." in answer.content.decode()


def test_a_full_disk_is_one_line_of_the_log(visitor, caplog):
    assert visitor.get("/test/full").status_code == 507
    (record,) = [one for one in caplog.records if one.name == "django.request"]
    assert record.exc_info is None


def test_a_full_disk_does_not_promise_that_a_reader_saved_nothing(visitor):
    assert "Nothing was saved" not in visitor.get("/test/full").content.decode()
    assert "Nothing was saved" in visitor.post("/test/full").content.decode()


def test_the_wait_is_told_by_every_form(rf, monkeypatch):
    monkeypatch.setattr(errors, "is_busy", lambda error: True)
    for where in (DOOR, "/portal/"):
        answer = errors.storage(rf.get(where), ValueError())
        assert answer is not None
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")


def test_the_settings_name_every_door_for_programs():
    assert DOOR in settings.GATEWRIGHT_ERROR_FORMS
