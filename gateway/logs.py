"""What must not reach a log line."""

from __future__ import annotations

import logging
import re

from django.core.exceptions import BadRequest, SuspiciousOperation
from django.http.multipartparser import MultiPartParserError

from gateway.busy import is_busy, is_full

REFUSALS = (BadRequest, SuspiciousOperation, MultiPartParserError)

# Whoever reads the path of a sign-in link can sign in with it.
_LINK = re.compile(r"(/account/link/)[^/\s'\"<>?]+")


class PlainFormatter(logging.Formatter):
    """One line a record, with its traceback; sign-in links lose their token in both."""

    def format(self, record: logging.LogRecord) -> str:
        return _LINK.sub(r"\1…", super().format(record))


class Brief(logging.Filter):
    """What comes often takes one line, or polling pages and odd clients would fill the log.

    That is a busy database, a full disk, and a request that Django itself refuses.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if is_busy(error) or is_full(error) or isinstance(error, REFUSALS):
            record.exc_info = None
        return True
