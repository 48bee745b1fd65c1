"""How a program describes itself to a collector. The standard variables OTEL_... win."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opentelemetry.sdk.resources import Resource


def described(service: str) -> Resource:
    """The program, called `service` unless OTEL_SERVICE_NAME names it. The library falls silent: who sends says it.

    It is imported here: who asks for no traces need not have it.
    """
    from opentelemetry.sdk.resources import SERVICE_NAME, Resource

    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)  # a line for each batch that fails
    resource = Resource.create()
    if str(resource.attributes.get(SERVICE_NAME, "")).startswith("unknown_service"):
        return resource.merge(Resource({SERVICE_NAME: service}))
    return resource
