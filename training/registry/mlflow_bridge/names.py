"""What exporting and importing agree upon: where the files of a version lie in MLflow, and the tags that name it."""

from __future__ import annotations

import re

from training.errors import RegistryError

ARTIFACTS = "model"
MLMODEL, REQUIREMENTS = "MLmodel", "requirements.txt"
"""Files that MLflow needs beside those of the version."""
TAG_MODEL, TAG_VERSION = "millrace.model", "millrace.version"
TAG_MANIFEST = "millrace.manifest_sha256"
_REFUSED = re.compile(r"[^\w\-./: ]")
_LONGEST = 500


def key(text: str) -> str:
    """A name as MLflow takes it."""
    return _REFUSED.sub("", text)[:250].strip()


def value(text: str) -> str:
    """Of a parameter or a tag."""
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


def check_their_name(name: str) -> None:
    """Of a model in MLflow. Raises RegistryError."""
    if "'" in name or "/" in name or ":" in name:
        raise RegistryError(
            f"MLflow cannot have a model {name!r}. A name there has no quote, slash or colon. Give another --name."
        )
