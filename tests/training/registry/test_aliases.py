import pytest

from tests.training.registry.test_versions import publish
from training.errors import RegistryError
from training.registry.aliases import Aliases
from training.registry.versions import Registry


def test_an_alias_moves_and_names_only_what_is_there(tmp_path):
    registry = Registry(tmp_path)
    aliases = Aliases(registry)
    publish(registry, "d1")
    publish(registry, "d2")
    assert aliases.promote("card_fraud", 2) is None
    assert aliases.promote("card_fraud", 1) == 2
    assert (tmp_path / "card_fraud" / "aliases" / "champion").read_text() == "1\n"
    assert aliases.of("card_fraud") == {"champion": 1}
    with pytest.raises(RegistryError, match=r"no version 7\. It has 1, 2"):
        aliases.promote("card_fraud", 7)
    with pytest.raises(RegistryError, match="is not an identifier"):
        aliases.promote("card_fraud", 1, "../champion")
