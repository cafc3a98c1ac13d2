"""The agent: follows a portal, owns one Envoy, tells what became of each configuration.

It needs no database; all that it keeps lies in one directory, from which it serves while the portal
is away.
"""
