"""The places of a gateway that take certificates, and what each makes of a file."""
