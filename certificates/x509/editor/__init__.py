"""A certificate file as a text editor shows it."""
