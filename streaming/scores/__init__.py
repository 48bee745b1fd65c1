"""The dataflow that scores events: Kafka, features from Redis, the model that answers, scores back to Kafka."""
