"""Brings shards of the online store to the live position: latest snapshot, events table after it, then Kafka.

A first start, a new group or version, a Redis that lost its data, an outage longer than Kafka's retention, and a gap of
the archive are one case with one solution.
"""
