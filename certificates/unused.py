"""Certificates that nothing refers to any more: marked when first seen, deleted a day later.

A certificate is stored once however many use it, so deleting what used it leaves it behind.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import Exists, ManyToOneRel, OuterRef, Q, QuerySet

from certificates.models import Certificate

# Whoever has just stored a certificate may refer to it only after a moment; see models.keep.
GRACE = timedelta(days=1)


def sweep(now: datetime, limit: int) -> int:
    """Delete up to ``limit`` certificates that were unused for :data:`GRACE`; how many were.

    Marks up to ``limit`` newly unused ones. A bounded number of queries.
    """
    marked = Certificate.objects.filter(unused_since__isnull=False)
    used_again = list(marked.filter(_used()).values_list("pk", flat=True)[:limit])
    if used_again:
        Certificate.objects.filter(pk__in=used_again).update(unused_since=None)
    deleted = _delete(marked.filter(~_used(), unused_since__lte=now - GRACE), limit)
    unused = Certificate.objects.filter(~_used(), unused_since__isnull=True)
    left = list(unused.values_list("pk", flat=True)[:limit])
    if left:
        unused.filter(pk__in=left).update(unused_since=now)
    return deleted


def _used() -> Q:
    """True for what any row of any application refers to."""
    used = Q()
    for field in Certificate._meta.get_fields(include_hidden=True):
        if isinstance(field, ManyToOneRel):
            rows = field.related_model._base_manager.order_by()
            used |= Q(Exists(rows.filter(**{field.field.name: OuterRef("pk")})))
    return used


def _delete(query: QuerySet[Certificate], limit: int) -> int:
    if not query.exists():
        return 0
    with transaction.atomic():
        rows = query.order_by("pk")
        if connection.features.has_select_for_update_skip_locked:
            # Who is just taking one into use holds its row, and must not be waited for.
            rows = rows.select_for_update(skip_locked=True, of=("self",))
        found = [row.pk for row in rows.only("pk")[:limit]]
        query.filter(pk__in=found).delete()
    return len(found)
