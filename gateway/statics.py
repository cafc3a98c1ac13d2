"""How static files are kept: compressed, under names that change with their content."""

from __future__ import annotations

from whitenoise.storage import CompressedManifestStaticFilesStorage

# Lines as our own scripts write them. Django's own patterns, behind support_js_module_import_
# aggregation, find imports in the scripts of others too, and stumble over those that are none.
_IMPORTS = (
    (
        r'^(?P<matched>import (?P<names>\{[^}\n]+\}) from "(?P<url>\.[^"\n]+)";)$',
        'import %(names)s from "%(url)s";',
    ),
    (r'^(?P<matched>import "(?P<url>\.[^"\n]+)";)$', 'import "%(url)s";'),
)


class StaticFiles(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # it has no types
    """The modules of our scripts import each other by those names too."""

    patterns = (
        *CompressedManifestStaticFilesStorage.patterns,
        ("*.js", tuple((f"(?m){pattern}", line) for pattern, line in _IMPORTS)),
    )
