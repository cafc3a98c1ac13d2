"""Lab servers whose certificates are right, or wrong in one way each."""

from __future__ import annotations

from gateway.lab.scenario import ZONE, Scenario, in_zone

CHAINS: tuple[Scenario, ...] = (
    in_zone(
        10,
        "full-chain",
        "Private CA, full chain",
        "Sends leaf, intermediate and root of your lab CA. v2 wants the root uploaded, v1 the "
        "leaf; it answers plain HTTP on port 80 as well.",
        plain_port=80,
    ),
    in_zone(
        11,
        "no-intermediate",
        "Private CA, intermediate left out",
        "Sends its leaf alone. v2 cannot build a path to the root, uploaded or not; v1 compares "
        "leaves only and is content.",
        presents="leaf-only",
    ),
    in_zone(
        22,
        "leaf-and-root",
        "Private CA, a gap in the chain",
        "Sends leaf and root without the intermediate between them: the two ends do not meet.",
        presents="leaf-and-root",
    ),
    in_zone(
        23,
        "no-root",
        "Private CA, root left out",
        "Sends leaf and intermediate, as many servers do. v2 is content once the root is uploaded; "
        "with well-known CAs it misses a public issuer of the intermediate.",
        presents="no-root",
    ),
    in_zone(
        24,
        "wrong-order",
        "Chain in the wrong order",
        "Sends an authority's certificate first and its own behind it; v2 wants its own on top.",
        presents="authority-first",
    ),
    in_zone(
        25,
        "no-leaf",
        "No certificate of its own",
        "Sends the certificates of authorities only: the one that was issued to it is missing.",
        presents="authorities-only",
    ),
    in_zone(
        12,
        "self-signed-ca",
        "Self-signed, marked as a CA",
        "Signed itself and says CA:TRUE, so v2 takes it as a root once it is uploaded.",
        presents="self-signed-ca",
    ),
    in_zone(
        13,
        "self-signed",
        "Self-signed, not marked as a CA",
        "Signed itself without CA:TRUE: v1 takes it on its list, v2 goes on looking for an issuer "
        "and finds none.",
        presents="self-signed",
    ),
    in_zone(
        26,
        "renewed-root",
        "Root of the same name, renewed",
        "Its root has the name of your lab root and another key. Upload the wrong one of the two "
        "and only the thumbprints tell them apart.",
        presents="renewed-root",
    ),
    in_zone(
        14,
        "wrong-name",
        "Certificate of another host",
        "The chain is fine, but the certificate names a host that nobody asked for.",
        presents="wrong-name",
    ),
    in_zone(
        27,
        "name-in-subject",
        "Name in the common name only",
        "The certificate has no subject alternative names. Browsers refuse that; a gateway falls "
        "back to the common name and is content.",
        presents="name-in-subject",
    ),
    in_zone(
        28,
        "wildcard",
        "Wildcard certificate",
        f"Shows a certificate of *.{ZONE}: good for each name one label below, so ask by a name of "
        "the zone.",
        presents="wildcard",
    ),
    in_zone(
        29,
        "address-only",
        "Certificate of an IP address",
        "The certificate names the server's address and no host. A gateway checks names, and an "
        "address is never sent as one.",
        presents="address",
    ),
    in_zone(
        30,
        "default-site",
        "Another site's certificate without SNI",
        "A web server with two sites: asked by its name it shows the right certificate, asked by "
        "address (or by a v1 probe of an address) that of the other site.",
        presents="other-site-first",
    ),
    in_zone(
        15,
        "expired",
        "Expired certificate",
        "Everything fits except the date: the leaf has run out.",
        presents="expired",
    ),
    in_zone(
        31,
        "not-yet-valid",
        "Certificate of the future",
        "The leaf becomes valid in ten years; the gateway tells it like an expired one.",
        presents="not-yet-valid",
    ),
    in_zone(
        32,
        "expired-intermediate",
        "Expired intermediate",
        "Leaf and root are in date, the intermediate between them has run out.",
        presents="expired-intermediate",
    ),
    in_zone(
        33,
        "weak-key",
        "Weak key",
        "The chain leads to your root, but the leaf's RSA key of 1024 bits is too short.",
        presents="weak-key",
    ),
    in_zone(
        34,
        "sha1",
        "SHA-1 signature",
        "The chain leads to your root, but the leaf was signed with an outdated digest.",
        presents="sha1",
    ),
    in_zone(
        16,
        "public",
        "Issued by the lab's public CA",
        "Issued by an authority that the lab counts as well known: v2 needs no upload, only the "
        "right host name.",
        presents="public",
    ),
)
