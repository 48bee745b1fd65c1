"""Keys as people write them."""

from shared_features.definitions import Entity
from streaming.operations.inspect.entity_key import stored_spelling

MACHINE = Entity("machine", keys=("plant", "machine"))
SHOP = Entity("shop", keys=("shop",))


def test_fields_that_are_named_come_in_any_order_and_keep_their_commas_and_bars() -> None:
    assert stored_spelling([MACHINE], "plant=north,machine=m1") == "north|m1"
    assert stored_spelling([MACHINE], "machine=m,1, plant=a|b") == "a\\|b|m,1"
    assert stored_spelling([SHOP, MACHINE], "plant=x,machine=y=z") == "x|y=z"


def test_a_key_that_names_no_field_is_taken_as_it_is() -> None:
    for key in ("7", "north|m1", "a=b", "plant=north", "x,plant=1,machine=2", ""):
        assert stored_spelling([MACHINE], key) == key
