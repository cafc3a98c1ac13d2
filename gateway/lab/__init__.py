"""The lab: backends that answer for real, and the sandbox that each user gets."""
