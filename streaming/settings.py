"""Settings of the streaming processes: environment variables `MILLRACE_*` over a TOML file.

`MILLRACE_SETTINGS` names the file. All programs of Millrace share one set of names; a file may hold
those of the others too.
`KAFKA_BOOTSTRAP_SERVERS` and `REDIS_URL` are read without the prefix as well, as other tools spell them.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AliasChoices, AwareDatetime, BeforeValidator, Field, ValidationError, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from streaming.errors import SettingsError

PREFIX = "MILLRACE_"
FILE_VARIABLE = "MILLRACE_SETTINGS"


def _in_seconds(value: object) -> object:
    """A bare number, as a variable of the environment holds it, is seconds."""
    try:
        return timedelta(seconds=float(value)) if isinstance(value, str) else value
    except ValueError:
        return value


Duration = Annotated[timedelta, BeforeValidator(_in_seconds)]
"""Seconds, or a text such as PT10M or 01:30:00."""


class StreamingSettings(BaseSettings):
    """One frozen set, read once at the start. Durations are seconds or ISO 8601; sizes are counts."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, extra="ignore", populate_by_name=True, env_ignore_empty=True
    )

    definitions: str = Field("shared_features.feature_views", description="Module that holds the definitions.")
    kafka_bootstrap_servers: str = Field(
        "localhost:9092",
        validation_alias=AliasChoices("MILLRACE_KAFKA_BOOTSTRAP_SERVERS", "KAFKA_BOOTSTRAP_SERVERS"),
        description="Kafka brokers, host:port, separated by commas.",
    )
    kafka_options: dict[str, str] = Field(
        default_factory=dict, description="Further librdkafka options as JSON, such as security.protocol."
    )
    redis_url: str = Field(
        "redis://localhost:6379/0",
        validation_alias=AliasChoices("MILLRACE_REDIS_URL", "REDIS_URL"),
        description="Redis that holds the online store.",
    )
    redis_namespace: str = Field(
        "millrace", pattern=r"^[A-Za-z0-9._-]+$", description="First part of every key in Redis."
    )
    lake: Path = Field(Path("var/lake"), description="Directory of the Delta tables.")
    registry: Path = Field(Path("var/registry"), description="Directory of the model registry.")
    without_registry: bool = Field(
        False,
        description="Nothing was trained yet: an empty registry, which looks like one that is not mounted, keeps "
        "neither retain nor retire from deleting.",
    )
    training_runs: Path = Field(
        Path("var/training"), description="Directory of the intermediate results of training runs; erase looks there."
    )
    log_format: Literal["auto", "human", "json"] = Field(
        "auto", description="Form of the log: human on a terminal and json elsewhere, or always one of them."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least level that is logged.")
    metrics_port: int | None = Field(
        None, ge=0, le=65535, description="Port of the Prometheus metrics; none: they are not served."
    )

    topic_mode: Literal["live", "import", "embedded"] = Field(
        "live",
        description="Whose clock stamps the records: the broker's (live), the producer's up to import_until "
        "(import), or one producer's on this machine (embedded).",
    )
    import_until: AwareDatetime | None = Field(
        None, description="RFC 3339: in mode import a producer's stamp beyond it is a dead letter."
    )
    allowed_lateness: Duration = Field(
        timedelta(minutes=10),
        ge=timedelta(0),
        description="An event later than this is late: its row comes in a following pass.",
    )
    mark_slack: Duration = Field(
        timedelta(seconds=1),
        ge=timedelta(0),
        description="How far the brokers' clocks may lie behind ours; marks of idle partitions keep it.",
    )

    poll_records: int = Field(50_000, ge=1, le=1_000_000, description="Most records taken at one poll of Kafka.")
    poll_timeout: Duration = Field(
        timedelta(milliseconds=10), gt=timedelta(0), description="Longest wait of one poll for its records."
    )
    fetch_buffer_records: int = Field(300_000, ge=1, description="Records that the Kafka client fetches ahead.")
    fetch_buffer_mib: int = Field(64, ge=1, description="Memory for records fetched ahead, MiB a worker.")
    idle_mark: Duration = Field(
        timedelta(seconds=1),
        gt=timedelta(0),
        description="How often an idle partition is said to be at its end.",
    )
    topic_check: Duration = Field(
        timedelta(seconds=30),
        gt=timedelta(0),
        description="How often topics are looked at for new partitions.",
    )

    workers: tuple[str, ...] = Field(
        (), description="host:port of each Bytewax process of a cluster, as JSON; none: this process alone."
    )
    worker: int = Field(0, ge=0, description="Which of `workers` this process is.")
    epoch: Duration = Field(
        timedelta(milliseconds=10),
        gt=timedelta(0),
        description="Length of a Bytewax epoch: what is in flight.",
    )

    cached_entities: int = Field(
        50_000, ge=1, description="Entities a shard keeps in memory; others are loaded from Redis when met."
    )
    idle_commit: Duration = Field(
        timedelta(seconds=1),
        gt=timedelta(0),
        description="How often a shard without events commits its vector.",
    )
    redis_timeout: Duration = Field(
        timedelta(seconds=10), gt=timedelta(0), description="Longest wait for one answer of Redis."
    )

    archive_commit: Duration = Field(
        timedelta(seconds=5), gt=timedelta(0), description="How often the archive commits to Delta."
    )
    archive_commit_records: int = Field(500_000, ge=1, description="Records after which it commits sooner.")
    materialize_interval: Duration = Field(
        timedelta(seconds=5), gt=timedelta(0), description="How often materialize looks for a new cut."
    )
    snapshot_interval: Duration = Field(
        timedelta(hours=1), gt=timedelta(0), description="How often materialize writes state snapshots."
    )
    maintenance_interval: Duration = Field(
        timedelta(minutes=10), gt=timedelta(0), description="How often small files of the lake are put together."
    )
    events_kept_days: int | None = Field(
        None,
        ge=1,
        description="Days of the events tables that are kept; older ones are deleted every night unless something "
        "still needs them. None: all are kept.",
    )
    bootstrap_memory: int = Field(
        1024, ge=1, description="MiB that states may take while shards are built; more entities are built in parts."
    )
    pipeline_lag: Duration = Field(
        timedelta(0), ge=timedelta(0), description="What as-served training adds to arrival times."
    )

    @model_validator(mode="after")
    def _consistent(self) -> StreamingSettings:
        if (self.topic_mode == "import") != (self.import_until is not None):
            raise ValueError("topic_mode=import and import_until=<RFC 3339> belong together: set both or neither")
        if self.workers and self.worker >= len(self.workers):
            raise ValueError(f"worker is {self.worker}, but workers lists only {len(self.workers)}; count from 0")
        return self

    @property
    def import_until_us(self) -> int | None:
        """Microseconds since the epoch, or None outside of mode import."""
        if self.import_until is None:
            return None
        return (self.import_until.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What was passed, over the environment, over the file."""
        path = os.environ.get(FILE_VARIABLE)
        if not path:
            return init_settings, env_settings
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, toml_file=Path(path))


def load_settings(**given: object) -> StreamingSettings:
    """The settings; `given` goes over environment and file. Raises SettingsError, which names each wrong one."""
    path = os.environ.get(FILE_VARIABLE)
    if path and not Path(path).is_file():
        raise SettingsError(f"{FILE_VARIABLE} names {path}, which is no file; correct it or unset it")
    try:
        return StreamingSettings(**given)  # type: ignore[arg-type]  # pydantic checks them
    except ValidationError as error:
        raise SettingsError("; ".join(_faults(error))) from error
    except ValueError as error:  # a TOML file that is none, or a value that is no JSON
        raise SettingsError(f"settings cannot be read ({error}); correct the environment or {FILE_VARIABLE}") from error


def _faults(error: ValidationError) -> list[str]:
    faults = []
    for each in error.errors():
        name = ".".join(map(str, each["loc"])) or "settings"
        found = "" if not each["loc"] else f", found {each['input']!r}"
        variable = name if name.upper() == name else f"{PREFIX}{name.upper()}"
        faults.append(f"{variable if each['loc'] else name}: {each['msg']}{found}")
    return faults
