"""Rewrite sets: what happens to the headers and the address of a request on its way.

The rules of a set run in their order, each with all of its conditions. The engine changes headers
one after the other, so what a rule needs to know is put into headers of the gateway's own first
(:data:`OWN`), which never leave it and which no client can bring along. A path, a query string or a
host name is put into place by a short script (:data:`SCRIPT`) that holds no user's text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from gateway.dataplane import notes
from gateway.dataplane.envoy import Config, extension, typed
from gateway.dataplane.patterns import PatternError, groups_of, to_re2
from gateway.dataplane.variables import (
    cel_text,
    format_of,
    from_certificate,
    header_of,
    literal,
    looked_up,
)
from gateway.models import LoadedGateway, RewriteRule, RewriteRuleSet
from gateway.problems import Problem, at
from gateway.rules.joins import routes

FILTER = "envoy.filters.http.header_mutation"
SCRIPT_FILTER = "envoy.filters.http.lua"
OWN = "x-gatewright-"
PATH, QUERY, HOST, AGAIN = (f"{OWN}{name}" for name in ("path", "query", "host", "reroute"))
SHADOWS = (PATH, QUERY, HOST, AGAIN)
# Set once a rule has decided about the header that tells the client's address.
DECIDED = f"{OWN}forwarded"
FORWARDED_FOR = "x-forwarded-for"

# Values begin with "=", because an empty header would not be there.
SCRIPT = f"""
function envoy_on_request(handle)
  local headers = handle:headers()
  local path, query = headers:get("{PATH}"), headers:get("{QUERY}")
  local host, again = headers:get("{HOST}"), headers:get("{AGAIN}")
  headers:remove("{PATH}")
  headers:remove("{QUERY}")
  headers:remove("{HOST}")
  headers:remove("{AGAIN}")
  if path ~= nil or query ~= nil then
    local whole = headers:get(":path")
    local before, after = string.match(whole, "^([^?]*)%??(.*)$")
    if path ~= nil and #path > 1 then
      before = string.sub(path, 2)
      if string.sub(before, 1, 1) ~= "/" then before = "/" .. before end
    end
    if query ~= nil then after = string.gsub(string.sub(query, 2), "^%?", "") end
    if after ~= "" then before = before .. "?" .. after end
    headers:replace(":path", before)
    if again ~= nil then
      handle:clearRouteCache()
      -- Only the path is looked up anew: this asks for the route while the host is the client's.
      handle:metadata()
    end
  end
  if host ~= nil and #host > 1 then
    headers:replace(":authority", string.sub(host, 2))
  end
end
"""

_REFERENCE = re.compile(r"\{([A-Za-z][^{}\s]{0,200})\}")
_CAPTURE = re.compile(r"(.+)_(\d{1,2})\Z")
_OVERWRITE = "OVERWRITE_IF_EXISTS_OR_ADD"
_APPEND = "APPEND_IF_EXISTS_OR_ADD"


@dataclass(slots=True)
class Rewriting:
    """A compiled rewrite set.

    ``touched`` are the request headers (lower case) that it sets or removes, ``sources`` what each
    value that it sets depends on; ``moves`` if it changes address or host.
    """

    request: list[Config] = field(default_factory=list)
    response: list[Config] = field(default_factory=list)
    touched: set[str] = field(default_factory=set)
    sources: list[tuple[str, set[str]]] = field(default_factory=list)
    moves: bool = False
    notes: list[Problem] = field(default_factory=list)

    def per_route(self) -> Config:
        mutations = {"request_mutations": self.request, "response_mutations": self.response}
        return typed(
            "extensions.filters.http.header_mutation.v3.HeaderMutationPerRoute",
            mutations=mutations,
        )


def rewriting_of(loaded: LoadedGateway, rule_set: RewriteRuleSet) -> Rewriting:
    """Compile a rewrite set. A rule that the engine cannot carry out is left out, and told."""
    found = Rewriting()
    rules = sorted(
        enumerate(loaded.rewrite_rules(rule_set)),
        key=lambda one: (one[1].rule_sequence or 0, one[0]),
    )
    for number, (_, rule) in enumerate(rules):
        try:
            sides = {side: _Side(rule, side, number) for side in ("request", "response")}
            request = list(_request(rule, sides["request"], found))
            response = list(_headers(rule, sides["response"], "responseHeaderConfigurations"))
        except PatternError as error:
            message = f"Rewrite set “{rule_set.name}”, rule “{rule.name}” is left out: {error}."
            found.notes.append(
                at(notes.REWRITE_UNUSABLE, message, rule_set.collection, rule_set.name)
            )
            continue
        found.request += sides["request"].around(request)
        found.response += sides["response"].around(response)
        _note_headers(rule, found)
    if FORWARDED_FOR in found.touched:
        found.request = [{"remove": DECIDED}, *found.request, *_usual_forwarded_for()]
    return found


def _usual_forwarded_for() -> list[Config]:
    """The client's address as without a rewrite, unless a rule has decided about it."""
    value = f"%CEL({cel_text(DECIDED)} in request.headers ? '' : source.address)%"
    append = {"header": {"key": FORWARDED_FOR, "value": value}, "append_action": _APPEND}
    return [{"append": append}, {"remove": DECIDED}]


