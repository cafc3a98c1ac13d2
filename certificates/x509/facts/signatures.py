"""Who signed what.

``cryptography`` declines to check SHA-1 and MD5 signatures of certificates. A walk that explains a
chain must still know who issued what, so such signatures are checked by hand here; that they are
too weak to be trusted is said later, by :mod:`certificates.x509.trust.verifier`.
"""

from __future__ import annotations

from typing import cast

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import SignatureAlgorithmOID

WEAK_DIGESTS = frozenset({"md2", "md4", "md5", "sha1"})

MAX_RSA_BITS = 8192
"""The largest RSA key that is used here. A check takes four times as long with each doubling; keys
of authorities have 4096 bits at most."""

MAX_EXPONENT_BITS = 33
"""The largest public exponent of an RSA key that is used here: 65537 has 17 bits. A check takes as
many steps as the exponent has bits, so one of the key's own size takes a hundred times as long."""


def is_unreasonable(key: object) -> bool:
    """Whether checking a signature with this public key takes far longer than with a real one."""
    return isinstance(key, rsa.RSAPublicKey) and (
        key.key_size > MAX_RSA_BITS or key.public_numbers().e.bit_length() > MAX_EXPONENT_BITS
    )


def signature_digest(certificate: x509.Certificate) -> str | None:
    """The digest that the signature on ``certificate`` uses, such as ``sha256``; ``None`` if it is
    not known or, as with Ed25519, none of its own. Never raises."""
    try:
        digest = certificate.signature_hash_algorithm
    except Exception:
        # An unknown algorithm, or PSS with parameters that are not understood.
        return None
    return digest.name if digest is not None else None


def is_signed_by(child: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Whether the key in ``issuer`` made the signature on ``child``; names are not looked at.

    Never raises: a signature that cannot be checked with reasonable effort counts as not made by
    that key.
    """
    try:
        key = issuer.public_key()
        if is_unreasonable(key):
            return False
        digest = child.signature_hash_algorithm
        if digest is not None and digest.name in WEAK_DIGESTS:
            return _is_weakly_signed(child, key, digest)
        child.verify_directly_issued_by(issuer)
    except InvalidSignature:
        return False
    except Exception:
        # Unsupported or malformed keys and algorithms end in half a dozen exception types.
        return False
    return True


def _is_weakly_signed(child: x509.Certificate, key: object, digest: hashes.HashAlgorithm) -> bool:
    """The same for a signature with an outdated digest; raises what the library raises."""
    if isinstance(key, rsa.RSAPublicKey):
        scheme: padding.AsymmetricPadding = padding.PKCS1v15()
        if child.signature_algorithm_oid == SignatureAlgorithmOID.RSASSA_PSS:
            scheme = cast(padding.PSS, child.signature_algorithm_parameters)
        key.verify(child.signature, child.tbs_certificate_bytes, scheme, digest)
        return True
    if isinstance(key, ec.EllipticCurvePublicKey):
        key.verify(child.signature, child.tbs_certificate_bytes, ec.ECDSA(digest))
        return True
    return False
