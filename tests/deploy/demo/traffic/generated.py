"""A generated world, and the stream's own reader for what is sent of it."""

import numpy as np

from deploy.demo.traffic.cards.disturbances import Disturbances
from deploy.demo.traffic.cards.handbook import World, simulate
from deploy.demo.traffic.cards.transactions import DAY_US
from streaming.kafka.records.record_reader import CREATE_TIME, RecordReader, Records, StampRule

START_US = 20_000 * DAY_US
WILD = Disturbances(late=0.05, duplicate=0.04, malformed=0.07)
LATE_US = 600_000_000


def generated_world() -> World:
    return simulate(customers=200, terminals=400, days=30, start_us=START_US, seed=5)


def read(source, records):
    """The source's own part of (topic, key, value, stamp) rows, as streaming reads it."""
    rows = [each for each in records if each[0] == source.topic]
    keys, values = [each[1] for each in rows], [each[2] for each in rows]
    stamps = np.array([each[3] for each in rows], np.int64)
    types = np.full(len(rows), CREATE_TIME, np.int64)
    records = Records(source.topic, 0, np.arange(len(rows)), stamps, types, values, keys.__getitem__)
    return RecordReader(source, StampRule("embedded")).read(records)
