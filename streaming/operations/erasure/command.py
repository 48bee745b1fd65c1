"""`python -m streaming erase`."""

from __future__ import annotations

from argparse import Namespace

import redis
from confluent_kafka import KafkaException

from shared_features.definitions import Entity, load_definitions
from streaming.errors import EXIT_OK, RefusedError
from streaming.operations.erasure.erasure import Erasure
from streaming.operations.erasure.subjects.held_keys import carries
from streaming.operations.erasure.subjects.named import kinds_of, subjects_of
from streaming.operations.erasure.subjects.subject import Subject
from streaming.operations.saying import say
from streaming.settings import StreamingSettings


def run(settings: StreamingSettings, options: Namespace) -> int:
    """The exit code. Raises RefusedError if a store is not beyond the ends of the logs yet: run this again later."""
    catalogue = load_definitions(settings.definitions)
    kinds: dict[Entity, list[Subject]] = {}
    for key in dict.fromkeys(options.keys):
        for subject in subjects_of(catalogue, options.entity, key):
            kinds.setdefault(subject.entity, []).append(subject)
    try:
        for subjects in kinds.values():
            erasure = Erasure(settings, catalogue, list(dict.fromkeys(subjects)))
            if options.execute:
                erasure.execute(with_log=options.with_log)
            else:
                erasure.show(with_log=options.with_log)
    except KafkaException as error:
        raise RefusedError(
            f"Kafka cannot be reached ({error.args[0].str()}). Run this again when Kafka is available"
        ) from error
    except redis.RedisError as error:
        raise RefusedError(f"Redis cannot be reached ({error}). Run this again when Redis is available") from error
    for kind in kinds_of(catalogue, options.entity):
        if not any(carries(kind.keys, erased.keys) for erased in kinds):
            say(f"not erased: other versions key {kind.name} by {', '.join(kind.keys)}; give their keys too")
    return EXIT_OK
