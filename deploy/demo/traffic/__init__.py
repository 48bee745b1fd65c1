"""What is sent: the people who pay, their transactions as Kafka records, and the producer and client that send them."""
