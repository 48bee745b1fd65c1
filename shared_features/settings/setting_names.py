"""Names of settings: one list for all programs, which share one environment and one file. A misspelt name is found."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Mapping

PREFIX = "MILLRACE_"
FILE_VARIABLE = f"{PREFIX}SETTINGS"
API_KEY_VARIABLE = f"{PREFIX}API_KEY"
"""The key that a client sends. It is not a setting: a secret belongs in no file of settings and in no option."""

# fmt: off
SETTING_NAMES = frozenset((
    # of several programs
    "definitions", "redis_url", "redis_namespace", "lake", "registry", "training_runs", "log_format", "log_level",
    "allowed_lateness", "api_keys_file", "tls_certificate", "tls_key", "oidc_issuer", "oidc_audience", "oidc_claim",
    "oidc_scopes", "oidc_requests_per_s", "oidc_rows_per_s",
    # of streaming
    "kafka_bootstrap_servers", "kafka_options", "without_registry", "without_audit", "metrics_port", "topic_mode",
    "embedded_log", "import_until", "mark_slack", "poll_records", "poll_timeout", "fetch_buffer_records",
    "fetch_buffer_mib", "idle_mark", "topic_check", "workers", "worker", "epoch", "cached_entities", "idle_commit",
    "redis_timeout", "archive_commit", "archive_commit_records", "expectation_sample", "materialize_interval",
    "snapshot_interval", "maintenance_interval", "events_kept_days", "bootstrap_memory", "pipeline_lag", "score_topics",
    # of training
    "training_runs_kept", "training_step_limit", "training_steps_at_once", "runs_database", "runs_host", "runs_port",
    "runs_recorded", "runs_recorded_for", "runs_webhook", "champion_age_limit", "models", "spine_events_at_once",
    "mlflow", "audit_predictions_at_once", "scoring",
    # of serving
    "serving_host", "serving_port", "serving_grpc_port", "serving_workers", "serving_keep_alive_s", "serving_receive_s",
    "serving_answer_s", "serving_max_head_bytes", "serving_max_connections", "serving_deadline_ms",
    "serving_model_deadline_ms", "serving_max_instances", "serving_max_waiting", "serving_max_wait_ms",
    "serving_drain_s", "allow_degraded", "model_alias", "challenger_alias", "challenger_share", "model_poll_s",
    "answering_models", "registry_cache", "traces",
    "prediction_log_topic", "prediction_log_spool", "prediction_log_spool_mib",
))
# fmt: on
"""As a file has them; in the environment they are in capitals and begin with PREFIX."""
_ALSO_BARE = ("KAFKA_BOOTSTRAP_SERVERS", "REDIS_URL")
"""They are read without PREFIX too, as other tools do, and under either name in a file."""
_OTHER_VARIABLES = {
    FILE_VARIABLE,
    f"{PREFIX}PYTHON",
    f"{PREFIX}SUPERVISOR_PROCESS",
    f"{PREFIX}TESTS_MAY_PULL",
    API_KEY_VARIABLE,
}
"""Of `./run`, of the supervisor, of the tests and of a client."""
_NEARLY = 0.85
_OF_KUBERNETES = re.compile(r"_SERVICE_(HOST|PORT)(_.*)?$|_PORT_\d+_(TCP|UDP)(_.*)?$")
"""Kubernetes gives every container such variables for a service whose name begins with `millrace`."""


def misspelt_settings(environment: Mapping[str, str], file: str = "") -> list[str]:
    """What is wrong with the names: a text for each variable that has the prefix, and each key of the file, in vain.

    A variable that has a misspelt prefix before the name of a setting counts, too.

    file: the text of the settings file, in TOML.
    """
    variables = {f"{PREFIX}{name.upper()}" for name in SETTING_NAMES}
    keys = SETTING_NAMES.union(*((name, f"{PREFIX}{name}") for name in _ALSO_BARE))
    faults = [
        f"Variable {name} is not a setting.{_nearest(name, PREFIX)} Correct its name or unset it"
        for name, value in sorted(environment.items())
        if (name.upper().startswith(PREFIX) or _behind_nearly_the_prefix(name.upper()))
        and name.upper() not in variables | _OTHER_VARIABLES
        and not (_OF_KUBERNETES.search(name.upper()) or ("://" in value and name.upper().endswith("_PORT")))
    ]
    return faults + [
        f"Key {key} of the settings file is not a setting.{_nearest(key)} Correct its name or remove it"
        for key in tomllib.loads(file)
        if key not in keys
    ]


def _behind_nearly_the_prefix(variable: str) -> str | None:
    """The setting whose name stands behind a misspelt prefix, as `lake` does in MILRACE_LAKE."""
    for setting in SETTING_NAMES:
        prefix = variable.removesuffix(setting.upper())
        if prefix != variable and difflib.SequenceMatcher(None, prefix, PREFIX).ratio() > _NEARLY:
            return setting
    return None


def _nearest(name: str, prefix: str = "") -> str:
    plain = _behind_nearly_the_prefix(name.upper()) or name.lower().removeprefix(PREFIX.lower())
    near = difflib.get_close_matches(plain, sorted(SETTING_NAMES), 1)
    return f" Did you mean {prefix}{near[0].upper() if prefix else near[0]}?" if near else ""
