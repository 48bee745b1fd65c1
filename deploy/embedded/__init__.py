"""Kafka and Redis as child processes on loopback, for the demo, the tests and the benchmarks.

`redis_server.RedisServer`, `kafka_simulator.KafkaSimulator` (librdkafka's own broker simulator) and
`apache_kafka.ApacheKafka` are context managers; both Kafkas are a `broker.Broker`. Nothing is imported
here, so that `python -m deploy.embedded.simulated_kafka` runs a module nobody has loaded before.
"""
