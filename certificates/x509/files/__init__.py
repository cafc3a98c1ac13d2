"""Reading files of any kind: certificates, PFX, spoilt text."""
