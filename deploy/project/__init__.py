"""A new project: a package of definitions, written from a look at a file, or from an example."""
