"""The data plane: from a saved gateway to the configuration of Envoy, which carries its traffic."""
