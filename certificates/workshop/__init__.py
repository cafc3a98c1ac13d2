"""The pages of the certificate workshop: one module for each page or window."""
