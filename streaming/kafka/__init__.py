"""Kafka as Millrace reads it: topics, partitions, and records decoded into columns."""
