"""Who calls, as the prediction log and the limits know it."""

import pytest

from serving.connections.asking_client import AskingClient
from serving.endpoints.inference.over_grpc.asking_call import AskingCall


@pytest.mark.parametrize(
    ("peer", "address"),
    [("ipv4:127.0.0.1:5000", "127.0.0.1"), ("ipv6:%5B::1%5D:5000", "::1"), ("ipv6:[fe80::2]:1", "fe80::2"),
     ("unix:/var/run/socket", ""), ("", "")],
)  # fmt: skip
def test_a_peer_is_called_by_its_address(peer: str, address: str) -> None:
    client = AskingClient(AskingCall(peer))
    assert (client.address, client.caller, client.has_left) == (address, address, False)
    client.connection.has_left = True  # type: ignore[misc]  # as the call does
    assert client.has_left
