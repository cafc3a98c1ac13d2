"""Who signed what.

``cryptography`` declines to check SHA-1 and MD5 signatures of certificates. A walk that explains a
chain must still know who issued what, so such signatures are checked by hand here; that they are
too weak to be trusted is said later, by :mod:`certificates.x509.verifier`.
"""

from __future__ import annotations

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

WEAK_DIGESTS = frozenset({"md2", "md4", "md5", "sha1"})


def is_signed_by(child: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Whether the key in ``issuer`` made the signature on ``child``; names are not looked at.

    Never raises: a signature that cannot be checked counts as not made by that key.
    """
    try:
        key = issuer.public_key()
        digest = child.signature_hash_algorithm
        if digest is not None and digest.name in WEAK_DIGESTS:
            if isinstance(key, rsa.RSAPublicKey):
                key.verify(child.signature, child.tbs_certificate_bytes, padding.PKCS1v15(), digest)
                return True
            if isinstance(key, ec.EllipticCurvePublicKey):
                key.verify(child.signature, child.tbs_certificate_bytes, ec.ECDSA(digest))
                return True
            return False
        child.verify_directly_issued_by(issuer)
    except InvalidSignature:
        return False
    except Exception:
        # Unsupported or malformed keys and algorithms end in half a dozen exception types.
        return False
    return True
