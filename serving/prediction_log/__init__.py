"""The prediction log: answers go to Kafka beside the request path, over a spool on disk while Kafka does not answer."""
