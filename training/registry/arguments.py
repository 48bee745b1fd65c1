"""The options of `python -m training registry` and `publish`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

_VERBS = {
    "list": "the versions of each model, with aliases, metrics and size",
    "show": "one version: what it is, from which data, how good, and what was done with it",
    "model-card": "the model card of a version, with what the gate decided, as Markdown or HTML",
    "diff": "two versions side by side",
    "verify": "hash every file again, and check manifest, graph, data and certificate",
    "republish": "publish the graph of a version again, with what this release adds, such as its trees",
    "promote": "let an alias name a version",
    "roll-back": "let an alias name the version again that it named before",
    "remove-alias": "let an alias name nothing, such as challenger",
    "delete": "delete a version that no alias and no roll-back needs",
    "log": "who changed the registry, when and why",
    "export-mlflow": "write versions with their aliases into the registry of MLflow",
    "import-mlflow": "publish a version of MLflow's that was exported there, after every check of `verify`",
}


def add_publish(commands: Any) -> argparse.ArgumentParser:
    """Adds the command `publish` to those of `argparse`."""
    publish: argparse.ArgumentParser = commands.add_parser(
        "publish", help="publish a model of any framework, by its ONNX file"
    )
    publish.add_argument(
        "--onnx", type=Path, required=True, metavar="FILE", help="the model, as its framework exports it"
    )
    publish.add_argument(
        "--expected", type=Path, required=True, metavar="FILE.parquet", help="features, and what the framework gives"
    )
    publish.add_argument("--dataset", type=Path, required=True, metavar="DIR", help="the dataset that it learned from")
    publish.add_argument("--view", help="feature view; may be left out where there is one")
    publish.add_argument("--model", help="a model of the module `models`, for its name, threshold, slices and limits")
    publish.add_argument(
        "--output", default="", metavar="NAME", help="the output with the scores, where it has several"
    )
    publish.add_argument(
        "--promote", action="store_true", help="let it become champion if the gate lets it; exit code 3 if not"
    )
    return publish


def add_registry(commands: Any) -> None:
    """Adds the command `registry` to those of `argparse`."""
    registry = commands.add_parser("registry", help="the versions of models: look, compare, verify, promote, delete")
    registry.set_defaults(model=None, json=False)  # without a verb: list
    verbs = registry.add_subparsers(dest="verb", metavar="VERB")
    added = {name: verbs.add_parser(name, help=what) for name, what in _VERBS.items()}
    for name in ("list", "verify", "log"):
        added[name].add_argument("model", nargs="?", metavar="MODEL", help="default: all")
    for name in ("show", "model-card", "diff", "republish", "promote", "roll-back", "remove-alias", "delete"):
        added[name].add_argument("model", metavar="MODEL")
    for name in ("show", "model-card", "verify"):
        added[name].add_argument("version", nargs="?", metavar="VERSION", help="a number or an alias")
    added["model-card"].add_argument(
        "-o", "--output", type=Path, metavar="FILE", help="a file for it; .html: as a page; default: Markdown, printed"
    )
    for which in ("first", "second"):
        added["diff"].add_argument(which, metavar="VERSION", help="a number or an alias")
    for name in ("republish", "promote", "delete"):
        added[name].add_argument("version", type=version_number, metavar="VERSION")
    for name in ("promote", "roll-back"):
        added[name].add_argument("--alias", default="champion", help="default: champion")
    added["remove-alias"].add_argument("alias", metavar="ALIAS")
    for name in ("republish", "promote", "roll-back", "remove-alias", "delete"):
        add_reason(added[name])
    _mlflow_options(added["export-mlflow"], added["import-mlflow"])
    for each in added.values():
        each.add_argument("--json", action="store_true", help="as one JSON document")


def _mlflow_options(exported: argparse.ArgumentParser, imported: argparse.ArgumentParser) -> None:
    exported.add_argument("model", metavar="MODEL")
    exported.add_argument("version", nargs="?", metavar="VERSION", help="a number or an alias; default: all")
    exported.add_argument("--name", default="", metavar="NAME", help="its name in MLflow; default: that of the model")
    imported.add_argument("name", metavar="NAME", help="the model in MLflow")
    imported.add_argument(
        "version", nargs="?", metavar="VERSION", help="its number or alias there; default: the newest"
    )
    imported.add_argument("--model", metavar="MODEL", help="its name here; default: that which it was exported from")
    imported.add_argument("--alias", default="", metavar="ALIAS", help="let this alias name the version then")
    add_reason(imported)
    for each in (exported, imported):
        each.add_argument("--uri", metavar="URI", help="server or folder of MLflow; default: MILLRACE_MLFLOW")


def version_number(text: str) -> int:
    """The number of a version: what changes the registry takes no alias, which may name another one by then."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r}: give the number of a version, which `registry list` shows")
    return int(text)


def add_reason(parser: argparse.ArgumentParser) -> None:
    """Options of what changes the registry."""
    parser.add_argument("--why", default="", metavar="TEXT", help="for the log of the registry")
    parser.add_argument("--who", metavar="NAME", help="for the log; default: the user of this process")
