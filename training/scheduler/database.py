"""The database of durable runs: an SQLite file beside the runs, or PostgreSQL."""

from __future__ import annotations

import sqlalchemy
from dbos import DBOS
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from training.errors import StepError
from training.settings import TrainingSettings

APPLICATION = "millrace-training"
_FILE = "runs.sqlite"


def database_url(settings: TrainingSettings) -> str:
    """Where DBOS keeps runs, queues and schedules. Raises StepError for a URL of another database."""
    if not settings.runs_database:
        return f"sqlite:///{settings.training_runs.resolve() / _FILE}"
    try:
        backend = sqlalchemy.make_url(settings.runs_database).get_backend_name()
    except ArgumentError:
        backend = ""
    if backend != "postgresql":
        raise StepError(
            "MILLRACE_RUNS_DATABASE is not the URL of a PostgreSQL database. Give one such as "
            "postgresql://user:password@host:5432/millrace, or unset it to use SQLite."
        )
    return settings.runs_database


def create_database(settings: TrainingSettings) -> str:
    """Create the tables, or bring them up to date; returns the URL."""
    url = database_url(settings)
    try:
        settings.training_runs.mkdir(parents=True, exist_ok=True)
        DBOS.migrate(url)
    except (OSError, SQLAlchemyError) as error:
        raise StepError(
            f"the database of runs cannot be used: {error}. Set MILLRACE_RUNS_DATABASE, or mend "
            f"{settings.training_runs}."
        ) from error
    return url
