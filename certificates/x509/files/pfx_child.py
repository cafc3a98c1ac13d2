"""Opens one PFX file: a program that :mod:`certificates.x509.files.pfx` runs, not the server.

It limits itself before it reads anything: a hostile file can only end this process. Arguments: CPU
seconds, bytes of data. Standard input: the length of the password as four bytes (all
ones: no password), the password in UTF-8, the file. Standard output: a JSON object with ``result``
and, if that is ``ok``, ``key`` (PEM), ``certificate`` and ``others`` (pairs of Base-64 of DER and
friendly name, which may be empty). It imports nothing of this project, which keeps its start short.
"""

from __future__ import annotations

import base64
import json
import math
import resource
import signal
import sys
from typing import Any

NO_PASSWORD = 0xFFFFFFFF
MAX_NAME = 1000


def limit(cpu_seconds: float, memory_bytes: int) -> None:
    """Bound this process for good.

    The kernel counts its limit of processor time in whole seconds, so a timer of finer grain ends
    the process before; the limit stands behind it, soft and hard.
    Memory is bounded by what a process holds of its own. The address space would be the wrong
    measure: libraries and tables of the C library take from tens to hundreds of MB of it that are
    never touched.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    whole = math.ceil(cpu_seconds)
    resource.setrlimit(resource.RLIMIT_CPU, (whole, whole + 1))
    signal.setitimer(signal.ITIMER_PROF, cpu_seconds)
    resource.setrlimit(resource.RLIMIT_DATA, (memory_bytes, memory_bytes))


def unpack(data: bytes, password: bytes | None) -> dict[str, Any]:
    """The content of a PFX as a JSON value; never raises for a bad file.

    ``result``: ``ok``, ``password`` (it does not open the file), ``damaged``, ``memory``, ``key``
    (one of a kind that is not known).
    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization

    # No password and an empty one are two different things inside a PFX, and tools differ.
    passwords = [password] if password else [None, b""]
    if password and b"\0" in password:
        return {"result": "password"}  # the end mark of a password cannot be inside it
    result = "damaged"
    for attempt in passwords:
        try:
            key, certificate, others = _load(data, attempt)
            pem = None
            if key is not None:
                pem = key.private_bytes(
                    serialization.Encoding.PEM,
                    serialization.PrivateFormat.PKCS8,
                    serialization.NoEncryption(),
                ).decode("ascii")
            return {
                "result": "ok",
                "key": pem,
                "certificate": _named(*certificate) if certificate else None,
                "others": [_named(*other) for other in others],
            }
        except MemoryError:
            return {"result": "memory"}
        except UnsupportedAlgorithm:
            return {"result": "key"}  # the password was right
        except BaseException as error:
            # The library's native part panics on some input, which is no ordinary exception; this
            # process has nothing to do but to say that the file cannot be opened.
            result = "password" if "password" in str(error).lower() else "damaged"
    return {"result": result}


def _load(data: bytes, password: bytes | None) -> tuple[Any, Any, list[Any]]:
    """The key, its certificate and the others, each with its friendly name; raises what the library
    raises."""
    from cryptography.hazmat.primitives.serialization import pkcs12

    try:
        opened = pkcs12.load_pkcs12(data, password)
    except TypeError:
        # Names come in a container that has no room for keys that cannot sign, such as X25519.
        key, certificate, others = pkcs12.load_key_and_certificates(data, password)
        return key, certificate and (certificate, None), [(other, None) for other in others]
    own, more = opened.cert, opened.additional_certs
    named = [(other.certificate, other.friendly_name) for other in more]
    return opened.key, own and (own.certificate, own.friendly_name), named


def _named(certificate: Any, name: bytes | None) -> tuple[str, str]:
    from cryptography.hazmat.primitives.serialization import Encoding

    der = base64.b64encode(certificate.public_bytes(Encoding.DER)).decode("ascii")
    return der, (name or b"").decode("utf-8", "replace")[:MAX_NAME]


def main() -> None:
    limit(float(sys.argv[1]), int(sys.argv[2]))
    message = sys.stdin.buffer.read()
    length = int.from_bytes(message[:4], "big")
    password = None if length == NO_PASSWORD else message[4 : 4 + length]
    data = message[4:] if password is None else message[4 + length :]
    sys.stdout.write(json.dumps(unpack(data, password)))


if __name__ == "__main__":
    main()
