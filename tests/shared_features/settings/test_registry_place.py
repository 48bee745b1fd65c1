"""A registry is named by a folder or by a URL, and a wrong URL is refused before it is used."""

from pathlib import Path

import pytest

from serving.errors import WrongSettingError
from serving.settings import load_settings
from shared_features.settings.registry_place import registry_place
from streaming.errors import StreamingError
from streaming.settings import load_settings as load_of_streaming
from training.errors import TrainingError
from training.settings import load_settings as load_of_training


def test_a_text_is_a_folder_or_a_url() -> None:
    assert registry_place("var/registry") == registry_place(Path("var/registry")) == Path("var/registry")
    assert registry_place("s3://models/of/a-team/") == "s3://models/of/a-team"
    assert registry_place("gs://models") == "gs://models"


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("http://models/x", "begins with http://. Write a folder, or s3://bucket/prefix"),
        ("s3:///x", "names no bucket"),
        ("s3://models/a//b", "has more than a bucket and a prefix"),
        ("s3://models/a?region=x", "has more than a bucket and a prefix"),
        ("s3://me:secret@models/x", "Give credentials by AWS_ACCESS_KEY_ID"),
    ],
)
def test_a_url_that_cannot_be_is_refused_by_each_program_without_its_password(
    url: str, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MILLRACE_REGISTRY", url)
    for load, kind in (
        (load_settings, WrongSettingError),
        (load_of_training, TrainingError),
        (load_of_streaming, StreamingError),
    ):
        with pytest.raises(kind) as refused:
            load()
        assert fault in str(refused.value)
        assert "secret" not in str(refused.value)


def test_a_url_reaches_the_worker_processes_of_serving_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MILLRACE_REGISTRY", "s3://models/x")
    assert load_settings().environment()["MILLRACE_REGISTRY"] == "s3://models/x"
