"""What comes in: the events of a topic, their entities, and the labels among them."""
