"""Names of fields: what a column may be called, and what --map must say."""

import pytest

from deploy.project.columns.field_names import field_names, mapped


@pytest.mark.parametrize(
    ("columns", "fields", "maps"),
    [
        (["orderId", "user.id", "Placed At"], ["orderId", "user_id", "placed_at"], {}),
        (["Order ID", "order_id"], ["order_id_2", "order_id"], {"order_id_2": "Order ID"}),
        (["a b", "a.b"], ["a_b", "a_b_2"], {"a_b": "a b", "a_b_2": "a.b"}),
        (["class", "np"], ["class_", "np_field"], {"np_field": "np"}),
        (["2nd", "€"], ["field_2nd", "field"], {"field_2nd": "2nd", "field": "€"}),
        (["kafka_offset", "as_of_us"], ["kafka_offset_field", "as_of_us_field"],
         {"kafka_offset_field": "kafka_offset", "as_of_us_field": "as_of_us"}),
        (["größe", "Name", "NAME"], ["größe", "Name", "NAME_2"], {"NAME_2": "NAME"}),
    ],
)  # fmt: skip
def test_every_column_has_a_field_and_produce_finds_it_or_is_told(columns, fields, maps):
    names = field_names(columns)
    assert list(names.values()) == fields
    assert mapped(names) == maps
