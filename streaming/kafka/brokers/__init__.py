"""What is asked of the brokers beside records: their topics, and why they do not answer."""
