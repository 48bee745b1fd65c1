"""The wall "prediction spool": the records of the prediction log that Kafka did not take yet, as files.

Serving writes and sends them; an erasure empties those of an entity. Each process has a folder, named by its instance,
and holds a lock (flock) on the file `lock` there as long as it lives. A segment is a file of lines, each a record as
`prediction_log` encodes it. A line without its end was being written when its process died: it is not a
record. The process that has the lock of a folder may change and delete its segments.
"""

from __future__ import annotations

SCHEMA_VERSION = 1
LOCK_FILE = "lock"
SEGMENTS = "*.jsonl"
"""The names of segments, in the order of which they are sent."""
SEGMENT_NAME = "{:08d}.jsonl"
