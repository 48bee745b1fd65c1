"""Payments as MessagePack."""

from dataclasses import replace

from shared_features.definitions import FeatureView
from tests.streaming import small_domain

PAYMENTS = replace(small_domain.PAYMENTS, format="messagepack")
OUTCOMES = small_domain.OUTCOMES
PAYER = replace(small_domain.PAYER, sources=(PAYMENTS,))
SHOP_USE = replace(small_domain.SHOP_USE, sources=(PAYMENTS, OUTCOMES))
VIEW = FeatureView("view", 1, PAYMENTS, (SHOP_USE, PAYER["amount_sum_1m"]))
