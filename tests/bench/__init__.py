"""The benchmarks: ratios to a baseline measured in the same run. `./run bench`."""
