"""How bytes and text carry a certificate: ASN.1, Base-64 text, shapes of files."""
