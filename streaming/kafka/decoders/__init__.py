"""Decoders: from the values of Kafka records to columns of events, one file per format."""
