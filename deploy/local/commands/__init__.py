"""The commands of a stack: what a person asks for, and the lines that a person sees."""
