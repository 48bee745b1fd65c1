"""What can be set of the streaming processes: each setting with its default, its bounds and what it is for."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AliasChoices, AwareDatetime, BeforeValidator, Field
from pydantic_settings import BaseSettings

from shared_features.settings.durations import in_seconds
from shared_features.settings.registry_place import registry_place

Duration = Annotated[timedelta, BeforeValidator(in_seconds)]
"""Seconds, or a text such as PT10M or 01:30:00."""


class SettingFields(BaseSettings):
    """Durations are seconds or ISO 8601; sizes are counts."""

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
    registry: Annotated[Path | str, BeforeValidator(registry_place)] = Field(
        Path("var/registry"),
        description="Directory of the model registry, or its URL on object storage: s3://bucket/prefix.",
    )
    registry_cache: Path = Field(
        Path("var/registry-cache"),
        description="Directory in which programs keep the model versions that answer, where the registry is on "
        "object storage. A process starts with them when the storage does not answer.",
    )
    without_registry: bool = Field(
        False,
        description="Set this to true as long as nothing was trained. It lets retain and retire delete although the "
        "registry is empty. Without it they refuse, because a registry that is not mounted looks empty too.",
    )
    without_audit: bool = Field(
        False,
        description="Set this to true if nobody audits the prediction log. It lets retain delete events that logged "
        "predictions need, and rows of the log, although they were not audited.",
    )
    training_runs: Path = Field(
        Path("var/training"),
        description="Directory of the intermediate results of training runs. erase removes results there.",
    )
    log_format: Literal["auto", "human", "json"] = Field(
        "auto",
        description="Form of the log lines. auto: human on a terminal and of `train`, json elsewhere.",
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
        description="How often a mark records that an idle partition has nothing new. The archive stores marks with "
        "its commits, and marks four times per archive_commit where that is less often.",
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
    expectation_sample: int = Field(
        100,
        ge=1,
        description="Of how many events one is checked against what its source expects. The event id decides which. 1 "
        "checks every event.",
    )
    prediction_log_topic: str | None = Field(
        None,
        pattern=r"^[a-zA-Z0-9._-]{1,249}$",
        description="Topic of the prediction log. The endpoint writes what it answered to this topic, and the archive "
        "of the stream job stores it in the lake. Without a topic nothing is logged.",
    )
    prediction_log_spool: Path = Field(
        Path("var/predictions"),
        description="Directory for logged predictions that Kafka has not taken yet. Processes of the endpoint write "
        "there, and may share it; erase empties the predictions of an entity there.",
    )
    score_topics: dict[str, str] = Field(
        default_factory=dict,
        description="Which views the job scores by itself: each event of the view once, as it comes, by the model that "
        'answers for the view. A JSON object with the topic of the scores of each: {"orders": "order_scores"}.',
    )
    model_alias: str = Field("champion", min_length=1, description="Alias of the model version that answers.")
    answering_models: dict[str, str] = Field(
        default_factory=dict,
        description="Which model answers for a view, where the model is not called like its view, as a JSON object: "
        '{"orders": "small_trees"}.',
    )
    model_poll_s: float = Field(1.0, gt=0, le=3600, description="How often the registry is read, in seconds.")
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
