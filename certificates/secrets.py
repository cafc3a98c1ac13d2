"""Secrets at rest: encrypted with the installation's keys, newest first (MultiFernet)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.db import models

if TYPE_CHECKING:
    _Bytes = models.BinaryField[bytes, bytes]
else:
    _Bytes = models.BinaryField


class KeyMissingError(Exception):
    """No key of this installation opens the stored secret."""


def _fernet() -> MultiFernet:
    return MultiFernet([Fernet(key) for key in settings.GATEWRIGHT_KEYS])


class EncryptedBinaryField(_Bytes):
    """Bytes that are encrypted in the database and opened when the row is loaded.

    Raises :class:`KeyMissingError` on loading when no configured key fits. Keep such a column in
    a table of its own, so that lists never load it.
    """

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        if value is not None:
            value = _fernet().encrypt(bytes(value))
        return super().get_db_prep_value(value, connection, prepared)

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> bytes | None:
        if value is None:
            return None
        try:
            return _fernet().decrypt(bytes(value))
        except InvalidToken as error:
            raise KeyMissingError(
                "A stored private key cannot be opened: the key file of this installation "
                "has changed. Restore the key file that belongs to this database."
            ) from error
