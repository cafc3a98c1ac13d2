"""Rules: which listener's requests go to which pool, by which HTTP setting."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.contrib import messages
from django.http import HttpResponse

from gateway.models import (
    ApplicationGateway,
    BackendAddressPool,
    BackendHttpSettings,
    HttpListener,
    PathRule,
    RequestRoutingRule,
    Routed,
    RuleType,
)
from gateway.portal.editing import delete_action, delete_child, edit_child
from gateway.portal.forms import ChildForm
from gateway.portal.lists import show_list
from gateway.portal.pages import Page, PortalRequest, gateway_page, lead_to

# Rule priorities are 1 to 20000 (Application Gateway request routing rules article).
FIRST_PRIORITY, PRIORITY_STEP, LAST_PRIORITY = 100, 10, 20000


def next_priority(taken: Collection[int]) -> int | None:
    """A priority behind all that are ``taken``, with room between; ``None`` if all are taken."""
    if not taken:
        return FIRST_PRIORITY
    wanted = max(taken) + PRIORITY_STEP
    if wanted <= LAST_PRIORITY:
        return wanted
    used = set(taken)
    return next((one for one in range(LAST_PRIORITY, 0, -1) if one not in used), None)


def is_plain(rule: RequestRoutingRule) -> bool:
    """True for a rule that sends everything to one pool: the kind that this form can edit."""
    return rule.rule_type == RuleType.BASIC and rule.redirect_configuration_id is None


class BasicRuleForm(ChildForm[RequestRoutingRule]):
    """Labels and order are those of the documents' *Add basic rule* pane."""

    class Meta:
        model = RequestRoutingRule
        fields = (
            "name",
            "http_listener",
            "backend_address_pool",
            "backend_http_settings",
            "priority",
        )
        help_texts = {
            "http_listener": "Each listener has one rule, so those with another rule are left out.",
            "backend_address_pool": "The servers that the requests are sent to.",
            "backend_http_settings": "How they are sent: protocol, port, host name and trust.",
            "priority": "Rules are tried from the lowest number to the highest; 1 to 20000.",
        }

    def __init__(self, page: Page, *args: Any, **kwargs: Any) -> None:
        super().__init__(page, *args, **kwargs)
        gateway = page.gateway
        self.listeners = free_listeners(gateway, self.instance)
        self._offer("http_listener", self.listeners, "Choose a listener")
        pools = BackendAddressPool.objects.filter(gateway=gateway)
        self._offer("backend_address_pool", pools, "Choose a backend pool")
        settings = BackendHttpSettings.objects.filter(gateway=gateway)
        self._offer("backend_http_settings", settings, "Choose an HTTP setting")
        if gateway.is_v1:
            del self.fields["priority"]
            return
        self.fields["priority"].required = True
        if self.adding:
            rules = RequestRoutingRule.objects.filter(gateway=gateway)
            taken = [one for one in rules.values_list("priority", flat=True) if one is not None]
            self.initial["priority"] = next_priority(taken)

    def _offer(self, name: str, rows: Any, empty: str) -> None:
        field: Any = self.fields[name]
        field.queryset, field.empty_label, field.required = rows, empty, True


def free_listeners(gateway: ApplicationGateway, rule: RequestRoutingRule) -> Any:
    """The listeners without a rule, and that of ``rule`` itself."""
    others = RequestRoutingRule.objects.filter(gateway=gateway, http_listener__isnull=False)
    taken = others.exclude(pk=rule.pk).values("http_listener_id")
    return HttpListener.objects.filter(gateway=gateway).exclude(pk__in=taken)


@gateway_page
def index(request: PortalRequest, page: Page) -> HttpResponse:
    rules = RequestRoutingRule.objects.filter(gateway=page.gateway).select_related("http_listener")
    # Only v2 gateways order their rules by priority.
    ordered = not page.gateway.is_v1
    return show_list(
        page,
        "rules",
        ("Type", "Listener", *(("Priority",) if ordered else ())),
        [
            (
                one,
                (_type_of(one), one.http_listener, *((one.priority,) if ordered else ())),
            )
            for one in rules
        ],
        plural="rules",
        sentence="A rule sends the requests of a listener to a backend pool.",
        adds=[("Basic", page.url("rules-add"))],
    )


def _type_of(rule: RequestRoutingRule) -> str:
    return rule.get_rule_type_display() + (" (redirect)" if rule.redirect_configuration_id else "")


@gateway_page
def add(request: PortalRequest, page: Page) -> HttpResponse:
    rule = RequestRoutingRule(gateway=page.gateway)
    return _form(page, rule, title="Add basic rule", listeners_url=page.url("listeners"))


@gateway_page
def edit(request: PortalRequest, page: Page, name: str) -> HttpResponse:
    rule = page.child(RequestRoutingRule, name)
    if is_plain(rule):
        return _form(page, rule)
    if request.method == "POST":
        # It was a basic rule when the form was opened; what it is now stays untouched.
        messages.error(request, f"“{rule.name}” is not a basic rule any more: nothing was saved.")
        return lead_to(request, page.url("rules-edit", rule.name))
    return _look_at(page, rule)


def _form(page: Page, rule: RequestRoutingRule, **context: Any) -> HttpResponse:
    form = BasicRuleForm(page, instance=rule, **page.sent)
    return edit_child(page, form, "rules", "portal/rules/fields.html", **context)


def _look_at(page: Page, rule: RequestRoutingRule) -> HttpResponse:
    """A path-based or redirecting rule, to look at and to delete."""
    goals = ("backend_address_pool", "backend_http_settings", "redirect_configuration")
    whole = RequestRoutingRule.objects.select_related(
        "http_listener", *goals, *(f"url_path_map__{goal}" for goal in goals)
    ).get(pk=rule.pk)
    path_map = whole.url_path_map
    default: Routed = path_map or whole
    paths = PathRule.objects.filter(path_map=path_map).select_related(*goals) if path_map else []
    context = page.pane(
        "rules",
        rule.name,
        rule=whole,
        default=default,
        paths=paths,
        json_url=page.url("json"),
        delete=delete_action(page, "rules", rule),
    )
    return page.render("portal/rules/look.html", context)


@gateway_page
def delete(request: PortalRequest, page: Page, name: str) -> HttpResponse:
    return delete_child(page, page.child(RequestRoutingRule, name), "rules")
