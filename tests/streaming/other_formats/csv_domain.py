"""Payments as lines of CSV, a format that this module brings itself."""

import csv
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import msgspec

from shared_features.definitions import FeatureView
from streaming.kafka.decoders.event_decoder import EventFormat
from streaming.kafka.decoders.struct_decoder import StructDecoder, reason
from tests.streaming import small_domain

NAMES = tuple(field.name for field in small_domain.PAYMENTS.fields)


def fields(value: bytes) -> Mapping[str, Any] | None:
    try:
        (row,) = csv.reader([value.decode()])
    except (ValueError, csv.Error):
        return None
    return {name: text for name, text in zip(NAMES, row, strict=False) if text}


def typed(event: type) -> Callable[[bytes], Any]:
    return lambda value: msgspec.convert(fields(value), event, strict=False)


CSV = EventFormat(
    decoder=lambda source: StructDecoder(source, typed, lambda value, error: reason(value, error, "CSV")),
    fields=fields,
)

PAYMENTS = replace(small_domain.PAYMENTS, format=f"{__name__}:CSV")
OUTCOMES = small_domain.OUTCOMES
PAYER = replace(small_domain.PAYER, sources=(PAYMENTS,))
SHOP_USE = replace(small_domain.SHOP_USE, sources=(PAYMENTS, OUTCOMES))
VIEW = FeatureView("view", 1, PAYMENTS, (SHOP_USE, PAYER["amount_sum_1m"]))
