"""Brings shards of the online store to the live position: latest snapshot, events table beyond it, then Kafka.

First start, a new group or version, a Redis that was lost, an outage longer than Kafka's retention, a gap of the
archive: one case, one way.
"""
