"""The documentation: its pages, what is generated from the code, and that both are true."""
