"""What a dataset is like: each feature and the label, window by window, as JSON and as a page."""
