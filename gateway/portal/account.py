"""Signing in and out, one-time links, the password and the theme."""

from __future__ import annotations

import logging

from django.contrib import messages
from django.contrib.auth import login, update_session_auth_hash
from django.contrib.auth.decorators import login_required
from django.contrib.auth.forms import AuthenticationForm, SetPasswordForm
from django.contrib.auth.views import LoginView, LogoutView
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from gateway.accounts import links
from gateway.accounts.models import Theme, User
from gateway.lab.sandbox import SandboxError, ensure_sandbox
from gateway.portal.pages import PortalRequest

log = logging.getLogger(__name__)

MODEL_BACKEND = "django.contrib.auth.backends.ModelBackend"
NAME_LENGTH = 150


class SignInForm(AuthenticationForm):
    def clean_username(self) -> str:
        """The name; one that is too long for anybody is as wrong as an unknown one."""
        name = str(self.cleaned_data["username"])
        # Django only tells the browser the limit, and failed attempts are stored with the name.
        if len(name) > NAME_LENGTH:
            raise self.get_invalid_login_error()
        return name


class SignIn(LoginView):
    form_class = SignInForm
    template_name = "account/sign_in.html"
    redirect_authenticated_user = True

    def form_valid(self, form: object) -> HttpResponse:
        response = super().form_valid(form)  # type: ignore[arg-type]
        if isinstance(self.request.user, User):
            _provide_sandbox(self.request, self.request.user)
        return response


def _provide_sandbox(request: HttpRequest, user: User) -> None:
    """A sandbox for who has just signed in; without one they still get in, and are told."""
    try:
        ensure_sandbox(user)
    except SandboxError as error:
        log.warning("No sandbox for user %s: %s", user.pk, error)
        messages.warning(request, f"Your sandbox could not be set up: {error}")


@require_http_methods(["GET", "HEAD", "POST"])
def link(request: HttpRequest, token: str) -> HttpResponse:
    """A one-time link: GET shows a button, so that a preview of the link does not use it up."""
    now = timezone.now()
    if request.method != "POST":
        holder = links.holder(token, now=now)
        status = 200 if holder else 410
        return render(request, "account/link.html", {"holder": holder}, status=status)
    user = links.redeem(token, now=now)
    if user is None:
        return render(request, "account/link.html", {"holder": None}, status=410)
    login(request, user, backend=MODEL_BACKEND)
    _provide_sandbox(request, user)
    return redirect("portal:home")


@login_required
@sensitive_post_parameters()
def password(request: PortalRequest) -> HttpResponse:
    form = SetPasswordForm(request.user, request.POST or None)
    if request.method == "POST" and form.is_valid():
        with transaction.atomic():
            form.save()
            # Whoever else could get in shall not: other sessions end with the old password, too.
            links.revoke(request.user, now=timezone.now())
        update_session_auth_hash(request, request.user)
        messages.success(request, "Your password is set.")
        return redirect("portal:home")
    context = {"form": form, "crumbs": [{"label": "Home", "url": reverse("portal:home")}]}
    return render(request, "account/password.html", context, status=422 if form.is_bound else 200)


@login_required
@require_POST
def theme(request: PortalRequest) -> HttpResponse:
    wanted = request.POST.get("theme", "")
    if wanted in Theme.values:
        request.user.theme = wanted
        request.user.save(update_fields=["theme"])
    back = request.POST.get("next", "")
    # A path of this site only: a bare word would be looked up as the name of a view.
    is_path = back.startswith("/") and not back.startswith("//")
    if not is_path or not url_has_allowed_host_and_scheme(back, {request.get_host()}):
        back = reverse("portal:home")
    return HttpResponseRedirect(back)


urlpatterns = [
    path("sign-in/", SignIn.as_view(), name="sign-in"),
    path("sign-out/", LogoutView.as_view(), name="sign-out"),
    path("link/<str:token>/", link, name="sign-in-link"),
    path("password/", password, name="password"),
    path("theme/", theme, name="theme"),
]
