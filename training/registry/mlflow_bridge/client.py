"""The client of MLflow, and what it refuses as an error of ours."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from training.errors import RegistryError

if TYPE_CHECKING:
    from mlflow import MlflowClient

_DEFAULTS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",  # of a few small files
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",  # its own seven wait for minutes where nobody answers
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",  # a script reads what a command prints
}
_SERVERS = ("http", "https", "databricks", "databricks-uc", "uc")


@contextmanager
def mlflow_client(uri: str) -> Iterator[MlflowClient]:
    """A client of the server at an address, or of a folder. Raises RegistryError for what it cannot do inside too.

    Names and passwords are those of MLflow's own variables, `MLFLOW_TRACKING_USERNAME` and so on.
    """
    if not uri:
        raise RegistryError(
            "No MLflow is named. Neither --uri nor MILLRACE_MLFLOW says where it is. Give the address of its server, "
            "such as http://localhost:5000, or a folder."
        )
    for name, value in _DEFAULTS.items():
        os.environ.setdefault(name, value)
    try:
        from mlflow import MlflowClient
        from mlflow.exceptions import MlflowException
    except ModuleNotFoundError as error:
        raise RegistryError(
            f"The client of MLflow is not installed ({error.name} is missing). Models cannot go there or come from "
            "there. Install the extra `millrace[mlflow]`."
        ) from error
    place = _place(uri)
    try:
        yield MlflowClient(tracking_uri=place, registry_uri=place)
    except ModuleNotFoundError as error:
        raise RegistryError(
            f"MLflow at {without_password(uri)} needs {error.name}, which its client alone does not bring. A database "
            "is reached through a server. Give the address of the server, or install all of `mlflow`."
        ) from error
    except (MlflowException, OSError) as error:  # those of its connections are OSErrors
        raise RegistryError(
            f"MLflow at {without_password(uri)} refused: {_said(error, uri)}. See that it is the "
            "address that is meant, and that its server runs."
        ) from error


def without_password(uri: str) -> str:
    """The address as it may be logged."""
    parts = urlsplit(uri)
    if "@" not in parts.netloc:
        return uri
    return parts._replace(netloc=f"...@{parts.netloc.rpartition('@')[2]}").geturl()


def _said(error: Exception, uri: str) -> str:
    """In one line, in which the address has no password either."""
    text = " ".join(str(error).split()).replace(uri, without_password(uri))
    netloc = urlsplit(uri).netloc
    if "@" in netloc:
        text = text.replace(netloc, f"...@{netloc.rpartition('@')[2]}")
    return text[:500].rstrip(".")


def _place(uri: str) -> str:
    """The address as MLflow wants it: a folder as an absolute one. It keeps folders only for those who say so."""
    parts = urlsplit(uri)
    if parts.scheme in _SERVERS or "+" in parts.scheme or (parts.scheme and parts.scheme != "file"):
        return uri
    os.environ.setdefault("MLFLOW_ALLOW_FILE_STORE", "true")
    return Path(parts.path if parts.scheme else uri).expanduser().resolve().as_uri()
