"""What must not reach a log line."""

from __future__ import annotations

import logging
import re

from gateway.busy import is_busy, is_full

# Whoever reads the path of a sign-in link can sign in with it.
_LINK = re.compile(r"(/account/link/)[^/\s'\"<>?]+")


class PlainFormatter(logging.Formatter):
    """One line a record, with its traceback; sign-in links lose their token in both."""

    def format(self, record: logging.LogRecord) -> str:
        return _LINK.sub(r"\1…", super().format(record))


class Brief(logging.Filter):
    """Busy databases and full disks take one line: polling pages would fill the log otherwise."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if is_busy(error) or is_full(error):
            record.exc_info = None
        return True
