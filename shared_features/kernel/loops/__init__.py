"""What Numba compiles: loops over arrays that their callers made. Types are inferred, so nothing is annotated."""
