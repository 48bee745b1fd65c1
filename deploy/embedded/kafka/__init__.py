"""Kafka on loopback: Apache Kafka itself, and librdkafka's simulator of it."""
