"""What every answer carries, how much a request may hold, and pages for what goes wrong."""

from __future__ import annotations

import io
import logging
from typing import Any

import pytest
from django.core.exceptions import BadRequest, PermissionDenied, TooManyFieldsSent
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.test.client import MULTIPART_CONTENT
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from gateway import errors, http, logs, uploads, urls

LIMIT = 1024 * 1024


@csrf_exempt
def take(request: HttpRequest) -> HttpResponse:
    return HttpResponse(",".join(f"{f.name}:{f.size}" for f in request.FILES.values()))


def fail(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("secret detail")


def refuse(request: HttpRequest) -> HttpResponse:
    raise PermissionDenied("Readers look, they do not touch.")


handler400, handler403 = urls.handler400, urls.handler403
handler404, handler500 = urls.handler404, urls.handler500
urlpatterns = [
    *urls.urlpatterns,
    path("test/take/", take),
    path("test/fail/", fail),
    path("test/refuse/", refuse),
]

pytestmark = [pytest.mark.urls(__name__), pytest.mark.django_db]


@pytest.fixture
def visitor() -> Client:
    return Client(raise_request_exception=False)


def test_the_installation_says_its_id(visitor, settings):
    answer = visitor.get("/healthz")
    assert answer.content.decode() == f"{settings.GATEWRIGHT_INSTALLATION}\n"
    assert visitor.post("/healthz").status_code == 405


@pytest.mark.parametrize("address", ["/healthz", "/nowhere/", "/test/fail/"])
def test_every_answer_allows_nothing_but_our_own_files(visitor, address):
    answer = visitor.get(address)
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "camera=()" in answer.headers["Permissions-Policy"]
    assert answer.headers["Cache-Control"] == "no-store"


def test_on_the_loopback_nothing_is_pinned_to_https(visitor):
    assert "Strict-Transport-Security" not in visitor.get("/healthz").headers


def test_a_view_that_may_be_cached_says_so_itself():
    def view(request: HttpRequest) -> HttpResponse:
        return HttpResponse(headers={"Cache-Control": "max-age=60"})

    answer = http.security_headers(view)(RequestFactory().get("/"))
    assert answer.headers["Cache-Control"] == "max-age=60"


def test_files_stay_in_memory_and_keep_their_size(visitor):
    files = {name: SimpleUploadedFile(name, b"x" * 100_000) for name in ("a.cer", "b.cer")}
    answer = visitor.post("/test/take/", files)
    assert answer.content == b"a.cer:100000,b.cer:100000"


def test_a_body_above_the_limit_is_refused_before_it_is_read(visitor):
    answer = visitor.post("/test/take/", {"file": SimpleUploadedFile("a", b"x" * LIMIT)})
    assert answer.status_code == 413
    assert "larger than the 1 MB" in answer.content.decode()
    assert "Content-Security-Policy" in answer.headers


def test_a_body_that_did_not_come_in_time_is_told_so(visitor):
    answer = visitor.post("/test/take/", {"name": "value"}, **{http.LATE: True})
    assert answer.status_code == 408
    assert "did not arrive in time. Nothing was saved." in answer.content.decode()


@pytest.mark.parametrize(
    ("address", "megabytes"),
    [("/", 1), ("/portal/resources/", 1), ("/portal/import/", 4), ("/subscriptions/x", 4)],
)
def test_the_limit_belongs_to_the_path(address, megabytes):
    assert uploads.body_limit(address) == megabytes * LIMIT


def test_what_arrives_is_counted_whatever_was_announced(settings):
    request = RequestFactory().post("/test/take/")
    handler = uploads.MemoryUploadHandler(request)
    for name in ("first", "second"):
        handler.new_file("file", name, "application/x-x509-ca-cert", None)
        assert handler.receive_data_chunk(b"x" * (LIMIT // 2), 0) is None
        assert handler.file_complete(LIMIT // 2).size == LIMIT // 2
    with pytest.raises(uploads.BodyTooLargeError) as caught:
        handler.receive_data_chunk(b"x", 0)
    assert errors.bad_request(request, caught.value).status_code == 413


def test_a_file_that_grows_beyond_the_limit_while_it_arrives_gets_413(visitor, monkeypatch):
    monkeypatch.setattr(uploads, "body_limit", lambda path: 1000)
    answer = visitor.post("/test/take/", {"file": SimpleUploadedFile("a", b"x" * 1001)})
    assert answer.status_code == 413


def test_too_many_files_get_413(visitor, settings):
    many = [SimpleUploadedFile("a", b"x")] * (settings.DATA_UPLOAD_MAX_NUMBER_FILES + 1)
    assert visitor.post("/test/take/", {"file": many}).status_code == 413


def test_a_damaged_form_gets_400(visitor):
    answer = visitor.generic("POST", "/test/take/", b"x", content_type=MULTIPART_CONTENT + "\xff")
    assert answer.status_code == 400
    assert "cannot be read" in answer.content.decode()


@pytest.mark.parametrize(
    ("address", "status", "said"),
    [
        ("/nowhere/", 404, "There is nothing here"),
        ("/test/refuse/", 403, "Readers look, they do not touch."),
        ("/test/fail/", 500, "Gatewright made a mistake"),
    ],
)
def test_what_goes_wrong_gets_a_page_in_words(visitor, address, status, said):
    answer = visitor.get(address)
    text = answer.content.decode()
    assert answer.status_code == status
    assert said in text
    assert "</html>" in text
    assert "secret detail" not in text


def test_a_wrong_host_name_is_explained_and_logged_in_one_line(visitor, caplog):
    answer = visitor.get("/account/sign-in/", headers={"Host": "evil.example.test"})
    assert answer.status_code == 400
    assert "does not go by this name" in answer.content.decode()
    (record,) = [record for record in caplog.records if record.name == "gateway.errors"]
    assert record.exc_info is None
    assert not logging.getLogger("django.security.DisallowedHost").propagate


def test_htmx_gets_a_toast_and_not_a_page(visitor):
    answer = visitor.get("/nowhere/", headers={"HX-Request": "true"})
    text = answer.content.decode()
    assert answer.status_code == 404
    assert "There is nothing here" in text
    assert 'role="alert"' in text
    assert "<html" not in text


def test_a_form_of_another_session_gets_403():
    answer = Client(enforce_csrf_checks=True).post("/account/sign-in/", {})
    assert answer.status_code == 403
    assert "This form has expired" in answer.content.decode()


def test_a_broken_frame_does_not_break_the_page(visitor, monkeypatch):
    def broken(*args: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr("gateway.portal.frame.frame", broken)
    answer = visitor.get("/nowhere/")
    assert answer.status_code == 404
    assert "There is nothing here" in answer.content.decode()


def test_without_any_template_there_is_still_a_page(monkeypatch):
    def broken(*args: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr(errors, "render_to_string", broken)
    answer = errors.server_error(RequestFactory().get("/"))
    assert answer.status_code == 500
    assert "<h1>Gatewright made a mistake</h1>" in answer.content.decode()


@pytest.mark.django_db(databases=[])
def test_the_page_for_our_own_faults_needs_no_database():
    assert errors.server_error(RequestFactory().get("/")).status_code == 500


def test_too_many_wrong_passwords_close_sign_in_for_name_and_address(django_user_model):
    django_user_model.objects.create_user("ada", password="right horse")
    form = {"username": "ada", "password": "wrong"}
    visitor = Client()
    answers = [visitor.post("/account/sign-in/", form).status_code for _ in range(5)]
    assert answers[-1] == 429
    assert 429 not in answers[:-1]
    right = {"username": "ada", "password": "right horse"}
    refused = visitor.post("/account/sign-in/", right)
    assert refused.status_code == 429
    assert "closed from your address for 15 minutes" in refused.content.decode()
    assert refused.headers["Retry-After"] == "900"
    elsewhere = Client(REMOTE_ADDR="192.0.2.9")
    assert elsewhere.post("/account/sign-in/", right).status_code == 302


@pytest.mark.parametrize("error", [BadRequest("odd"), TooManyFieldsSent("many")])
def test_a_request_that_is_refused_takes_one_line_of_the_log(error):
    record = logging.makeLogRecord({"exc_info": (type(error), error, None)})
    assert logs.Brief().filter(record)
    assert record.exc_info is None


def test_a_fault_keeps_its_traceback_in_the_log():
    error = ValueError("a fault")
    record = logging.makeLogRecord({"exc_info": (ValueError, error, None)})
    assert logs.Brief().filter(record)
    assert record.exc_info is not None


def test_the_log_shows_no_sign_in_link_and_no_traceback_with_one():
    formatter = logs.PlainFormatter("{levelname}: {message}", style="{")
    try:
        raise ValueError("no route to /account/link/SeCrEt-token/ here")
    except ValueError as error:
        record = logging.LogRecord(
            "x", logging.ERROR, "f", 1, "Not Found: %s", ("/account/link/SeCrEt-token/",),
            (ValueError, error, error.__traceback__),
        )  # fmt: skip
    text = formatter.format(record)
    assert "ERROR: Not Found: /account/link/…/" in text
    assert "Traceback" in text
    assert "SeCrEt" not in text


@pytest.mark.parametrize(
    "headers",
    [{"HTTP_TRANSFER_ENCODING": "chunked"}, {"CONTENT_LENGTH": ""}],
    ids=["in chunks", "HTTP/2"],
)
def test_a_body_without_its_length_is_told_so(visitor, headers):
    request = RequestFactory().generic("POST", "/test/take/", b"x")
    del request.META["CONTENT_LENGTH"]
    request.META |= headers
    answer = http.body_limit(lambda request: HttpResponse("taken"))(request)
    assert answer.status_code == 411
    assert "does not say how long it is" in answer.content.decode()


def test_a_request_without_body_needs_no_length():
    request = RequestFactory().generic("POST", "/test/take/", content_type="")
    request.META.pop("CONTENT_LENGTH", None)
    assert http.body_limit(lambda request: HttpResponse("taken"))(request).status_code == 200


def test_half_a_form_is_refused():
    request = RequestFactory().post("/test/take/", {"first": "1", "second": "2"})
    request._stream = io.BytesIO(b"first=1&sec")
    answer = http.body_limit(lambda request: HttpResponse("taken"))(request)
    assert answer.status_code == 400
    assert "Nothing was saved" in answer.content.decode()


@pytest.mark.parametrize("length", ["abc", "-5", "²"])
def test_a_length_that_is_no_number_is_no_fault_of_ours(visitor, length):
    answer = visitor.generic("POST", "/test/take/", b"x", CONTENT_LENGTH=length)
    assert answer.status_code == 200


def test_headers_of_a_reverse_proxy_are_not_believed(django_user_model):
    seen: dict[str, object] = {}

    def view(request: HttpRequest) -> HttpResponse:
        seen.update(host=request.get_host(), secure=request.is_secure())
        return HttpResponse()

    claimed = {
        "X-Forwarded-Host": "evil.example.test",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-For": "192.0.2.77",
        "Forwarded": "for=192.0.2.77;proto=https",
    }
    view(RequestFactory(headers=claimed, SERVER_NAME="localhost").get("/"))
    assert seen == {"host": "localhost", "secure": False}
    # Whoever guesses passwords cannot do so under ever new addresses.
    django_user_model.objects.create_user("ada", password="right horse")
    form = {"username": "ada", "password": "wrong"}
    answers = [
        Client().post("/account/sign-in/", form, headers={"X-Forwarded-For": f"192.0.2.{number}"})
        for number in range(5)
    ]
    assert answers[-1].status_code == 429
