"""Free ports on loopback.

Chosen below the range from which the kernel takes the ports of outgoing connections. A server that stops
and starts again on its port finds it free; and a client that keeps knocking at a closed port of that range
would now and then be given the same port itself, and be connected to itself.
"""

from __future__ import annotations

import os
import random
import socket
from collections import deque
from pathlib import Path

from deploy.embedded.errors import EmbeddedError

LOOPBACK = "127.0.0.1"
_LOWEST = 20_000
_OUTGOING = Path("/proc/sys/net/ipv4/ip_local_port_range")
_CLAIMS: deque[int] = deque(maxlen=64)
"""Descriptors, of the ports that this process chose last. The kernel withdraws a claim with its process."""


def free_port() -> int:
    """A port nobody listens on just now, and that no other process chose by this function lately (on Linux).

    Somebody else may take it before it is used: start again with another.
    """
    highest = min(int(_OUTGOING.read_text().split()[0]) if _OUTGOING.exists() else 32_768, 32_768)
    for _ in range(200):
        port = random.randrange(_LOWEST, highest) if highest > _LOWEST else 0
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            # As the servers do; without it a port with connections in TIME_WAIT looks taken.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((LOOPBACK, port))
            except OSError:
                continue
            if _claim(int(probe.getsockname()[1])):
                return int(probe.getsockname()[1])
    raise EmbeddedError(f"found no free port on {LOOPBACK} between {_LOWEST} and {highest}")


def _claim(port: int) -> bool:
    """Whether nobody else has chosen the port: by a name that the kernel gives to one process at a time."""
    if not _OUTGOING.exists():  # no Linux: it has no such names
        return True
    claim = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        claim.bind(f"\0millrace-port-{port}")
    except OSError:
        claim.close()
        return False
    if len(_CLAIMS) == _CLAIMS.maxlen:
        os.close(_CLAIMS.popleft())
    _CLAIMS.append(claim.detach())
    return True


def is_free(port: int) -> bool:
    """Whether a server could listen on the port just now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


def answers(port: int, timeout_s: float = 0.5) -> bool:
    """Whether somebody accepts connections on the port."""
    try:
        with socket.create_connection((LOOPBACK, port), timeout=timeout_s):
            return True
    except OSError:
        return False
