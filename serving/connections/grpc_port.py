"""The port of gRPC, looked at before there is any process that answers."""

from __future__ import annotations

import importlib.util
import os
import socket

from serving.errors import WrongSettingError
from serving.settings import ServingSettings

_VARIABLE = "MILLRACE_SERVING_GRPC_PORT"


def with_grpc_port(settings: ServingSettings) -> ServingSettings:
    """The settings with the port that all processes share, where gRPC is on. Raises WrongSettingError.

    They share it by SO_REUSEPORT. So another service on the same port would not be noticed: it would get a part of the
    connections.
    """
    if settings.serving_grpc_port is None:
        return settings
    if importlib.util.find_spec("grpc") is None or importlib.util.find_spec("google.protobuf") is None:
        raise WrongSettingError(
            f"Setting serving_grpc_port ({_VARIABLE}) needs grpcio, which is not installed. Install the extra "
            "`millrace[grpc]`, or leave the setting out."
        )
    family = socket.AF_INET6 if ":" in settings.serving_host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.serving_host, settings.serving_grpc_port))
        except OSError as error:
            raise WrongSettingError(
                f"Setting serving_grpc_port ({_VARIABLE}) is {settings.serving_grpc_port}, and the service cannot "
                f"listen there on {settings.serving_host}: {os.strerror(error.errno or 0)}. Name another port."
            ) from error
        return settings.model_copy(update={"serving_grpc_port": probe.getsockname()[1]})
