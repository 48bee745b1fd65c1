"""The small domain after somebody saw its dead letters: the producer writes the number as a text, so be it."""

from dataclasses import replace

from shared_features.definitions import FeatureView, Field, Text
from tests.streaming import small_domain

PAYMENTS = replace(
    small_domain.PAYMENTS,
    fields=tuple(
        Field("amount", Text()) if field.name == "amount" else field for field in small_domain.PAYMENTS.fields
    ),
    expectations=(),
)
OUTCOMES = small_domain.OUTCOMES
SHOP_USE = replace(small_domain.SHOP_USE, sources=(PAYMENTS, OUTCOMES))
VIEW = FeatureView("view", 1, PAYMENTS, (SHOP_USE,))
