"""The audit of scores that the stream wrote to a Kafka topic: each again, from its event in the archive."""
