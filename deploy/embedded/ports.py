"""Free ports on loopback.

Chosen below the range from which the kernel takes the ports of outgoing connections. A server that stops
and starts again on its port finds it free; and a client that keeps knocking at a closed port of that range
would now and then be given the same port itself, and be connected to itself.
"""

from __future__ import annotations

import random
import socket
from pathlib import Path

from deploy.embedded.errors import EmbeddedError

LOOPBACK = "127.0.0.1"
_LOWEST = 20_000
_OUTGOING = Path("/proc/sys/net/ipv4/ip_local_port_range")


def free_port() -> int:
    """A port nobody listens on just now. It may be taken before it is used: start again with another."""
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
            return int(probe.getsockname()[1])
    raise EmbeddedError(f"found no free port on {LOOPBACK} between {_LOWEST} and {highest}")


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
