"""What can be set of a serving process: each setting with its default, its bounds and what it is for."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AliasChoices, BeforeValidator, Field
from pydantic_settings import BaseSettings

from shared_features.access.oidc.trusted_issuer import DEFAULT_SCOPES
from shared_features.settings.registry_place import registry_place


class SettingFields(BaseSettings):
    """Times say their unit in their name; sizes are counts, unless their name says a unit."""

    definitions: str = Field("shared_features.feature_views", description="Module that holds the definitions.")
    redis_url: str = Field(
        "redis://localhost:6379/0",
        validation_alias=AliasChoices("redis_url", "MILLRACE_REDIS_URL", "REDIS_URL"),
        description="URL of the Redis server that holds the online store: redis://, rediss:// or unix://, with user, "
        "password and database. TLS options (ssl_ca_certs=...) may follow a `?`; other options are refused.",
    )
    kafka_bootstrap_servers: str = Field(
        "localhost:9092",
        validation_alias=AliasChoices(
            "kafka_bootstrap_servers", "MILLRACE_KAFKA_BOOTSTRAP_SERVERS", "KAFKA_BOOTSTRAP_SERVERS"
        ),
        description="Kafka brokers, host:port, separated by commas.",
    )
    kafka_options: Mapping[str, str] = Field(
        {}, description="More options of librdkafka, as JSON, such as security.protocol."
    )
    redis_namespace: str = Field("millrace", min_length=1, description="First part of every key in Redis.")
    registry: Annotated[Path | str, BeforeValidator(registry_place)] = Field(
        Path("var/registry"),
        description="Directory of the model registry, or its URL on object storage: s3://bucket/prefix.",
    )
    registry_cache: Path = Field(
        Path("var/registry-cache"),
        description="Directory in which programs keep the model versions that answer, where the registry is on "
        "object storage. A process starts with them when the storage does not answer.",
    )
    api_keys_file: Path | None = Field(
        None,
        description="File of API keys, which `keys new` writes. Without it, and without oidc_issuer, everybody who "
        "can connect may ask.",
    )
    oidc_issuer: str | None = Field(
        None,
        description="Issuer of bearer tokens that are accepted beside API keys: the address that tokens have as `iss`. "
        "See `millrace[oidc]`.",
    )
    oidc_audience: str | None = Field(None, description="What those tokens must have as `aud`, or in its list.")
    oidc_claim: str = Field(
        "scope",
        min_length=1,
        description="Claim of a token that says what its subject may do: a text with spaces, or a list. "
        "`realm_access.roles` is a claim inside another.",
    )
    oidc_scopes: Mapping[str, str] = Field(
        DEFAULT_SCOPES, description="Scope of this service -> what the claim must hold for it, as a JSON object."
    )
    oidc_requests_per_s: float | None = Field(
        None, gt=0, description="Most requests a second of one subject, in each process."
    )
    oidc_rows_per_s: float | None = Field(None, gt=0, description="The same for instances.")
    tls_certificate: Path | None = Field(
        None,
        description="PEM file of the certificate for HTTPS, and then its issuers. It is read again when it changes.",
    )
    tls_key: Path | None = Field(
        None, description="PEM file of the private key of tls_certificate, without a password."
    )
    log_format: Literal["auto", "human", "json"] = Field(
        "auto",
        description="Form of the log lines. auto: human on a terminal and of `train`, json elsewhere.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Lowest level that is logged.")
    traces: bool = Field(
        False,
        description="Whether to send OpenTelemetry traces, of runs and of requests, by OTLP over HTTP, to where the "
        "standard variables OTEL_EXPORTER_OTLP_... say. See `millrace[otel]`.",
    )

    serving_host: str = Field("127.0.0.1", description="Address to listen on. 0.0.0.0 listens on all addresses.")
    serving_port: int = Field(8000, ge=0, le=65_535, description="Port to listen on. 0 takes a free port.")
    serving_grpc_port: int | None = Field(
        None,
        ge=0,
        le=65_535,
        description="Port of the Open Inference Protocol over gRPC, on the same address. 0 takes a free port. Without "
        "it there is no gRPC. It needs the extra `millrace[grpc]`.",
    )
    serving_workers: int = Field(1, ge=1, le=256, description="Number of processes that answer requests.")
    serving_keep_alive_s: int = Field(
        75,
        ge=0,
        le=3600,
        description="How long a connection without a request stays open, in seconds. Set it longer than the proxy in "
        "front does (often 60), or requests meet a closed connection.",
    )
    serving_drain_s: float = Field(
        3.0,
        ge=0,
        le=600,
        description="How long a process continues to answer after SIGTERM, in seconds. Readiness turns at once, and "
        "each answer ends its connection. Set it to the time in which your balancer notices. 0 ends without it.",
    )
    serving_receive_s: float = Field(
        10.0,
        gt=0,
        le=3600,
        description="How long a client may take for the handshake of TLS, to send the head of a request, and then its "
        "body, in seconds each. Then it is answered with 408. A connection on which nothing was ever sent is closed.",
    )
    serving_answer_s: float = Field(
        30.0,
        gt=0,
        le=3600,
        description="How long a request may take to be answered, and a client to read its answer, in seconds. Then the "
        "connection is closed.",
    )
    serving_max_head_bytes: int = Field(
        65_536,
        ge=4096,
        le=16_777_216,
        description="Longest head of a request: its path and headers. A longer one is answered with 431.",
    )
    serving_max_connections: int = Field(
        4096,
        ge=1,
        le=1_000_000,
        description="Most connections of one process; fewer where the limit of open files (`ulimit -n`) is lower. Then "
        "those that have waited longest for their client are closed. If all are at work, the new one is answered with "
        "503.",
    )
    serving_deadline_ms: float = Field(
        100.0,
        gt=0,
        le=60_000,
        description="How long a request waits for the online store, in milliseconds. Then it is answered with 503.",
    )
    serving_model_deadline_ms: float = Field(
        1000.0,
        gt=0,
        le=600_000,
        description="How long a model may take for one request, in milliseconds. Then the request is answered with "
        "503. A model that takes longer for a single instance when it is loaded does not answer at all.",
    )
    serving_max_instances: int = Field(256, ge=1, le=10_000, description="Most instances in one request.")
    serving_max_waiting: int = Field(
        4096, ge=1, description="Most instances that wait in one process. More are answered with 503."
    )
    serving_max_wait_ms: float = Field(
        1000.0,
        gt=0,
        le=600_000,
        description="How long a request may wait in one process before it is computed, in milliseconds. Then it is "
        "answered with 503, and so are those that come while it waits. Under overload the others are still answered "
        "soon.",
    )
    allow_degraded: bool = Field(
        False,
        description="Whether to predict without stored features when the online store cannot answer. Such answers are "
        "marked degraded. Otherwise they are a 503.",
    )
    model_alias: str = Field("champion", min_length=1, description="Alias of the model version that answers.")
    challenger_alias: str = Field(
        "challenger",
        description="Alias of the model version that is compared with the one that answers: it scores the same "
        "instances afterwards, and its scores are not returned. An empty text compares nothing.",
    )
    challenger_share: float = Field(
        0.0,
        ge=0,
        le=1,
        description="Share of the entities for which that version answers instead, from 0 to 1. An entity keeps its "
        "version.",
    )
    answering_models: Mapping[str, str] = Field(
        {},
        description="Which model answers for a view, where the model is not called like its view, as a JSON object: "
        '{"orders": "small_trees"}.',
    )
    model_poll_s: float = Field(1.0, gt=0, le=3600, description="How often the registry is read, in seconds.")

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
    prediction_log_spool_mib: int = Field(
        1024, ge=1, description="Most that one process keeps there, in MiB. Beyond it predictions are not logged."
    )
