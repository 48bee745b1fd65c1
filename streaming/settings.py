"""Settings of the streaming processes: environment variables `MILLRACE_*` over a TOML file.

`MILLRACE_SETTINGS` names the file. All programs of Millrace share one set of names, so one file may hold all settings.
`KAFKA_BOOTSTRAP_SERVERS` and `REDIS_URL` are also read without the prefix, as other tools do.
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
    """A bare number, as an environment variable holds it, is a number of seconds."""
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
        default_factory=dict, description="More options of librdkafka, as JSON, such as security.protocol."
    )
    redis_url: str = Field(
        "redis://localhost:6379/0",
        validation_alias=AliasChoices("MILLRACE_REDIS_URL", "REDIS_URL"),
        description="URL of the Redis server that holds the online store: redis://, rediss:// or unix://, with user, "
        "password and database. TLS options (ssl_ca_certs=...) may follow a `?`; other options are refused.",
    )
    redis_namespace: str = Field(
        "millrace", pattern=r"^[A-Za-z0-9._-]+$", description="First part of every key in Redis."
    )
    lake: Path = Field(Path("var/lake"), description="Directory of the Delta tables.")
    registry: Path = Field(Path("var/registry"), description="Directory of the model registry.")
    without_registry: bool = Field(
        False,
        description="Set this to true as long as nothing was trained. It lets retain and retire delete although the "
        "registry is empty. Without it they refuse, because a registry that is not mounted looks empty too.",
    )
    training_runs: Path = Field(
        Path("var/training"),
        description="Directory of the intermediate results of training runs. erase removes results there.",
    )
    log_format: Literal["auto", "human", "json"] = Field(
        "auto", description="Form of the log lines. auto: human on a terminal, json elsewhere."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Lowest level that is logged.")
    metrics_port: int | None = Field(
        None, ge=0, le=65535, description="Port of the Prometheus metrics. Without a port there are no metrics."
    )

    topic_mode: Literal["live", "import", "embedded"] = Field(
        "live",
        description="Whose clock stamps the records. live: the brokers'. import: the producers', up to import_until. "
        "embedded: that of one producer on this machine.",
    )
    embedded_log: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9._-]+$",
        description="In mode embedded, the name of the log that the simulated Kafka continues after a restart. It "
        "takes the place of the ids of topics, which change at every start of the simulator.",
    )
    import_until: AwareDatetime | None = Field(
        None, description="In mode import, a record that is stamped later than this time (RFC 3339) is a dead letter."
    )
    allowed_lateness: Duration = Field(
        timedelta(minutes=10),
        ge=timedelta(0),
        description="How late an event may arrive and still be in the regular feature rows. Rows of later events are "
        "added afterwards and flagged `late`.",
    )
    mark_slack: Duration = Field(
        timedelta(seconds=1),
        ge=timedelta(0),
        description="How far the brokers' clocks may be behind the clock of this machine. Marks of idle partitions "
        "stay this far behind.",
    )

    poll_records: int = Field(50_000, ge=1, le=1_000_000, description="Maximum number of records per poll of Kafka.")
    poll_timeout: Duration = Field(
        timedelta(milliseconds=50),
        gt=timedelta(0),
        description="How long a poll of `online` gathers more records after the first one. A record is in Redis about "
        "as much later, and a job with few records takes less of a core. Several workers gather for 0.01 s at most.",
    )
    fetch_buffer_records: int = Field(
        300_000, ge=1, description="Number of records that the Kafka client fetches ahead."
    )
    fetch_buffer_mib: int = Field(64, ge=1, description="Memory per worker for records that are fetched ahead, in MiB.")
    idle_mark: Duration = Field(
        timedelta(seconds=1),
        gt=timedelta(0),
        description="How often a mark records that an idle partition has nothing new.",
    )
    topic_check: Duration = Field(
        timedelta(seconds=30),
        gt=timedelta(0),
        description="How often the job looks for new partitions and re-created topics.",
    )

    workers: tuple[str, ...] = Field(
        (), description="host:port of each process of a Bytewax cluster, as JSON. Empty: this process alone."
    )
    worker: int = Field(0, ge=0, description="Position of this process in `workers`, counted from 0.")
    epoch: Duration = Field(
        timedelta(milliseconds=10),
        gt=timedelta(0),
        description="Length of a Bytewax epoch. It bounds how much is in flight.",
    )

    cached_entities: int = Field(
        50_000,
        ge=1,
        description="Number of entities that a shard keeps in memory. Others are loaded from Redis when an event needs "
        "them.",
    )
    idle_commit: Duration = Field(
        timedelta(seconds=1),
        gt=timedelta(0),
        description="How often a shard without events commits its position vector.",
    )
    redis_timeout: Duration = Field(
        timedelta(seconds=10), gt=timedelta(0), description="Longest wait for one answer from Redis."
    )

    archive_commit: Duration = Field(
        timedelta(seconds=10),
        gt=timedelta(0),
        description="How often the archive commits to Delta. A commit that only moves positions, without a row, comes "
        "a third as often, but every 30 s where that is earlier.",
    )
    archive_commit_records: int = Field(
        500_000, ge=1, description="Number of records after which the archive commits before archive_commit has passed."
    )
    materialize_interval: Duration = Field(
        timedelta(seconds=30),
        gt=timedelta(0),
        description="How often materialize moves the cut of a group while few events come. It does not wait once it "
        "has 200,000 events, or where no more come.",
    )
    snapshot_interval: Duration = Field(
        timedelta(hours=1), gt=timedelta(0), description="How often materialize writes state snapshots."
    )
    maintenance_interval: Duration = Field(
        timedelta(minutes=10), gt=timedelta(0), description="How often small files of the lake are compacted."
    )
    events_kept_days: int | None = Field(
        None,
        ge=1,
        description="How many days of the events tables are kept. Older days are deleted once a day, unless something "
        "still needs them. Without a number all days are kept.",
    )
    bootstrap_memory: int = Field(
        1024,
        ge=1,
        description="Memory for states while shards are built, in MiB. If the states need more, the entities are built "
        "in parts.",
    )
    pipeline_lag: Duration = Field(
        timedelta(0),
        ge=timedelta(0),
        description="Time that as-served training adds to arrival times: the lag of the pipeline.",
    )

    @model_validator(mode="after")
    def _consistent(self) -> StreamingSettings:
        if (self.topic_mode == "import") != (self.import_until is not None):
            raise ValueError("topic_mode=import needs import_until=<RFC 3339>, and the reverse. Set both or neither")
        if self.embedded_log is not None and self.topic_mode != "embedded":
            raise ValueError(
                f"embedded_log needs topic_mode=embedded, but topic_mode is {self.topic_mode}: other brokers keep the "
                "ids of their topics. Unset embedded_log"
            )
        if self.workers and self.worker >= len(self.workers):
            raise ValueError(f"worker is {self.worker}, but workers lists only {len(self.workers)}. Count from 0")
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
        """Arguments win over the environment. The environment wins over the file."""
        path = os.environ.get(FILE_VARIABLE)
        if not path:
            return init_settings, env_settings
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, toml_file=Path(path))


def load_settings(**given: object) -> StreamingSettings:
    """The settings. `given` wins over environment and file. Raises SettingsError, which names each wrong setting."""
    path = os.environ.get(FILE_VARIABLE)
    if path and not Path(path).is_file():
        raise SettingsError(f"{FILE_VARIABLE} names {path}. There is no such file. Correct the variable or unset it")
    try:
        return StreamingSettings(**given)  # type: ignore[arg-type]  # pydantic checks them
    except ValidationError as error:
        raise SettingsError("; ".join(_faults(error))) from error
    except ValueError as error:  # a file that is not TOML, or a value that is not JSON
        raise SettingsError(
            f"The settings cannot be read: {error}. Correct the environment or {FILE_VARIABLE}"
        ) from error


def refuse_wrong_settings(settings: StreamingSettings) -> None:
    """Raise SettingsError for names that are not settings of any program, and for a URL of Redis that is wrong.

    The error names each variable and each key of the file. Apart from load_settings(): the rules are in
    shared_features, which the supervisor does not load. The supervisor starts `check` first, and `check` calls this.
    """
    from shared_features.redis_url import url_fault
    from shared_features.setting_names import misspelt_settings

    path = os.environ.get(FILE_VARIABLE)
    faults = misspelt_settings(os.environ, Path(path).read_text() if path else "")
    if wrong := url_fault(settings.redis_url):
        faults.append(f"REDIS_URL is wrong. {wrong}")
    if faults:
        raise SettingsError(". ".join(faults))


def _faults(error: ValidationError) -> list[str]:
    faults = []
    for each in error.errors():
        name = ".".join(map(str, each["loc"])) or "settings"
        found = "" if not each["loc"] else f", found {each['input']!r}"
        variable = name if name.upper() == name else f"{PREFIX}{name.upper()}"
        faults.append(f"{variable if each['loc'] else name}: {each['msg']}{found}")
    return faults
