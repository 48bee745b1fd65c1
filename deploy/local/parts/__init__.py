"""The parts of a stack that a supervisor starts and watches: servers, topics, programs, definitions, first models."""
