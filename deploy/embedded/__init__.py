"""Kafka and Redis as child processes on loopback, for the demo, the tests and the benchmarks.

`redis_server.RedisServer`, `kafka.kafka_simulator.KafkaSimulator` (librdkafka's own broker simulator) and
`kafka.apache_kafka.ApacheKafka` are context managers; both Kafkas are a `kafka.broker.Broker`. Nothing is imported
here, so that `python -m deploy.embedded.kafka.simulated_kafka` runs a module nobody has loaded before.
"""
