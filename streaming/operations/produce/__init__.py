"""`produce`: a file of rows becomes the records of an event source."""
