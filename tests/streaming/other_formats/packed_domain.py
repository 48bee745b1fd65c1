"""Payments as MessagePack."""

from dataclasses import replace

from tests.streaming import small_domain

PAYMENTS = replace(small_domain.PAYMENTS, format="messagepack")
OUTCOMES = small_domain.OUTCOMES
PAYER = replace(small_domain.PAYER, sources=(PAYMENTS,))
SHOP_USE = replace(small_domain.SHOP_USE, sources=(PAYMENTS, OUTCOMES))
