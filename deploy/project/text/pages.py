"""What lies beside the definitions of a project: a README with the next commands, and a test."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from shared_features.definitions import Catalogue

UTF_8 = "utf-8-sig"
"""The encoding that `produce` reads where nothing else is said."""
_CHECKOUT = Path(__file__).parents[3] / "run"
COMMAND = shlex.quote(str(_CHECKOUT)) if _CHECKOUT.is_file() else "millrace"
"""What a person types before a verb: in a checkout its `run`, wherever that person stands."""
_PYTEST = f"{COMMAND} exec pytest" if _CHECKOUT.is_file() else "pytest"


def produce_command(
    file: str,
    sources: Sequence[str],
    maps: Mapping[str, str],
    move_days: int,
    arrivals: Mapping[str, str],
    *,
    decimal_comma: bool = False,
    encoding: str = UTF_8,
) -> str:
    """The command that sends the file. move_days: by which all times are moved. arrivals: source -> its --arrival."""
    parts = ["produce", file, *(["--decimal-comma"] if decimal_comma else [])]
    parts += [] if encoding == UTF_8 else ["--encoding", encoding]
    for source in sources:
        parts += ["--source", source]
    for field, column in maps.items():
        parts += ["--map", f"{field}={column}"]
    for source, column in arrivals.items():
        parts += ["--arrival", f"{source}={column}"]
    return f"{COMMAND} " + shlex.join([*parts, *(["--move-days", str(move_days)] if move_days else [])])


def readme_text(
    project: str,
    catalogue: Catalogue,
    produce: str | None,
    request: Mapping[str, Any],
    notes: Sequence[str],
    kafka: str,
) -> str:
    """notes: what a person must know or do first, one sentence or more each. produce: None where the events are in
    Kafka already, at the address `kafka`.
    """
    (view,) = catalogue.views
    entity = catalogue.groups[0].entity
    instance = json.dumps(request, ensure_ascii=False)
    ask = f"{COMMAND} " + shlex.join(["predict", view.name, instance, "--explain"])
    key = "|".join(str(request.get(name, "KEY")) for name in entity.keys)
    look = f"{COMMAND} " + shlex.join(["inspect", entity.name, key])
    answer = [f"{COMMAND} status                 # until training is done", ask] if view.labels else []
    lines = [
        f"# {project}",
        "",
        f"`features.py` holds the definitions. Run the commands in the folder that holds `{project}/`. There, each of "
        "them finds what `up` started by itself.",
        "",
        *(f"- {note}" for note in notes),
        *([""] if notes else []),
        "```sh",
        *([] if produce else [f"export KAFKA_BOOTSTRAP_SERVERS={shlex.quote(kafka)}"]),
        f"{_PYTEST} {project}             # tries the definitions",
        f"{COMMAND} up --detach --definitions {project}.features",
        *([produce] if produce else []),
        look,
        *answer,
        f"{COMMAND} down                   # ends every part; the data stay",
        "```",
    ]
    if not view.labels:
        lines += ["", f"Then, when the view has labels and a model is trained: `{ask}`"]
    return "\n".join(lines) + "\n"


def test_text(project: str) -> str:
    """A test of the definitions that runs with pytest, also after they were renamed."""
    return f'''"""The definitions of {project} load, and their functions work for single values and for arrays."""

from shared_features import load_definitions
from shared_features.definitions.views.function_trial import check_functions

DEFINITIONS = load_definitions("{project}.features")


def test_each_view_has_a_source_of_its_events():
    assert DEFINITIONS.views
    assert all(view.source in DEFINITIONS.sources for view in DEFINITIONS.views)


def test_every_function_takes_single_values_and_arrays():
    for view in DEFINITIONS.views:
        check_functions(view)
'''
