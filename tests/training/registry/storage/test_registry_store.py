"""The laws of a registry, in a folder and on S3; and what only storage behind a network can do to it."""

from __future__ import annotations

import socket
import subprocess
import sys
import textwrap
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from shared_features.errors import RegistryStorageError
from shared_features.formats.model_manifest import CHAMPION, MANIFEST_FILE, MODEL_FILE, encode_manifest
from shared_features.registry_storage.object_reader import ObjectReader
from shared_features.registry_storage.object_store import Patience
from shared_features.registry_storage.registry_mirror import RegistryMirror
from streaming.operations.registry_look import RegistryLook
from streaming.settings import load_settings
from tests.architecture.source_tree import ROOT
from tests.docs.pages import page
from tests.docs.reader import Reader
from tests.s3_server import KEY, SECRET, WRITES, S3Server, s3_server
from tests.shared_features.formats.test_model_manifest import MANIFEST
from tests.training.registry.sound_versions import publish_sound
from tests.training.registry.test_versions import FILES, publish
from training.errors import OvertakenError, RegistryError
from training.registry.aliases import Aliases
from training.registry.deletion import delete_version
from training.registry.storage.object_registry import ObjectRegistry
from training.registry.storage.opening import open_store
from training.registry.storage.registry_store import STALE_S, Change
from training.registry.verification import registry_faults
from training.registry.versions import Registry

MODEL = "card_fraud"
AT_ONCE = Patience(60.0, 300.0, 0)  # a machine may stand still for a while
ONE_RETRY = Patience(60.0, 300.0, 1)


@pytest.fixture(scope="module")
def server() -> Iterator[S3Server]:
    with s3_server() as server:
        yield server


@pytest.fixture
def url(server: S3Server) -> str:
    """Of a registry with a prefix, in a bucket of its own, on a server that makes no mistake."""
    server.mend()
    return f"s3://{server.bucket()}/of/a-team"


@pytest.fixture(params=["folder", "objects"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Path | str:
    if request.param == "folder":
        return tmp_path / "registry"
    found: str = request.getfixturevalue("url")
    return found


def check_whole(registry: Registry) -> None:
    for version in registry.versions(MODEL):
        assert registry.files(MODEL, version).keys() == FILES
        assert registry.manifest(MODEL, version).version == version
    assert not registry.log.damaged_lines()


def test_versions_appear_whole_and_their_numbers_are_not_given_again(place: Path | str) -> None:
    registry = Registry(place)
    assert (registry.models(), registry.versions(MODEL)) == ([], [])
    assert [publish(registry, each).version for each in ("d1", "d2", "d1")] == [1, 2, 1]
    check_whole(registry)
    assert registry.read(MODEL, 2, MODEL_FILE) == b"graph of d2"
    delete_version(registry, MODEL, 2)
    again = Registry(place)
    assert (again.models(), again.versions(MODEL), publish(again, "d3").version) == ([MODEL], [1], 3)
    with pytest.raises(RegistryError, match=r"no version 2\. It has 1, 3"):
        again.where(MODEL, 2)
    assert [(each.action, each.version) for each in again.log.changes()] == [
        ("publish", 1), ("publish", 2), ("delete", 2), ("publish", 3)
    ]  # fmt: skip


def test_an_alias_moves_back_and_ends(place: Path | str) -> None:
    registry, aliases = Registry(place), Aliases(Registry(place))
    for each in ("d1", "d2"):
        publish(registry, each)
    assert (aliases.promote(MODEL, 1), aliases.promote(MODEL, 2)) == (None, 1)
    with pytest.raises(RegistryError, match="A roll-back of champion from version 2 returns to it"):
        delete_version(registry, MODEL, 1)
    assert aliases.roll_back(MODEL).version == 1
    aliases.promote(MODEL, 2, "challenger")
    assert Aliases(Registry(place)).of(MODEL) == {"challenger": 2, "champion": 1}
    assert aliases.remove(MODEL, "challenger") == 2
    assert aliases.of(MODEL) == {"champion": 1}
    with pytest.raises(RegistryError, match="no alias 'challenger'"):
        aliases.remove(MODEL, "challenger")
    assert aliases.promote(MODEL, 2, "challenger") is None
    assert registry_faults(registry) == []


def test_publishers_at_once_get_numbers_of_their_own_and_lose_no_line(place: Path | str) -> None:
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda number: publish(Registry(place), f"d{number}").version, range(8)))
    assert sorted(found) == list(range(1, 9))
    registry = Registry(place)
    check_whole(registry)
    assert sorted(each.version for each in registry.log.changes()) == sorted(found)


