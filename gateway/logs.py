"""What must not reach a log line."""

from __future__ import annotations

import logging
import re

from gateway.busy import is_busy

# Whoever reads the path of a sign-in link can sign in with it.
_LINK = re.compile(r"(/account/link/)[^/\s'\"<>?]+")


class PlainFormatter(logging.Formatter):
    """One line a record, with its traceback; sign-in links lose their token in both."""

    def format(self, record: logging.LogRecord) -> str:
        return _LINK.sub(r"\1…", super().format(record))


class Brief(logging.Filter):
    """A busy database is told in one line: polling pages would fill the log with tracebacks."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.exc_info and is_busy(record.exc_info[1]):
            record.exc_info = None
        return True
