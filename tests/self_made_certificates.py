"""Two certificates for localhost that nobody trusts, with their keys, for tests of TLS. They open nothing.

Each is its own issuer, on the curve P-256, valid from 2020 to 2120, with the names `localhost` and 127.0.0.1.
"""

from __future__ import annotations

from pathlib import Path

FIRST = """\
-----BEGIN CERTIFICATE-----
MIIBizCCATGgAwIBAgIUEP53EefTkUMtu7rNklunAe3nI8EwCgYIKoZIzj0EAwIw
HjEcMBoGA1UEAwwTZmlyc3QubWlsbHJhY2UudGVzdDAgFw0yMDAxMDEwMDAwMDBa
GA8yMTIwMDEwMTAwMDAwMFowHjEcMBoGA1UEAwwTZmlyc3QubWlsbHJhY2UudGVz
dDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABDqv/tUWC3THdwefkbVjQcZdqo9O
zSYkhv2x4H63WtqoOuc5yxuJ4dVdqFxXRxzoVBnH2RYGkFQYVolgE4mTmN6jSzBJ
MBoGA1UdEQQTMBGCCWxvY2FsaG9zdIcEfwAAATAMBgNVHRMEBTADAQH/MB0GA1Ud
DgQWBBQZkzJrwQRT8ygI3l5SvZ8tcndU9DAKBggqhkjOPQQDAgNIADBFAiEAyqp+
sVpGXFUG9FA1gnoKr5bovQwU/DvXzlk1yXtKZI4CIEDWhwm6fyt9XFNXffZmQQj+
imaPJY8maKfXuvpzDFau
-----END CERTIFICATE-----
"""
FIRST_KEY = """\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg67vQZG6rrx+Oc+GC
ANg3z37SB6UYKZapV9G1O1N7bsChRANCAAQ6r/7VFgt0x3cHn5G1Y0HGXaqPTs0m
JIb9seB+t1raqDrnOcsbieHVXahcV0cc6FQZx9kWBpBUGFaJYBOJk5je
-----END PRIVATE KEY-----
"""
SECOND = """\
-----BEGIN CERTIFICATE-----
MIIBjDCCATOgAwIBAgIUM317pRxZR6oiBmwg0fXcaBWO9gIwCgYIKoZIzj0EAwIw
HzEdMBsGA1UEAwwUc2Vjb25kLm1pbGxyYWNlLnRlc3QwIBcNMjAwMTAxMDAwMDAw
WhgPMjEyMDAxMDEwMDAwMDBaMB8xHTAbBgNVBAMMFHNlY29uZC5taWxscmFjZS50
ZXN0MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEm1zkA52/IkrlG/kWXlKAXtkc
ddRtcw8P9RBukBQGA6gOnimCknTQSmSoI4B+raVx/QWgmba9Ol4fX6ImbG+H2KNL
MEkwGgYDVR0RBBMwEYIJbG9jYWxob3N0hwR/AAABMAwGA1UdEwQFMAMBAf8wHQYD
VR0OBBYEFLEeL8buEZyG4MS2oS0bkuvAH/B0MAoGCCqGSM49BAMCA0cAMEQCIAFw
UtcJBqGuTfGZC/GsUrGKylvd0VXuZ6P3cQrDnIg5AiBx3f3UsUVAu2xf2OjrZoqN
sFv4B/yy+ptSahr6VaUj0g==
-----END CERTIFICATE-----
"""
SECOND_KEY = """\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgXpmHssX9XqMGASuX
kRikd0nyalT+wLoGdIu3yn7fUc6hRANCAASbXOQDnb8iSuUb+RZeUoBe2Rx11G1z
Dw/1EG6QFAYDqA6eKYKSdNBKZKgjgH6tpXH9BaCZtr06Xh9foiZsb4fY
-----END PRIVATE KEY-----
"""
LOCKED_KEY = """\
-----BEGIN ENCRYPTED PRIVATE KEY-----
MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAj991an28xI+AICCAAw
DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEHnXZMezfqXrY5p18LOVfugEgZDf
ed3aPvrsbW/jBd7dOimPtbpi89YChn2m6XuGC1X3JcpGCFOwfX+KguM0RGiPl68y
VDnxLuTDQexPzqDDXzM8RCpUF6PW3v2abQDRaq99Ao8lt9wLM3ZM75PqOu7uSvI+
v/F6MinIjE3l1mWIVks28ek3jUmLIYcAtHKIva4m67bNGt7niz/BVjFI/+AFlb0=
-----END ENCRYPTED PRIVATE KEY-----
"""
"""The first one's key, under a password."""


def written(folder: Path, certificate: str = FIRST, key: str = FIRST_KEY) -> tuple[Path, Path]:
    """The files of a pair."""
    files = folder / "certificate.pem", folder / "key.pem"
    for file, text in zip(files, (certificate, key), strict=True):
        file.write_text(text)
    return files
