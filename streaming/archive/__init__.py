"""Kafka to Delta: every accepted event with its arrival time, every dead letter, each position once."""
