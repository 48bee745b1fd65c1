"""The local stack: everything that the definitions need on this machine, as one thing that goes up and down."""
