"""Rows and documents: declared per type in ``tables``, read and answered by one small engine."""

from gateway.document.answering import gateway_document, snapshot
from gateway.document.diffs import diff
from gateway.document.draft import ChildDraft, Draft, External, Reference, Upload
from gateway.document.ids import ResourceId, arm_path, parse
from gateway.document.reading import read
from gateway.document.text import indented

__all__ = [
    "ChildDraft",
    "Draft",
    "External",
    "Reference",
    "ResourceId",
    "Upload",
    "arm_path",
    "diff",
    "gateway_document",
    "indented",
    "parse",
    "read",
    "snapshot",
]
