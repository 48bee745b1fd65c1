"""What runs: Kafka, Redis, topics and directories."""
