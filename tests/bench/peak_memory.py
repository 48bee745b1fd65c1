"""Memory of this process, as the system counts it."""

from __future__ import annotations

from pathlib import Path


def peak_mb() -> float:
    """The most there was, of this program alone: `getrusage` begins with what the process had that started it."""
    return _status_mb("VmHWM")


def memory_mb() -> float:
    """What there is now."""
    return _status_mb("VmRSS")


def forget_peak() -> None:
    """Let the peak begin again."""
    Path("/proc/self/clear_refs").write_text("5")


def _status_mb(name: str) -> float:
    (line,) = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(f"{name}:")]
    return int(line.split()[1]) / 1024