def test_what_another_process_wrote_meanwhile_is_not_overwritten(place: Path | str) -> None:
    store, other = open_store(place), open_store(place)
    store.change(lambda change: change.replace("m/aliases/champion", b"1\n", None))
    known = store.read("m/aliases/champion")
    assert known is not None
    other.change(lambda change: change.replace("m/aliases/champion", b"2\n", known))
    attempts: tuple[Callable[[Change], None], ...] = (
        lambda change: change.replace("m/aliases/champion", b"3\n", known),
        lambda change: change.replace("m/aliases/champion", b"3\n", None),
        lambda change: change.remove("m/aliases/champion", known),
    )
    for overtaken in attempts:
        assert store.change(_was_overtaken(overtaken))
    found = store.read("m/aliases/champion")
    assert found is not None
    assert found.content == b"2\n"


def _was_overtaken(step: Callable[[Change], None]) -> Callable[[Change], bool]:
    def told(change: Change) -> bool:
        try:
            step(change)
        except OvertakenError:
            return True
        return False

    return told


def test_a_version_that_is_being_deleted_is_not_promoted(place: Path | str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The deletion is logged, and its process was killed before it was done."""
    registry = Registry(place)
    for each in ("d1", "d2"):
        publish(registry, each)
    with monkeypatch.context() as killed:
        killed.setattr(Registry, "delete", _interrupted)
        with pytest.raises(KeyboardInterrupt):
            delete_version(registry, MODEL, 2)
    with pytest.raises(RegistryError, match="Version 2 of card_fraud is being deleted"):
        Aliases(registry).promote(MODEL, 2)
    delete_version(registry, MODEL, 2)
    assert registry.versions(MODEL) == [1]


def _interrupted(*given: object) -> None:
    raise KeyboardInterrupt


def test_a_move_that_was_overtaken_is_decided_again(url: str) -> None:
    """Between its line and its write another process moves the alias."""
    registry, aliases, other = Registry(url), Aliases(Registry(url)), Aliases(Registry(url))
    for each in ("d1", "d2", "d3"):
        publish(registry, each)
    aliases.promote(MODEL, 1)
    store, decided = open_store(url), list[int]()

    def step(change: Change) -> None:
        known = store.read(f"{MODEL}/aliases/{CHAMPION}")
        decided.append(0 if known is None else int(known.content))
        if len(decided) == 1:
            other.promote(MODEL, 2)
        change.append(b"\n")
        change.replace(f"{MODEL}/aliases/{CHAMPION}", b"3\n", known)

    store.change(step)
    assert decided == [1, 2]
    assert aliases.of(MODEL) == {CHAMPION: 3}


def test_a_number_that_somebody_publishes_under_is_taken(url: str) -> None:
    registry, slow = Registry(url), open_store(url)
    with slow.new_version(MODEL, {MODEL_FILE: b"slow"}) as new:
        assert new.number(lambda: 1) == 1
        assert registry.versions(MODEL) == []
        assert publish(registry, "quick").version == 2
        assert new.appear(encode_manifest(replace(MANIFEST, model=MODEL, version=1)))
    assert slow.versions(MODEL) == [1, 2]
    with slow.new_version(MODEL, {MODEL_FILE: b"late"}) as new:
        assert new.number(lambda: 1) == 3  # it looked before the two were there
    assert slow.files(f"{MODEL}/3") == {}
    assert registry.read(MODEL, 1, MODEL_FILE) == b"slow"
    with slow.new_version(MODEL, {MODEL_FILE: b"given up"}) as new:
        assert new.number(lambda: 3) == 3
    assert publish(registry, "next").version == 3


def test_a_publisher_killed_at_any_request_leaves_no_half_version(url: str) -> None:
    """By SIGKILL, in processes of their own: before the first write, the second, ..."""
    script = textwrap.dedent(
        """
        import os, sys
        from tests.training.registry.test_versions import publish
        from training.registry.aliases import Aliases
        from training.registry.storage import object_registry, registry_store
        from training.registry.versions import Registry
        from shared_features.registry_storage.object_store import ObjectStore

        def dying(call):
            def wrapped(*given):
                global left
                left -= 1
                if left < 0:
                    os.kill(os.getpid(), 9)
                return call(*given)
            return wrapped

        for start in range(0, 12, 2):
            child = os.fork()  # before the library of storage has any thread
            if child == 0:
                registry = Registry(f"{sys.argv[1]}/{start}")
                publish(registry)
                Aliases(registry).promote("card_fraud", 1)
                left = start
                ObjectStore._put, ObjectStore.delete = dying(ObjectStore._put), dying(ObjectStore.delete)
                publish(registry, "killed")
                Aliases(registry).promote("card_fraud", 2)
                os._exit(0)
            print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        """
    )
    command = [sys.executable, "-c", script, url]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    assert {*map(int, done.stdout.split())} == {-9, 0}
    for start in range(0, 12, 2):
        registry = Registry(f"{url}/{start}")
        check_whole(registry)
        assert Aliases(registry).of(MODEL)[CHAMPION] in registry.versions(MODEL)
        assert publish(registry, "killed").version in (2, 3)  # a number that was claimed is not given again
        assert registry.manifest(MODEL, registry.versions(MODEL)[-1]).model_digest == "killed"


def test_what_a_killed_publisher_left_is_removed_after_a_day(url: str) -> None:
    clock = [0.0]
    store = ObjectRegistry(url, lambda: clock[0])
    objects = store.objects
    for key in (
        f"{MODEL}/.numbers/7",
        f"{MODEL}/7/{MODEL_FILE}",
        f"{MODEL}/8/{MODEL_FILE}",
        f"{MODEL}/9/manifest.json",
    ):
        objects.put(key, b"1")
    written_s = max(each.modified_s for each in objects.every(MODEL))
    for clock[0], left in ((written_s + STALE_S - 60, 4), (written_s + STALE_S + 60, 2)):
        with store.new_version(MODEL, {}):
            pass
        assert len(list(objects.every(MODEL))) == left
    assert store.versions(MODEL) == [9]


def test_an_answer_that_is_lost_is_settled_by_a_look(server: S3Server, url: str) -> None:
    """The server did each write and answered 500: the write is tried again, and refused for what it did itself."""
    server.mend(WRITES)
    publish(Registry(f"{url}/counted"))
    Aliases(Registry(f"{url}/counted")).promote(MODEL, 1)
    writes = server.mend(WRITES)
    assert writes >= 8
    for lost in range(writes):
        registry = Registry(ObjectRegistry(f"{url}/{lost}", patience=ONE_RETRY))
        server.fail("lost", lost, lost + 1, WRITES)
        assert publish(registry).version == 1
        Aliases(registry).promote(MODEL, 1)
        server.mend()
        check_whole(registry)
        assert [each.action for each in registry.log.changes()] == ["publish", "promote"]
        assert (registry.versions(MODEL), Aliases(registry).of(MODEL)) == ([1], {CHAMPION: 1})


def test_storage_that_ends_in_the_middle_leaves_what_was_there(server: S3Server, url: str) -> None:
    """From the first request on, the fourth, ... nothing is answered; and what was begun can be done afterwards."""
    outcomes = set()
    for first in range(0, 28, 4):
        registry = Registry(ObjectRegistry(f"{url}/{first}", patience=AT_ONCE))
        publish(registry)
        Aliases(registry).promote(MODEL, 1)
        server.fail("away", first)
        try:
            publish(registry, "second")
            Aliases(registry).promote(MODEL, 2)
            outcomes.add("done")
        except RegistryStorageError as error:
            outcomes.add(str(error).partition(". ")[2])
        server.mend()
        check_whole(registry)
        assert Aliases(registry).of(MODEL)[CHAMPION] in registry.versions(MODEL)
        assert publish(registry, "second").version == registry.versions(MODEL)[-1]
    assert outcomes == {"done", "Its storage answers HTTP 503. Try again, or see what it says of it."}


def test_storage_that_is_away_answers_a_write_that_does_not_come_in_one_piece(server: S3Server, url: str) -> None:
    """On a busy machine few do. The server waited for the client to close then, and the client for the server."""
    server.fail("away")
    address, size = urlsplit(server.endpoint), 1 << 18
    with socket.create_connection((address.hostname, address.port), timeout=60) as client:
        client.sendall(f"PUT /bucket/key HTTP/1.1\r\nHost: here\r\nContent-Length: {size}\r\n\r\n".encode())
        client.sendall(bytes(size))
        assert b" 503 " in client.makefile("rb").read()


def test_an_error_says_what_to_do_and_holds_no_secret(server: S3Server, url: str) -> None:
    server.fail("denied")
    with pytest.raises(RegistryStorageError, match="Its storage refuses access: SignatureDoesNotMatch") as denied:
        Registry(ObjectRegistry(url, patience=AT_ONCE)).models()
    server.mend()
    shown = "".join(traceback.format_exception(denied.value))
    assert KEY not in shown
    assert SECRET not in shown
    with pytest.raises(RegistryStorageError, match="There is no bucket 'nobody-made-this'"):
        Registry("s3://nobody-made-this/x").log.changes()


def test_storage_that_does_not_answer_is_a_passing_fault(server: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")  # nobody listens there
    with pytest.raises(RegistryStorageError, match="Its storage does not answer") as silent:
        Registry(ObjectRegistry("s3://models", patience=AT_ONCE)).models()
    assert isinstance(silent.value.__cause__, ConnectionError)  # so a step of a run is tried again


def test_each_program_reads_the_same_of_both(place: Path | str, tmp_path: Path) -> None:
    """With more objects than a page of a listing has."""
    registry = Registry(place)
    for number in range(4):
        publish(registry, f"d{number}")
    Aliases(registry).promote(MODEL, 3)
    look = RegistryLook(load_settings(registry=place, lake=tmp_path / "lake"))
    assert look.missing is None
    assert [str(each) for each in look.datasets()] == [
        f"the dataset of model {MODEL} version {n}" for n in (1, 2, 3, 4)
    ]
    assert [(each.alias, each.manifest.version) for each in look.served()] == [(CHAMPION, 3)]


def test_an_alias_that_is_as_it_was_costs_one_request(server: S3Server, url: str, tmp_path: Path) -> None:
    from tests.domains.machines import BREAKDOWN
    from tests.serving.published_models import publish as publish_model

    publish_model(url, BREAKDOWN)
    mirror = RegistryMirror(ObjectReader(url), tmp_path, CHAMPION)
    mirror.fetch("breakdown")
    assert (tmp_path / "breakdown" / "aliases" / CHAMPION).read_text() == "1\n"
    assert {each.name for each in (tmp_path / "breakdown" / "1").iterdir()} == {MANIFEST_FILE, MODEL_FILE}
    server.mend()
    for _ in range(5):
        mirror.fetch("breakdown")
    assert server.mend() == 5
    publish_model(url, BREAKDOWN, 1)
    mirror.fetch("breakdown")
    assert (tmp_path / "breakdown" / "aliases" / CHAMPION).read_text() == "2\n"


@pytest.mark.slow
@pytest.mark.deep  # the commands have tests in a folder, and the storage has those above
def test_the_guide_is_followed(server: S3Server, tmp_path: Path) -> None:
    server.mend()
    server.bucket("models")
    reader, url = Reader(tmp_path), "s3://models/millrace"
    (block,) = [each for each in page("docs/how-to/registry-on-s3.md").blocks() if each.kind == "run by"]
    reader.follow(block)
    assert reader.said == f"no model in {url} yet\n"
    publish_sound(Registry(url))
    assert "card_fraud version 1: 4 files, as it was published" in reader.paste("millrace registry verify")
    assert reader.paste("millrace registry promote card_fraud 1 --why first") == "champion of card_fraud is version 1\n"
    assert "first" in reader.paste("millrace registry log")
    assert url in reader.paste("millrace registry show card_fraud")
    assert "| promote champion - -> 1 | first |" in reader.paste("millrace registry model-card card_fraud")
