"""The shards against a redis-server, the dataflow against the Kafka simulator."""