class _Side:
    """One rule on one side: its condition, and the own headers that it needs."""

    def __init__(self, rule: RewriteRule, side: str, number: int) -> None:
        self.side, self.number = side, number
        self.patterns: dict[str, tuple[str, str]] = {}
        self.shadows: dict[str, str] = {}
        self.condition = " && ".join(self._tests(rule))

    def around(self, actions: list[Config]) -> list[Config]:
        """The actions, with the own headers set before and removed after them."""
        if not actions:
            return []
        before = [_set(name, value) for value, name in self.shadows.items()]
        own = [*self.shadows.values(), self.value]
        if self.condition:
            # Actions may change what the condition looks at: it is asked once.
            before.append(_set(self.flag, f"%CEL({self.condition} ? 'yes' : '')%"))
            own.append(self.flag)
        # Removed first as well: an empty value does not replace what a client brought along.
        removed = [{"remove": name} for name in own]
        return [*removed, *before, *actions, *removed]

    @property
    def flag(self) -> str:
        return f"{OWN}if-{self.number}"

    @property
    def value(self) -> str:
        return f"{OWN}value-{self.number}"

    def _tests(self, rule: RewriteRule) -> Iterator[str]:
        for condition in _objects(rule.conditions):
            reference = _text(condition, "variable").strip("{}")
            pattern = _text(condition, "pattern")
            ignores = bool(condition.get("ignoreCase"))
            regex = cel_text(to_re2(pattern, ignore_case=ignores))
            self.patterns.setdefault(reference, (pattern, regex))
            test = f"{self.known(reference)}.matches({regex})"
            yield f"!{test}" if condition.get("negate") else test

    def known(self, reference: str) -> str:
        """The value of a reference in the language of conditions."""
        header = header_of(reference)
        if header is not None:
            kind, name = header
            return "''" if (kind, self.side) == ("response", "request") else looked_up(kind, name)
        made = format_of(reference, self.side)
        if made is None:
            raise PatternError(f"the gateway has no “{reference[:80]}” to look at")
        name = self.shadows.setdefault(made, f"{OWN}{self.number}-{len(self.shadows)}")
        return looked_up(self.side, name)

    def format(self, template: str) -> str:
        """A value with its references as a format of the engine."""
        pieces, end = [], 0
        for found in _REFERENCE.finditer(template):
            pieces.append(literal(template[end : found.start()]))
            pieces.append(self._reference(found[1]))
            end = found.end()
        return "".join(pieces) + literal(template[end:])

    def _reference(self, reference: str) -> str:
        capture = _CAPTURE.match(reference)
        if capture and capture[1] in self.patterns:
            pattern, regex = self.patterns[capture[1]]
            number = int(capture[2])
            if number > min(groups_of(pattern), 9):
                return ""
            value = self.known(capture[1])
            extracted = f"re.extract({value}, {regex}, {cel_text(chr(92) + str(number))})"
            return f"%CEL({value}.matches({regex}) ? {extracted} : '')%"
        made = format_of(reference, self.side)
        if made is None:
            # Braces that mean nothing are text.
            return literal("{" + reference + "}")
        return made

    def set(self, name: str, template: str, *, marked: bool = False) -> list[Config]:
        """Set ``name``, if the condition holds; ``marked`` values begin with “=”."""
        value = ("=" if marked else "") + self.format(template)
        if not self.condition:
            return [_set(name, value)]
        chosen = f"{cel_text(self.flag)} in {self.side}.headers"
        held = looked_up(self.side, self.value)
        return [
            {"remove": self.value},
            _set(self.value, value),
            _set(name, f"%CEL({chosen} ? {held} : '')%"),
        ]

    def remove(self, name: str) -> list[Config]:
        """Remove ``name``, if the condition holds."""
        if not self.condition:
            return [{"remove": name}]
        # It is put aside, removed, and put back unless the condition holds.
        kept = f"{cel_text(self.flag)} in {self.side}.headers ? '' : {looked_up(self.side, name)}"
        source = "REQ" if self.side == "request" else "RESP"
        return [
            {"remove": self.value},
            _set(self.value, f"%CEL({kept})%"),
            {"remove": name},
            _set(name, f"%{source}({self.value})%"),
        ]


