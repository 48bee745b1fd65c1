"""What lies beside the definitions of a project: a README with the next commands, and a test."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from shared_features.definitions import Catalogue


def produce_command(
    file: str, sources: Sequence[str], maps: Mapping[str, str], move_to: str | None, arrivals: Mapping[str, str]
) -> str:
    """The command that sends the file. move_to: when its newest row shall be. arrivals: source -> column."""
    parts = ["millrace", "produce", file]
    for source in sources:
        parts += ["--source", source]
    for field, column in maps.items():
        parts += ["--map", f"{field}={column}"]
    for source, column in arrivals.items():
        parts += ["--arrival", f"{source}={column}"]
    return shlex.join([*parts, *(["--move-to", move_to] if move_to else [])])


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
    ask = shlex.join(["millrace", "predict", view.name, instance, "--explain"])
    key = "|".join(str(request.get(name, "KEY")) for name in entity.keys)
    look = shlex.join(["millrace", "inspect", entity.name, key])
    answer = ["millrace status                 # until training is done", ask] if view.labels else []
    lines = [
        f"# {project}",
        "",
        f"`features.py` holds the definitions. `pytest {project}` tries them. Run the commands in the folder that "
        f"holds `{project}/`. In a checkout of Millrace, write `./run` in place of `millrace`.",
        "",
        *(f"- {note}" for note in notes),
        *([""] if notes else []),
        "```sh",
        *([] if produce else [f"export KAFKA_BOOTSTRAP_SERVERS={shlex.quote(kafka)}"]),
        f"millrace up --detach --definitions {project}.features",
        "source var/stack/env.sh         # addresses and folders, for the commands below",
        *([produce] if produce else []),
        look,
        *answer,
        "millrace down                   # ends every part; the data stay",
        "```",
    ]
    if not view.labels:
        lines += ["", f"Then, when the view has labels and a model is trained: `{ask}`"]
    return "\n".join(lines) + "\n"


def test_text(project: str, catalogue: Catalogue) -> str:
    """A test of the definitions that runs with pytest."""
    (view,) = catalogue.views
    names = [each.name for each in catalogue.sources]
    return f'''"""The definitions of {project} load, and their functions work for single values and for arrays."""

from shared_features import load_definitions
from shared_features.definitions.function_trial import check_functions


def test_the_definitions_load():
    catalogue = load_definitions("{project}.features")
    assert {{each.name for each in catalogue.sources}} == {{{", ".join(json.dumps(each) for each in names)}}}


def test_every_function_takes_single_values_and_arrays():
    check_functions(load_definitions("{project}.features").view("{view.name}"))
'''
