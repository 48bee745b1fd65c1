"""The whole path on real parts: embedded ones, and Apache Kafka with redis-server proper."""
