"""Bearer tokens of an OpenID Connect issuer: its signing keys, what a token claims, and whose it is."""
