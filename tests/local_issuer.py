"""An OpenID Connect issuer on this machine: real keys, real HTTP, tokens as a test wants them."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa

AUDIENCE = "millrace-endpoint"


@cache
def private_key(name: str) -> Any:
    """RSA where the name says so; else on the curve P-256, which takes no time to make."""
    if "rsa" in name:
        return rsa.generate_private_key(65537, 1024 if "short" in name else 2048)
    return ec.generate_private_key(ec.SECP256R1())


def published_key(name: str, **changed: Any) -> dict[str, Any]:
    """As an issuer publishes it."""
    public = private_key(name).public_key()
    algorithm: Any = jwt.algorithms.RSAAlgorithm if "rsa" in name else jwt.algorithms.ECAlgorithm
    found: dict[str, Any] = algorithm.to_jwk(public, as_dict=True)
    return found | {"kid": name, "use": "sig", "alg": "RS256" if "rsa" in name else "ES256"} | changed


class LocalIssuer:
    """keys: the names of those that it publishes. asked: how often for each path. silent: it answers 503.

    held: while it is cleared, no question is answered.
    """

    def __init__(self, url: str) -> None:
        self.url, self.keys = url, ["first"]
        self.asked: Counter[str] = Counter()
        self.silent = False
        self.held = threading.Event()
        self.held.set()
        self.changed: dict[str, Any] = {}
        self.published: list[Any] | None = None

    def claims(self, **changed: Any) -> dict[str, Any]:
        now_s = int(time.time())
        usual = {"iss": self.url, "aud": AUDIENCE, "sub": "alice", "iat": now_s, "exp": now_s + 3_600}
        usual |= {"scope": "openid millrace.predict"}
        return {name: value for name, value in (usual | changed).items() if value is not None}

    def token(self, key: str = "first", head: Mapping[str, Any] | None = None, **claims: Any) -> str:
        """A token of that key, whose claims differ from the usual ones so; None leaves a claim out."""
        algorithm = "RS256" if "rsa" in key else "ES256"
        headers = {name: value for name, value in ({"kid": key} | dict(head or {})).items() if value is not None}
        payload = json.dumps(self.claims(**claims)).encode()  # PyJWT itself would refuse some of them
        return jwt.PyJWS().encode(payload, private_key(key), algorithm, headers=headers)

    def document(self, path: str) -> Any:
        """What it answers; None where there is no such path."""
        self.asked[path] += 1
        if path == "/.well-known/openid-configuration":
            return {"issuer": self.url, "jwks_uri": f"{self.url}/keys"} | self.changed
        if path == "/keys":
            return {"keys": [published_key(each) for each in self.keys] if self.published is None else self.published}
        return None


@contextmanager
def local_issuer() -> Iterator[LocalIssuer]:
    """On a free port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = None if issuer.silent else issuer.document(self.path)
            issuer.held.wait(60)
            status = 503 if issuer.silent else 404 if found is None else 200
            if isinstance(found, str):
                status = 302
            body = json.dumps(found).encode()
            self.send_response(status)
            if status == 302:
                self.send_header("location", str(found))
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    issuer = LocalIssuer(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield issuer
    finally:
        issuer.held.set()
        server.shutdown()
        thread.join()
        server.server_close()
