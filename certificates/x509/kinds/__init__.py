"""Every kind of problem that a certificate file can have; an import declares them all."""

from certificates.x509.kinds import contents, files, listeners

__all__ = ["contents", "files", "listeners"]
