"""What must not reach a log line."""

from __future__ import annotations

import logging
import re

# Whoever reads the path of a sign-in link can sign in with it.
_LINK = re.compile(r"(/account/link/)[^/\s'\"<>?]+")


class PlainFormatter(logging.Formatter):
    """One line a record, with its traceback; sign-in links lose their token in both."""

    def format(self, record: logging.LogRecord) -> str:
        return _LINK.sub(r"\1…", super().format(record))
