"""The colours of everything that Millrace draws, and what each means. Every one stands beside a word or a sign.

`NO_COLOR` turns them off, as everywhere (https://no-color.org).
"""

WELL = "green"
"""It works, and is not behind."""
STARTS = "cyan"
"""It is being started."""
WAITS = "yellow"
"""It waits, catches up, or deserves a look."""
BROKEN = "bold red"
"""It is unavailable, stands still, or has ended, and nobody asked it to."""
UNKNOWN = "dim"
"""Not known, not yet, or no longer."""
