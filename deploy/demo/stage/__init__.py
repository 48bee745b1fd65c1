"""What runs: Kafka, Redis, topics, directories, and Millrace's programs."""
