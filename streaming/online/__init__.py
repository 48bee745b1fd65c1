"""The dataflow that keeps entity states in Redis: Kafka, routed to shards, applied, committed by compare-and-set."""
