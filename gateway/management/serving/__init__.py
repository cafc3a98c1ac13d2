"""What `serve` is made of: ports, the portal's own certificate, the database's state, children."""
