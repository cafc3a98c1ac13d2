"""Uploaded files: kept in memory, never on disk, and refused while they arrive when too big."""

from __future__ import annotations

from io import BytesIO
from typing import IO, Any

from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.core.files.uploadedfile import InMemoryUploadedFile
from django.core.files.uploadhandler import FileUploadHandler
from django.http import HttpRequest


class BodyTooLargeError(SuspiciousOperation):
    """The request holds more bytes than its path takes; ``limit`` is in bytes."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"The request is larger than the {limit} bytes that are taken here.")
        self.limit = limit


def body_limit(path: str) -> int:
    """The largest body, in bytes, that a request to ``path`` may have."""
    limits: dict[str, int] = settings.GATEWRIGHT_BODY_LIMITS
    return limits[max((start for start in limits if path.startswith(start)), key=len)]


class MemoryUploadHandler(FileUploadHandler):
    """Collects each file in memory and stops at the limit of the request's path.

    Raises :class:`BodyTooLargeError` at the chunk that passes the limit, all files of one request
    counted together. Keys never touch the disk this way.
    """

    def __init__(self, request: HttpRequest | None = None) -> None:
        super().__init__(request)
        self._limit = body_limit(request.path if request else "/")
        self._received = 0
        self._file = BytesIO()

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self._file = BytesIO()

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes | None:
        self._received += len(raw_data)
        if self._received > self._limit:
            raise BodyTooLargeError(self._limit)
        self._file.write(raw_data)
        return None

    def file_complete(self, file_size: int) -> InMemoryUploadedFile:
        self._file.seek(0)
        file: IO[bytes] = self._file
        return InMemoryUploadedFile(
            file=file,
            field_name=self.field_name,
            name=self.file_name,
            content_type=self.content_type,
            size=file_size,
            charset=self.charset,
            content_type_extra=self.content_type_extra,
        )
