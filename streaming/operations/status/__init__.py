"""Where every part of a stream job stands."""
