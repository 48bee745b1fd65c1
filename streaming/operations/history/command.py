"""`python -m streaming history VIEW JSON --as-of T`: a request's features as served then, replayed from the lake."""

from __future__ import annotations

import json
import math
from argparse import Namespace
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from shared_features.definitions import load_definitions
from shared_features.errors import DefinitionError
from shared_features.kernel.event_time import to_text
from streaming.errors import EXIT_OK, EXIT_REFUSED, RefusedError
from streaming.operations.history.replayed_features import ReplayedFeatures
from streaming.operations.history.request import read_request
from streaming.operations.saying import say
from streaming.settings import StreamingSettings


def run(settings: StreamingSettings, options: Namespace) -> int:
    """Exit code 0, or 1 where the lake lacks events, so that values may not be exact."""
    catalogue = load_definitions(settings.definitions)
    try:
        view = catalogue.view(options.view)
    except DefinitionError as error:
        raise RefusedError(str(error)) from None
    request = read_request(view, options.request, options.as_of)
    with ReplayedFeatures(settings, catalogue, view) as features:
        replayed = features.of(request)
    names = [column.name for column in view.columns]
    told = [
        {"as_of_us": as_of_us, "features": dict(zip(names, map(_plain, row), strict=True)) | named, "lacks": why}
        for as_of_us, row, named, why in zip(
            request.as_of_us.tolist(), replayed.matrix.tolist(), replayed.categories, replayed.lacks, strict=True
        )
    ]
    if options.json:
        say(json.dumps({"view": view.label, "gaps_unknown": features.unknown or None, "instances": told}, indent=2))
    else:
        say("\n".join(_lines(view.label, told, features.unknown)))
    return EXIT_REFUSED if any(replayed.lacks) else EXIT_OK


def _lines(label: str, told: list[dict[str, Any]], unknown: str) -> Iterator[str]:
    exact = "exact: the lake holds every event that had arrived by then"
    yield f"view {label}, replayed from the stored events"
    if unknown:
        exact += ", unless Kafka deleted records before they were archived"
        yield f"! whether Kafka deleted records before they were archived is not known. {unknown}"
    for number, each in enumerate(told):
        yield ""
        yield f"instance {number} as of {to_text(each['as_of_us'])}"
        yield from _features(each["features"])
        if not each["lacks"]:
            yield f"  {exact}"
        yield from (f"  may not be exact: {why}" for why in each["lacks"])


def _features(features: Mapping[str, Any]) -> Iterator[str]:
    width = max(map(len, features))
    for name, value in features.items():
        is_number = isinstance(value, float)
        text = "-" if value is None else f"{np.float32(value):.9g}" if is_number else str(value)
        yield f"  {name.ljust(width)}  {text}"


def _plain(value: float) -> float | str | None:
    """As an answer of the endpoint has it: JSON has no NaN and no infinity."""
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return None if math.isnan(value) else value
