"""A server of S3 for the tests that need one, in a process of its own, from libraries apart."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.request import Request, urlopen

from tests.architecture.source_tree import ROOT
from tests.libraries_apart import libraries_apart

KEY, SECRET = "AKIAOFTHETEST", "secret-of-the-test"
_KEYS_OF_A_PAGE = "7"
"""Of a listing, where S3 has 1,000: so every listing has pages."""
WRITES, ALL = ("PUT", "DELETE", "POST"), ("GET", "HEAD", "PUT", "DELETE", "POST")


class S3Server:
    """endpoint: its address. environment: what a process needs to use it."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self.environment = {
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": endpoint,
        }

    def bucket(self, name: str = "") -> str:
        """A new one; its name."""
        name = name or f"models-{uuid.uuid4().hex[:12]}"
        urlopen(Request(f"{self.endpoint}/{name}", method="PUT"), timeout=60).close()
        return name

    def fail(self, kind: str, first: int = 0, end: int = 1_000_000, methods: Sequence[str] = ALL) -> int:
        """From now on, requests from the first to the end, counted from 0, fail; how many there were until now."""
        body = json.dumps({"kind": kind, "first": first, "end": end, "methods": methods}).encode()
        with urlopen(Request(f"{self.endpoint}/-/faults", body, method="POST"), timeout=60) as answer:
            return int(json.load(answer)["seen"])

    def mend(self, methods: Sequence[str] = ALL) -> int:
        """Nothing fails any more; how many requests there were."""
        return self.fail("", methods=methods)


@contextmanager
def s3_server() -> Iterator[S3Server]:
    """Its environment is that of this process, too. Skips the test where the libraries cannot be installed."""
    folder = libraries_apart("s3-server.lock", "S3 by moto", in_its_own_process=True)
    with started_server(folder) as server:
        before = {name: os.environ.get(name) for name in server.environment}
        os.environ.update(server.environment)
        try:
            yield server
        finally:
            for name, value in before.items():
                os.environ.pop(name) if value is None else os.environ.update({name: value})


@contextmanager
def started_server(libraries: Path) -> Iterator[S3Server]:
    path = os.pathsep.join([str(libraries), str(ROOT)])
    environment = {**os.environ, "PYTHONPATH": path, "MOTO_S3_DEFAULT_MAX_KEYS": _KEYS_OF_A_PAGE}
    command = [sys.executable, "-W", "ignore", "-m", "tests.s3_server_process"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, cwd=ROOT, text=True
    ) as process:
        try:
            if process.stdout is None:
                raise TypeError("The port of the server is read from its output.")
            yield S3Server(f"http://127.0.0.1:{int(process.stdout.readline())}")
        finally:
            process.kill()