def _request(rule: RewriteRule, side: _Side, found: Rewriting) -> Iterator[Config]:
    yield from _headers(rule, side, "requestHeaderConfigurations")
    url = rule.action_set.get("urlConfiguration") if isinstance(rule.action_set, dict) else None
    if not isinstance(url, dict):
        return
    found.moves = True
    if isinstance(url.get("modifiedPath"), str):
        yield from side.set(PATH, url["modifiedPath"], marked=True)
    if isinstance(url.get("modifiedQueryString"), str):
        yield from side.set(QUERY, url["modifiedQueryString"], marked=True)
    if url.get("reroute"):
        yield from side.set(AGAIN, "yes")


def _headers(rule: RewriteRule, side: _Side, key: str) -> Iterator[Config]:
    actions = rule.action_set if isinstance(rule.action_set, dict) else {}
    for header in _objects(actions.get(key)):
        name, value = _text(header, "headerName").lower(), _text(header, "headerValue")
        if not name or name.startswith(OWN):
            continue
        if name == "host" and side.side == "response":
            raise PatternError("an answer has no header Host")
        if name == "host":
            yield from side.set(HOST, value, marked=True)
        elif value:
            yield from side.set(name, value)
        else:
            yield from side.remove(name)
        if name == FORWARDED_FOR and side.side == "request":
            yield from side.set(DECIDED, "yes")


def _note_headers(rule: RewriteRule, found: Rewriting) -> None:
    """Which request headers a rule touches, and what their values depend on."""
    actions = rule.action_set if isinstance(rule.action_set, dict) else {}
    asked = {_text(one, "variable").strip("{}") for one in _objects(rule.conditions)}
    for header in _objects(actions.get("requestHeaderConfigurations")):
        name, value = _text(header, "headerName").lower(), _text(header, "headerValue")
        found.touched.add(name)
        found.moves = found.moves or name == "host"
        if value and name != "host":
            # A value that a condition lets in tells as much as one that is copied.
            found.sources.append((name, {*asked, *_REFERENCE.findall(value)}))


def from_certificates(sources: list[tuple[str, set[str]]]) -> set[str]:
    """The headers that depend on a client's certificate, maybe by way of one another."""
    found: set[str] = set()
    while True:
        more = {
            name
            for name, references in sources
            if any(_speaks_for_client(reference, found) for reference in references)
        }
        if more <= found:
            return found
        found |= more


def _speaks_for_client(reference: str, headers: set[str]) -> bool:
    capture = _CAPTURE.match(reference)
    for one in (reference, *([capture[1]] if capture else [])):
        header = header_of(one)
        if from_certificate(one.removeprefix("var_").lower()):
            return True
        if header is not None and header[1] in headers:
            return True
    return False


@dataclass(frozen=True, slots=True)
class Rewrites:
    """The rewrite sets in use, by primary key.

    ``stripped``: headers that no client may bring along, because the gateway sets them from client
    certificates, or because they are its own.
    """

    sets: dict[int, Rewriting]
    stripped: tuple[str, ...]

    @property
    def filters(self) -> list[Config]:
        """The filters that carry the sets out; the script only where something moves."""
        if not self.sets:
            return []
        empty = "extensions.filters.http.header_mutation.v3.HeaderMutation"
        found = [extension(FILTER, empty, mutations={})]
        if any(one.moves for one in self.sets.values()):
            lua = "extensions.filters.http.lua.v3.Lua"
            script = {"inline_string": SCRIPT}
            fields = {"default_source_code": script, "clear_route_cache": False}
            found.append(extension(SCRIPT_FILTER, lua, **fields))
        return found


def rewrites_of(loaded: LoadedGateway) -> Rewrites:
    """Compile every rewrite set that a rule uses."""
    sets: dict[int, Rewriting] = {}
    for _, routed in routes(loaded):
        rule_set = routed.rewrite_rule_set
        if rule_set is not None and rule_set.pk not in sets:
            sets[rule_set.pk] = rewriting_of(loaded, rule_set)
    stripped = from_certificates([source for one in sets.values() for source in one.sources])
    own = SHADOWS if any(one.moves for one in sets.values()) else ()
    return Rewrites(sets, (*own, *sorted(stripped)))


def _set(name: str, value: str) -> Config:
    return {"append": {"header": {"key": name, "value": value}, "append_action": _OVERWRITE}}


def _objects(value: object) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _text(value: dict[str, Any], key: str) -> str:
    found = value.get(key)
    return found if isinstance(found, str) else ""
