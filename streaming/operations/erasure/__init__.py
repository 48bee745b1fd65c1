"""Erasure: removes entities from every store, as the law may require, and keeps rebuilt data free of them."""
