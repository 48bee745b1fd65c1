"""Settings: one documented set; a wrong value names itself."""

import os

import pytest

from serving.errors import WrongSettingError
from serving.settings import load_settings


@pytest.fixture(autouse=True)
def clean(monkeypatch):
    for name in list(os.environ):
        if name.startswith("MILLRACE_") or name == "REDIS_URL":
            monkeypatch.delenv(name)


def test_loopback_unless_told_otherwise():
    settings = load_settings()
    assert (settings.serving_host, settings.serving_port, settings.allow_degraded) == ("127.0.0.1", 8000, False)


def test_options_win_over_the_environment_and_that_over_the_file(monkeypatch, tmp_path):
    file = tmp_path / "settings.toml"
    file.write_text('serving_port = 1\nserving_workers = 2\nmodel_alias = "challenger"\npoll_records = 5\n')
    monkeypatch.setenv("MILLRACE_SETTINGS", str(file))
    monkeypatch.setenv("MILLRACE_SERVING_PORT", "3")
    monkeypatch.setenv("MILLRACE_SERVING_WORKERS", "4")
    settings = load_settings(["--serving-port", "5"])
    assert (settings.serving_port, settings.serving_workers, settings.model_alias) == (5, 4, "challenger")


@pytest.mark.parametrize("name", ["REDIS_URL", "MILLRACE_REDIS_URL"])
def test_the_address_of_redis_is_read_with_and_without_the_prefix(monkeypatch, name):
    monkeypatch.setenv(name, "redis://elsewhere:1/2")
    assert load_settings().redis_url == "redis://elsewhere:1/2"


@pytest.mark.parametrize(
    ("name", "value"), [("SERVING_PORT", "http"), ("SERVING_DEADLINE_MS", "0"), ("ALLOW_DEGRADED", "perhaps")]
)
def test_a_wrong_value_names_itself(monkeypatch, name, value):
    monkeypatch.setenv(f"MILLRACE_{name}", value)
    with pytest.raises(WrongSettingError, match=f"MILLRACE_{name}.*{value}"):
        load_settings()


@pytest.mark.parametrize("name", ["REDIS_URL", "MILLRACE_REDIS_URL"])
def test_a_url_of_redis_that_is_read_in_part_is_refused_without_its_password(monkeypatch, name):
    monkeypatch.setenv(name, "redis://:geheim@h:6379/0?socket_timeot=3")
    with pytest.raises(
        WrongSettingError, match=r"REDIS_URL\) is wrong\. The URL has no option 'socket_timeot'"
    ) as error:
        load_settings()
    assert "geheim" not in str(error.value)


def test_a_settings_file_that_is_not_there_is_said(monkeypatch, tmp_path):
    monkeypatch.setenv("MILLRACE_SETTINGS", str(tmp_path / "none.toml"))
    with pytest.raises(WrongSettingError, match=r"none\.toml"):
        load_settings()


def test_a_worker_reads_the_settings_of_its_parent(monkeypatch):
    settings = load_settings(["--redis-url", "redis://here/1", "--allow-degraded", "true", "--registry", "models"])
    for name, value in settings.environment().items():
        monkeypatch.setenv(name, value)
    assert load_settings() == settings


def test_a_misspelt_setting_is_named_with_the_nearest(monkeypatch, tmp_path):
    monkeypatch.setenv("MILLRACE_SERVING_PROT", "8001")
    with pytest.raises(WrongSettingError, match=r"SERVING_PROT is not a setting\. Did you mean .*SERVING_PORT\?"):
        load_settings()
    monkeypatch.delenv("MILLRACE_SERVING_PROT")
    (tmp_path / "settings.toml").write_text('modell_alias = "challenger"')
    monkeypatch.setenv("MILLRACE_SETTINGS", str(tmp_path / "settings.toml"))
    with pytest.raises(WrongSettingError, match=r"Key modell_alias .* Did you mean model_alias\?"):
        load_settings()


def test_a_worker_reads_objects_as_its_parent_did(monkeypatch):
    """An object was handed on as Python writes it, which is no JSON: the endpoint did not start."""
    settings = load_settings(answering_models={"orders": "small trees"})
    for name, value in settings.environment().items():
        monkeypatch.setenv(name, value)
    assert load_settings() == settings
