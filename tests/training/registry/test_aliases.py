from pathlib import Path

import pytest

from tests.training.registry.test_versions import publish
from training.durable_files import replace_file
from training.errors import RegistryError
from training.registry.aliases import Aliases, Move
from training.registry.verification import registry_faults
from training.registry.versions import Registry


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    """With three versions of one model."""
    registry = Registry(tmp_path)
    for digest in ("d1", "d2", "d3"):
        publish(registry, digest)
    return registry


def test_an_alias_moves_and_names_only_what_is_there(registry: Registry) -> None:
    aliases = Aliases(registry)
    assert aliases.promote("card_fraud", 2) is None
    assert aliases.promote("card_fraud", 1) == 2
    assert (Path(registry.store.address) / "card_fraud" / "aliases" / "champion").read_text() == "1\n"
    assert aliases.of("card_fraud") == {"champion": 1}
    with pytest.raises(RegistryError, match=r"no version 7\. It has 1, 2, 3"):
        aliases.promote("card_fraud", 7)
    with pytest.raises(RegistryError, match="is not an identifier"):
        aliases.promote("card_fraud", 1, "../champion")


def test_each_move_is_logged_once_with_who_and_why(registry: Registry) -> None:
    aliases = Aliases(registry)
    aliases.promote("card_fraud", 1, why="the first", who="ada")
    aliases.promote("card_fraud", 1, why="again", who="bob")
    aliases.promote("card_fraud", 2, "challenger", who="bob")
    moves = [each for each in registry.log.changes() if each.action == "promote"]
    assert [(each.who, each.why, each.alias, each.version, each.before) for each in moves] == [
        ("ada", "the first", "champion", 1, None),
        ("bob", "", "challenger", 2, None),
    ]


def test_roll_backs_return_step_by_step_to_what_an_alias_named(registry: Registry) -> None:
    aliases = Aliases(registry)
    for version in (1, 2, 3):
        aliases.promote("card_fraud", version)
    assert aliases.roll_back("card_fraud") == Move(2, 3)
    assert aliases.roll_back("card_fraud") == Move(1, 2)
    with pytest.raises(RegistryError, match="Champion of card_fraud is version 1, and the log has no version before"):
        aliases.roll_back("card_fraud")
    aliases.promote("card_fraud", 3)
    assert aliases.roll_back("card_fraud") == Move(1, 3)


def test_a_roll_back_of_an_alias_that_is_missing_names_those_there_are(registry: Registry) -> None:
    Aliases(registry).promote("card_fraud", 1)
    with pytest.raises(RegistryError, match=r"no alias 'shadow'\. Its aliases: champion"):
        Aliases(registry).roll_back("card_fraud", "shadow")


def test_an_alias_that_was_moved_before_there_was_a_log_is_rolled_back_too(registry: Registry) -> None:
    aliases = Aliases(registry)
    replace_file(Path(registry.store.address) / "card_fraud" / "aliases" / "champion", b"2\n")
    aliases.promote("card_fraud", 3)
    assert aliases.roll_back("card_fraud") == Move(2, 3)


def test_a_move_that_was_logged_and_not_done_is_no_version_to_return_to(registry: Registry) -> None:
    """The process was killed between the line and the move."""
    aliases = Aliases(registry)
    aliases.promote("card_fraud", 1)
    aliases.promote("card_fraud", 2)
    replace_file(Path(registry.store.address) / "card_fraud" / "aliases" / "champion", b"1\n")
    assert aliases.before("card_fraud") is None
    aliases.promote("card_fraud", 3)
    assert aliases.before("card_fraud") == 1


def test_an_alias_is_removed_with_who_and_why_and_can_be_given_again(registry: Registry) -> None:
    aliases = Aliases(registry)
    aliases.promote("card_fraud", 1)
    aliases.promote("card_fraud", 2, "challenger")
    assert aliases.remove("card_fraud", "challenger", why="worse", who="ada") == 2
    assert aliases.of("card_fraud") == {"champion": 1}
    last = registry.log.changes()[-1]
    assert (last.action, last.alias, last.version, last.why, last.who) == (
        "remove-alias",
        "challenger",
        2,
        "worse",
        "ada",
    )
    assert registry_faults(registry) == []
    with pytest.raises(RegistryError, match=r"no alias 'challenger'\. Its aliases: champion"):
        aliases.remove("card_fraud", "challenger")
    with pytest.raises(RegistryError, match="cannot be removed: serving would have no model"):
        aliases.remove("card_fraud", "champion")
    aliases.promote("card_fraud", 3, "challenger")
    assert aliases.roll_back("card_fraud", "challenger") == Move(2, 3)


def test_an_alias_that_the_log_says_is_removed_and_that_is_there_is_a_fault(registry: Registry) -> None:
    aliases = Aliases(registry)
    aliases.promote("card_fraud", 2, "challenger")
    aliases.remove("card_fraud", "challenger")
    replace_file(Path(registry.store.address) / "card_fraud" / "aliases" / "challenger", b"2\n")
    (fault,) = registry_faults(registry)
    assert "challenger of card_fraud names version 2, and the log says none" in fault
