"""What libraries read once, when they are loaded. The first thing that every package of ours imports sets it.

ONNX Runtime tells its makers of each process, since 1.31 from Linux too, and writes a number of the machine to a file.
"""

import os

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
