"""Settings of the streaming programs: what the environment and the file get wrong is named before anything runs."""

import pytest

from streaming.__main__ import main
from streaming.errors import EXIT_REFUSED, SettingsError
from streaming.settings import load_settings, refuse_wrong_settings


def test_a_misspelt_setting_is_named_with_the_nearest(monkeypatch, tmp_path):
    refuse_wrong_settings(load_settings())
    monkeypatch.setenv("MILLRACE_ALOWED_LATENESS", "5")
    with pytest.raises(SettingsError, match=r"ALOWED_LATENESS is not a setting\. Did you mean .*ALLOWED_LATENESS\?"):
        refuse_wrong_settings(load_settings())
    monkeypatch.delenv("MILLRACE_ALOWED_LATENESS")
    (tmp_path / "settings.toml").write_text('lake = "x"\nserving_port = 1\nlaek = "y"\n')
    monkeypatch.setenv("MILLRACE_SETTINGS", str(tmp_path / "settings.toml"))
    with pytest.raises(SettingsError, match=r"Key laek of the settings file is not a setting\. Did you mean lake\?"):
        refuse_wrong_settings(load_settings())
    assert str(load_settings().lake) == "x"


@pytest.mark.parametrize("verb", [["check", "--refusing-only"], ["run", "--only", "online"], ["status"], ["bootstrap"]])
def test_no_program_runs_with_a_misspelt_setting(monkeypatch, capsys, verb):
    monkeypatch.setenv("MILLRACE_TOPIC_MODES", "embedded")
    monkeypatch.setattr("streaming.__main__.install", lambda: None)
    assert main(verb) == EXIT_REFUSED
    assert "Did you mean MILLRACE_TOPIC_MODE?" in capsys.readouterr().err


def test_only_a_simulated_log_has_a_name_of_its_own():
    """Kafka keeps the ids of its topics, and a re-created topic must be noticed."""
    with pytest.raises(SettingsError, match="embedded_log needs topic_mode=embedded, but topic_mode is live"):
        load_settings(embedded_log="shop")


@pytest.mark.parametrize("verb", [["check", "--refusing-only"], ["run", "--only", "online"], ["status"], ["bootstrap"]])
def test_no_program_runs_with_a_url_of_redis_that_it_would_read_in_part(monkeypatch, capsys, verb):
    """redis-py took the misspelt option for one of its own, and failed once per try without an end."""
    monkeypatch.setenv("REDIS_URL", "redis://:geheim@h:6379/0?socket_timeot=3")
    monkeypatch.setattr("streaming.__main__.install", lambda: None)
    assert main(verb) == EXIT_REFUSED
    said = capsys.readouterr().err
    assert "REDIS_URL is wrong. The URL has no option 'socket_timeot'." in said
    assert "geheim" not in said
