"""What the next `up` of a directory shall be: what was asked for, what is remembered, and what contradicts it."""

from __future__ import annotations

import os
import uuid

import msgspec

from deploy.embedded.kafka.apache_kafka import ApacheKafka
from deploy.embedded.ports import is_free
from deploy.embedded.redis_server import RedisServer
from deploy.local.errors import LocalError
from deploy.local.parts.environment import find_definitions, import_path
from deploy.local.stack.stack_directory import Ours, Remembered, StackDirectory
from shared_features.definitions import Catalogue, load_definitions
from shared_features.errors import DefinitionError

_CARDS = "shared_features.feature_views"


def wanted_stack(
    directory: StackDirectory, *, definitions: str | None = None, kafka: bool = False, port: int | None = None
) -> tuple[Remembered, Catalogue]:
    """What to start, before anything is started or written. Raises LocalError with what stands against it.

    definitions, kafka, port: the options of these names.
    """
    before = directory.remembered()
    kafka_address, redis_address = _theirs("KAFKA_BOOTSTRAP_SERVERS", before), _theirs("REDIS_URL", before)
    if kafka and kafka_address is not None:
        raise LocalError(
            f"--kafka starts a Kafka, and KAFKA_BOOTSTRAP_SERVERS names one ({kafka_address}). "
            "Unset it, or leave --kafka out."
        )
    kind: Ours = "yours" if kafka_address else "apache" if kafka else "simulator"
    if before is not None:
        kind = before.kafka if kind == "simulator" and before.kafka == "apache" else kind
        _refuse_another_kafka(directory, before, kind, kafka_address, redis_address)
    _refuse_missing(redis=not redis_address, apache=kind == "apache")
    if port is not None and not is_free(port):
        raise LocalError(f"--port {port} is taken by another program. Give another port, or end that program.")
    folders = tuple(dict.fromkeys((*import_path(), *(before.import_path if before else ()))))
    module = _definitions(definitions, directory, before)
    catalogue = _catalogue(module, folders)
    name = uuid.uuid4().hex[:12]
    known = before or Remembered(
        definitions=module,
        kafka=kind,
        redis="yours" if redis_address else "embedded",
        namespace=f"millrace-{name}" if redis_address else "millrace",
        log=name,
    )
    return msgspec.structs.replace(
        known,
        import_path=folders,
        kafka_address=kafka_address or known.kafka_address,
        redis_address=redis_address or known.redis_address,
        serving_port=port or known.serving_port,
    ), catalogue


def _theirs(variable: str, before: Remembered | None) -> str | None:
    """The address of the user's own server. Not the address of ours: a shell that read env.sh still has it."""
    address = os.environ.get(variable) or os.environ.get(f"MILLRACE_{variable}")
    if not address or before is None:
        return address or None
    ours = (
        (before.kafka_address, before.kafka) if variable.startswith("KAFKA") else (before.redis_address, before.redis)
    )
    return None if address == ours[0] and ours[1] != "yours" else address


def _refuse_another_kafka(
    directory: StackDirectory, before: Remembered, kafka: Ours, kafka_address: str | None, redis_address: str | None
) -> None:
    if before.kafka != kafka or (kafka == "yours" and kafka_address != before.kafka_address):
        raise LocalError(
            f"The stack in {directory.path} began with Kafka {_called(before.kafka, before.kafka_address)}, and now it "
            f"would be {_called(kafka, kafka_address)}: its stored offsets are of another log. Start it as before, or "
            "give another --directory."
        )
    redis = "yours" if redis_address else "embedded"
    if before.redis != redis or (redis == "yours" and redis_address != before.redis_address):
        raise LocalError(
            f"The stack in {directory.path} began with Redis {_called(before.redis, before.redis_address)}, and now it "
            f"would be {_called(redis, redis_address)}. Start it as before, or give another --directory."
        )


def _called(kind: str, address: str | None) -> str:
    return {"simulator": "simulated", "apache": "of its own (--kafka)", "embedded": "of its own"}.get(
        kind, f"at {address}"
    )


def _refuse_missing(*, redis: bool, apache: bool) -> None:
    """Raise LocalError for what the embedded servers that are wanted lack here, before anything is started."""
    missing = RedisServer.missing() if redis else []
    if apache:
        missing += ApacheKafka.missing()
    if missing:
        raise LocalError(" ".join(missing))


def _definitions(asked: str | None, directory: StackDirectory, before: Remembered | None) -> str:
    if before is None:
        return asked or os.environ.get("MILLRACE_DEFINITIONS") or _CARDS
    if asked is not None and asked != before.definitions:
        raise LocalError(
            f"The stack in {directory.path} holds the data of the definitions {before.definitions}, and --definitions "
            f"names {asked}. Leave --definitions out, or give another --directory."
        )
    return before.definitions


def _catalogue(definitions: str, folders: tuple[str, ...]) -> Catalogue:
    find_definitions(folders)
    try:
        return load_definitions(definitions)
    except DefinitionError as error:
        raise LocalError(f"{error} (looked in {', '.join(folders)}; --definitions names a module)") from error
