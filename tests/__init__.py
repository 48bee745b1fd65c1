"""The tests: a package, so that a folder here never shadows the package it mirrors."""
