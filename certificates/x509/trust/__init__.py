"""Whether a chain leads to somebody who is trusted, and what breaks it."""
