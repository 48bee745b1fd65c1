"""From requests and stored bytes to the matrix of the model, and how far what is stored has come."""
