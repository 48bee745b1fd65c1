"""The server of gRPC in one process, on the event loop of the others, within the bounds that HTTP has."""

from __future__ import annotations

import math
from typing import Any

import grpc

from serving.connections.connection_keeper import most_connections
from serving.endpoints.inference.over_grpc.inference_calls import InferenceCalls
from serving.endpoints.served_view import ServedView
from serving.log import get_log
from serving.settings import ServingSettings
from shared_features.access.server_certificate import Settings, ShownCertificate, certificate_files

_END_WITHIN_S = 10  # what uvicorn gives the answers that are under way
_CALLS_OF_A_CONNECTION = 128
_PINGS_EVERY_S = 10
_CLIENT_AWAY_AFTER_S = 60


class GrpcServer:
    """`port`: on which it listens, once it was started. Several processes listen on one: each connection meets one."""

    def __init__(self, settings: ServingSettings, calls: InferenceCalls) -> None:
        self._settings, self._calls = settings, calls
        self._server: Any = None
        self.port = 0

    async def start(self) -> None:
        """Listen. Raises RuntimeError where another program has the port."""
        settings = self._settings
        most = most_connections(settings)  # of HTTP each has one request under way
        server = grpc.aio.server(options=_options(settings, most), maximum_concurrent_rpcs=most)
        server.add_generic_rpc_handlers((self._calls.handler(),))
        host = f"[{settings.serving_host}]" if ":" in settings.serving_host else settings.serving_host
        address, files = (
            f"{host}:{settings.serving_grpc_port}",
            certificate_files(settings.tls_certificate, settings.tls_key),
        )
        if files is None:
            self.port = server.add_insecure_port(address)
        else:
            self.port = server.add_secure_port(address, _credentials(files))
        await server.start()
        self._server = server
        get_log("serving").info("answering over gRPC", host=settings.serving_host, port=self.port)

    async def stop(self) -> None:
        """Tell the clients that their connections end, and answer the calls that are under way."""
        await self._server.stop(_END_WITHIN_S)


def _options(settings: ServingSettings, most_connections: int) -> list[tuple[str, int]]:
    most_bytes = ServedView.most_bytes_of(settings.serving_max_instances)
    return [
        ("grpc.max_receive_message_length", most_bytes),
        ("grpc.max_send_message_length", -1),
        ("grpc.compression_enabled_algorithms_bitset", 1),  # none: a small message may be a large one inside
        ("grpc.max_metadata_size", settings.serving_max_head_bytes),
        ("grpc.absolute_max_metadata_size", settings.serving_max_head_bytes),
        ("grpc.max_concurrent_streams", _CALLS_OF_A_CONNECTION),
        ("grpc.max_allowed_incoming_connections", most_connections),
        ("grpc.max_connection_idle_ms", max(1, settings.serving_keep_alive_s) * 1000),
        ("grpc.server_handshake_timeout_ms", math.ceil(settings.serving_receive_s * 1000)),
        ("grpc.server_max_unrequested_time_in_server", math.ceil(settings.serving_max_wait_ms / 1000)),
        # Clients that ping are common, and by default a server ends their connection (too_many_pings).
        ("grpc.http2.min_ping_interval_without_data_ms", _PINGS_EVERY_S * 1000),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.keepalive_time_ms", _CLIENT_AWAY_AFTER_S * 1000),
        ("grpc.keepalive_timeout_ms", 20_000),
        ("grpc.so_reuseport", 1),
    ]


def _credentials(files: Settings) -> Any:
    """By a certificate that is read again when its files change, as over HTTPS, where the log says so."""
    shown = ShownCertificate(files, get_log("serving").debug)
    shown.start()
    return grpc.dynamic_ssl_server_credentials(_pair(shown), lambda: _pair(shown))


def _pair(shown: ShownCertificate) -> Any:
    certificate, key = shown.pem
    return grpc.ssl_server_certificate_configuration([(key, certificate)])
