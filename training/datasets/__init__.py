"""From the offline store's tables to a training dataset."""
