"""The environment in which Millrace's programs find the parts of a stack, and the file to `source`."""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path

from deploy.local.parts.programs import ROOT
from deploy.local.stack.stack_directory import Remembered, StackDirectory
from shared_features.settings.setting_names import PREFIX
from streaming.settings import StreamingSettings, load_settings

_BARE = ("KAFKA_BOOTSTRAP_SERVERS", "REDIS_URL")
_NAMED_MODELS = "MILLRACE_ANSWERING_MODELS"
ON_ONE_MACHINE = {
    # Often, so that tables are fresh, and a producer seldom waits for the small log of the simulator.
    "MILLRACE_ARCHIVE_COMMIT": "PT1S",
    "MILLRACE_MATERIALIZE_INTERVAL": "PT1S",
    "MILLRACE_SERVING_DRAIN_S": "0",  # no balancer has to notice that the endpoint ends
}
"""Settings that suit a stack of one machine, and a person who looks on."""


def stack_settings(directory: StackDirectory, remembered: Remembered, mode: str) -> dict[str, str]:
    """What the stack itself chooses. mode: of the topics."""
    chosen = {
        "KAFKA_BOOTSTRAP_SERVERS": str(remembered.kafka_address),
        "REDIS_URL": str(remembered.redis_address),
        "MILLRACE_DEFINITIONS": remembered.definitions,
        "MILLRACE_REDIS_NAMESPACE": remembered.namespace,
        "MILLRACE_LAKE": str(directory.lake),
        "MILLRACE_REGISTRY": str(directory.registry),
        "MILLRACE_TRAINING_RUNS": str(directory.runs),
        "MILLRACE_SERVING_PORT": str(remembered.serving_port),
        "MILLRACE_TOPIC_MODE": mode,
    }
    if remembered.kafka == "simulator":
        chosen["MILLRACE_EMBEDDED_LOG"] = remembered.log
    return {**{name: text for name, text in ON_ONE_MACHINE.items() if name not in os.environ}, **chosen}


def settings_of(settings: Mapping[str, str]) -> StreamingSettings:
    """The settings of the stream as a stack chooses them; all others are those of the environment."""
    chosen: dict[str, object] = {name.removeprefix(PREFIX).lower(): text for name, text in settings.items()}
    return load_settings(**{"import_until": None, "embedded_log": None, **chosen})


def program_environment(remembered: Remembered, settings: Mapping[str, str]) -> dict[str, str]:
    """What each program is started with. Its packages come first on the path, the definitions' folders last."""
    return {
        **_handed_on(),
        **settings,
        "PYTHONUNBUFFERED": "1",
        "PYTHONSAFEPATH": "1",  # a folder `training` where somebody stands must not stand in for ours
        "PYTHONPATH": os.pathsep.join([str(ROOT), *remembered.import_path]),
        "MILLRACE_LOG_FORMAT": os.environ.get("MILLRACE_LOG_FORMAT", "human"),
    }


def write_environment_file(directory: StackDirectory, remembered: Remembered, settings: Mapping[str, str]) -> None:
    """What a person needs to continue by hand."""
    path = f"export PYTHONPATH={shlex.quote(os.pathsep.join(remembered.import_path))}${{PYTHONPATH:+:$PYTHONPATH}}"
    directory.environment_file.write_text(f"{exports({**_shared(), **settings})}{path}\n")


def read_environment_file(directory: StackDirectory) -> dict[str, str]:
    """What its lines export, without PYTHONPATH, which continues that of the shell. Raises OSError without a file."""
    words = [shlex.split(line) for line in directory.environment_file.read_text().splitlines()]
    pairs = [each[1].partition("=") for each in words if len(each) == 2 and each[0] == "export"]
    return {name: value for name, _, value in pairs if name != "PYTHONPATH"}


def named_models(directory: StackDirectory) -> dict[str, str]:
    """View -> the model that answers for it, where a user said one of another name when the stack was started."""
    try:
        found: dict[str, str] = json.loads(read_environment_file(directory).get(_NAMED_MODELS, "{}"))
    except FileNotFoundError:  # its servers have not started yet
        return {}
    return found


def _shared() -> dict[str, str]:
    """What the user has set and the stack's commands have to know, in whichever shell they run."""
    given = load_settings()
    found = {
        "MILLRACE_PREDICTION_LOG_TOPIC": given.prediction_log_topic or "",
        _NAMED_MODELS: json.dumps(given.answering_models) if given.answering_models else "",
        "MILLRACE_SCORE_TOPICS": json.dumps(given.score_topics) if given.score_topics else "",
    }
    return {name: text for name, text in found.items() if text}


def exports(settings: Mapping[str, str]) -> str:
    """Lines for a shell to `source`."""
    return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in sorted(settings.items()))


def import_path() -> tuple[str, ...]:
    """Where definitions may lie: the user's PYTHONPATH, and the folder where the user stands."""
    given = [Path(each).absolute() for each in os.environ.get("PYTHONPATH", "").split(os.pathsep) if each]
    return tuple(dict.fromkeys(str(each) for each in (*given, Path.cwd()) if each != ROOT))


def find_definitions(folders: tuple[str, ...]) -> None:
    """Let this process import definitions from these folders."""
    sys.path += [each for each in folders if each not in sys.path]


def _handed_on() -> dict[str, str]:
    """Of the environment all but what belongs to another Kafka, Redis or import."""
    left_out = {*_BARE, *(f"MILLRACE_{name}" for name in _BARE), "MILLRACE_IMPORT_UNTIL", "MILLRACE_EMBEDDED_LOG"}
    return {name: value for name, value in os.environ.items() if name not in left_out}
