"""Trust anchors: the certificates that a chain may end in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from certificates.x509.facts.certificate import Certificate

Origin = Literal["uploaded", "well-known", "lab-public"]


@dataclass(frozen=True, slots=True)
class Anchor:
    """A certificate that is trusted, and where the trust comes from."""

    certificate: Certificate
    origin: Origin = "uploaded"

    @property
    def is_usable(self) -> bool:
        """Only a root, or what looks like one, ends a chain: an uploaded intermediate does not."""
        return self.certificate.self_issued


class AnchorStore:
    """Anchors, indexed once by their subject. Immutable; equal certificates are kept once."""

    __slots__ = ("_by_subject", "_members")

    def __init__(self, anchors: Iterable[Anchor] = ()) -> None:
        self._members: dict[bytes, Anchor] = {}
        self._by_subject: dict[bytes, tuple[Anchor, ...]] = {}
        for anchor in anchors:
            certificate = anchor.certificate
            if certificate.der in self._members:
                continue
            self._members[certificate.der] = anchor
            same_name = self._by_subject.get(certificate.subject_key, ())
            self._by_subject[certificate.subject_key] = (*same_name, anchor)

    @classmethod
    def from_certificates(
        cls, certificates: Iterable[Certificate], origin: Origin = "uploaded"
    ) -> AnchorStore:
        """A store of ``certificates`` that all come from ``origin``."""
        return cls(Anchor(certificate, origin) for certificate in certificates)

    def with_subject(self, subject_key: bytes) -> tuple[Anchor, ...]:
        """The anchors with this encoded subject name (``Certificate.subject_key``), in order."""
        return self._by_subject.get(subject_key, ())

    def find(self, certificate: Certificate) -> Anchor | None:
        """The anchor that is this very certificate."""
        return self._members.get(certificate.der)

    def __iter__(self) -> Iterator[Anchor]:
        return iter(self._members.values())

    def __len__(self) -> int:
        return len(self._members)
