"""The lock on resource rows: only the operations room may write them.

A row is written inside :func:`writing`; anywhere else ``save``, ``delete`` and the bulk methods
raise :class:`WriteOutsideOperationsError`, so that no change can miss the rules or the activity
log.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Any, Self, TypeVar

from django.db import models
from django.db.models.base import ModelState

_writing: ContextVar[bool] = ContextVar("gateway_writing", default=False)


class WriteOutsideOperationsError(RuntimeError):
    """A resource row was written without going through an operation."""


@contextmanager
def writing() -> Iterator[None]:
    """Permit writes of resource rows; for ``gateway.operations`` alone."""
    token = _writing.set(True)
    try:
        yield
    finally:
        _writing.reset(token)


def _check(model: type[models.Model]) -> None:
    if not _writing.get():
        raise WriteOutsideOperationsError(
            f"{model.__name__} rows change through gateway.operations only."
        )


RowT = TypeVar("RowT", bound=models.Model, covariant=True)


class GuardedQuerySet(models.QuerySet[RowT]):
    """A query set whose writing methods are locked like the rows' own."""

    def update(self, **kwargs: Any) -> int:
        _check(self.model)
        return super().update(**kwargs)

    def delete(self) -> tuple[int, dict[str, int]]:
        _check(self.model)
        return super().delete()

    def bulk_create(self, *args: Any, **kwargs: Any) -> list[RowT]:
        _check(self.model)
        return super().bulk_create(*args, **kwargs)

    def bulk_update(self, *args: Any, **kwargs: Any) -> int:
        _check(self.model)
        return super().bulk_update(*args, **kwargs)


@cache
def _columns(model: type[models.Model]) -> tuple[str, ...]:
    return tuple(column.attname for column in model._meta.concrete_fields)


class Row(models.Model):
    """A row that belongs to a resource."""

    objects = GuardedQuerySet.as_manager()

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        _check(type(self))
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        _check(type(self))
        return super().delete(*args, **kwargs)

    @classmethod
    def from_db(
        cls, db: str | None, field_names: Collection[str], values: Collection[Any], **more: Any
    ) -> Self:
        """A row as it was read: what Django's constructor makes of it, in a third of its time.

        A gateway is thousands of rows, loaded twice by each save. The signals of construction are
        not sent; nothing here listens to them.
        """
        names = _columns(cls)
        if more or len(values) != len(names):  # some are deferred
            return super().from_db(db, field_names, values, **more)
        row = cls.__new__(cls)
        state = ModelState()
        state.adding, state.db = False, db
        row.__dict__.update(zip(names, values, strict=True), _state=state)
        return row
