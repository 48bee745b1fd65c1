"""How every test runs: the same examples each time, no stopwatch on what numba is still compiling."""

from hypothesis import settings

settings.register_profile("millrace", deadline=None, derandomize=True, print_blob=True)
# `./run test --hypothesis-profile=explore` looks for new counterexamples; what it finds becomes an @example.
settings.register_profile("explore", deadline=None, max_examples=1_000, print_blob=True)
settings.load_profile("millrace")
