"""Backend health: resolve, connect, handshake, certificate, request, verdict with evidence."""
