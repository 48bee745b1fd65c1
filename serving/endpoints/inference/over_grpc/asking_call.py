"""The client of a call, as the predictor knows those of HTTP."""

from __future__ import annotations

from urllib.parse import unquote


class AskingCall:
    """See `asking_client.Connection`. peer: an address as gRPC has it, `ipv4:127.0.0.1:50` or `ipv6:%5B::1%5D:50`."""

    __slots__ = ("_peer", "has_left")
    body_is_here = True  # its message is read before anything else is asked

    def __init__(self, peer: str) -> None:
        self._peer = peer
        self.has_left = False

    @property
    def client(self) -> tuple[str, int] | None:
        """Address and port; None where it has none, such as a socket of Unix."""
        kind, _, address = unquote(self._peer).partition(":")
        host, _, port = address.rpartition(":")
        return (host.strip("[]"), int(port)) if kind in ("ipv4", "ipv6") and port.isdigit() else None
