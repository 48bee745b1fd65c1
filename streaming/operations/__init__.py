"""What a person does by hand with a stream job and its stores."""
