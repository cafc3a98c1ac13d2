"""The pages that the gateway answers with itself, and which of its troubles gets which status.

Status codes by tier: "HTTP response codes in Application Gateway". Own pages of a listener or of
the gateway replace the default ones ("Create Application Gateway custom error pages"); what a
backend answers passes as it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from gateway.dataplane.envoy import METADATA, Config, Files, extension

SERVER_V2 = "Microsoft-Azure-Application-Gateway/v2"

TITLES = {
    400: "400 Bad Request",
    403: "403 Forbidden",
    404: "404 Not Found",
    405: "405 Method Not Allowed",
    408: "408 Request Time-out",
    413: "413 Request Entity Too Large",
    421: "421 Misdirected Request",
    431: "431 Request Header Fields Too Large",
    500: "500 Internal Server Error",
    501: "501 Not Implemented",
    502: "502 Bad Gateway",
    503: "503 Service Unavailable",
    504: "504 Gateway Time-out",
}
_ON_V1 = {
    400: "The gateway could not make sense of the request.",
    404: "The gateway has no site of this name.",
    502: "The gateway got no valid answer from a server behind it.",
    504: "The server behind the gateway took too long to answer.",
}

# What Envoy calls a server that could not be reached, refused, broke off or spoke no HTTP.
_NO_ANSWER = ("UF", "UH", "UC", "LR", "UR", "UO", "UPE", "NC", "URX", "LH")
_TIMED_OUT = ("UT", "SI")
# The policy of the guard towards backends; the name also stands in Envoy's answer details.
GUARD_POLICY = "forbidden"

Pages = Mapping[tuple[str, int], str]


def default_page(status: int, *, is_v1: bool) -> str:
    """The page that comes with a status of the gateway's own."""
    title = TITLES[status]
    if is_v1:
        told = _ON_V1.get(status, title[4:] + ".")
        return (
            f"<html><head><title>{title}</title></head><body><h1>Server Error</h1>"
            f"<h2>{status} - {told}</h2></body></html>\r\n"
        )
    return (
        f"<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n"
        f"<center><h1>{title}</h1></center>\r\n<hr><center>{SERVER_V2}</center>\r\n"
        "</body>\r\n</html>\r\n"
    )


def server_headers(*, is_v1: bool) -> list[Config]:
    if is_v1:
        return []
    return [
        {
            "header": {"key": "server", "value": SERVER_V2},
            "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
        }
    ]


def local_replies(pages: Pages, files: Files, *, is_v1: bool) -> Config:
    """The ``local_reply_config`` of a connection manager: first match decides.

    A listener's own pages come first; its answers are known by the metadata of the route. Pages
    that were fetched may be long and stand in files.
    """

    def source(listener: str, status: int) -> Config:
        own = pages.get((listener, status))
        if own is None:
            return {"inline_string": escaped(default_page(status, is_v1=is_v1))}
        return files.add(escaped(own).encode(), "html")

    mappers = []
    for status, condition in _causes(is_v1=is_v1):
        listeners = sorted(name for name, code in pages if name and code == status)
        for name in listeners:
            own = _and(condition, _of_listener(name))
            mappers.append(_mapper(own, status, source(name, status), is_v1=is_v1))
        mappers.append(_mapper(condition, status, source("", status), is_v1=is_v1))
    return {"mappers": mappers}


def _causes(*, is_v1: bool) -> Iterator[tuple[int, Config]]:
    """(status, the filter that finds its cause), in the order in which they are asked."""
    guarded = f"response.code_details.startsWith('rbac_access_denied_matched_policy[{GUARD_POLICY}"
    yield 502, _cel(guarded + "')")
    # Only whom a listener asks for a certificate is denied otherwise. CONNECT is no method that the
    # gateway knows, whatever the host, and the star of OPTIONS * no path.
    denied = "response.code_details.startsWith('rbac_access_denied')"
    no_path = "response.code_details == 'absolute_path_rejected'"
    yield 400, _cel(f"{denied} || {no_path} || request.method == 'CONNECT'")
    yield 408, _status(408)
    yield (502 if is_v1 else 504), {"response_flag_filter": {"flags": list(_TIMED_OUT)}}
    yield 502, {"response_flag_filter": {"flags": list(_NO_ANSWER)}}
    for status in (400, 403, 404, 405, 413, 421, 431, 500, 501, 502, 503, 504):
        yield status, _status(status)


def _mapper(condition: Config, status: int, source: Config, *, is_v1: bool) -> Config:
    mapper: Config = {
        "filter": condition,
        "status_code": status,
        "body_format_override": {
            "text_format_source": source,
            "content_type": "text/html",
        },
    }
    headers = server_headers(is_v1=is_v1)
    return {**mapper, "headers_to_add": headers} if headers else mapper


def escaped(text: str) -> str:
    """``text`` as it must stand where Envoy looks for ``%COMMANDS%``."""
    return text.replace("%", "%%")


def direct(status: int) -> Config:
    """A route's own answer; its page is that of the status, as for every other cause."""
    return {"status": status}


def _status(status: int) -> Config:
    value = {"default_value": status, "runtime_key": "gatewright.unused"}
    return {"status_code_filter": {"comparison": {"op": "EQ", "value": value}}}


def _and(*conditions: Config) -> Config:
    return {"and_filter": {"filters": list(conditions)}}


def _of_listener(name: str) -> Config:
    key = f"xds.route_metadata.filter_metadata['{METADATA}']"
    return _cel(f"'listener' in {key} && {key}['listener'] == '{name}'")


def _cel(expression: str) -> Config:
    return {
        "extension_filter": extension(
            "cel",
            "extensions.access_loggers.filters.cel.v3.ExpressionFilter",
            expression=expression,
        )
    }
