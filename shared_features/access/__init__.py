"""Who may ask a service: API keys, their limits, and the certificate that the service shows. Nothing of features."""
