"""The agents' door: enrol, fetch the configuration, report. HTTPS and credentials, no cookies."""
