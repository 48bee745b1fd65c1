"""Time: int64 microseconds since the epoch, UTC. The only file that converts from or to anything else."""

from datetime import UTC, datetime, timedelta

from shared_features.errors import DefinitionError

MILLISECOND_US = 1_000
SECOND_US = 1_000_000
MINUTE_US = 60 * SECOND_US
HOUR_US = 60 * MINUTE_US
DAY_US = 24 * HOUR_US

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_UNITS = (("d", DAY_US), ("h", HOUR_US), ("m", MINUTE_US), ("s", SECOND_US), ("ms", MILLISECOND_US), ("us", 1))


def seconds(count: float) -> timedelta:
    """A duration of so many seconds."""
    return _duration("seconds", count)


def minutes(count: float) -> timedelta:
    """A duration of so many minutes."""
    return _duration("minutes", count)


def hours(count: float) -> timedelta:
    """A duration of so many hours."""
    return _duration("hours", count)


def days(count: float) -> timedelta:
    """A duration of so many days of 24 hours."""
    return _duration("days", count)


def _duration(unit: str, count: float) -> timedelta:
    try:
        return timedelta(**{unit: count})
    except (TypeError, ValueError, OverflowError):
        raise DefinitionError(f"{unit}({count!r}) is not a duration; write a number, as in {unit}(7)") from None


def to_us(time: timedelta | datetime) -> int:
    """Microseconds of a duration, or since the epoch of an instant; exact.

    Raises `ValueError` for an instant without a time zone: it would mean something else on each machine.
    """
    if isinstance(time, timedelta):
        return time // _MICROSECOND
    if time.tzinfo is None:
        raise ValueError(f"{time!r} has no time zone; give one, e.g. datetime(..., tzinfo=UTC)")
    return (time - _EPOCH) // _MICROSECOND


def to_datetime(time_us: int) -> datetime:
    """The instant, in UTC."""
    return _EPOCH + timedelta(microseconds=int(time_us))


def to_text(time_us: int) -> str:
    """The instant as people read it: RFC 3339, in UTC."""
    return to_datetime(time_us).isoformat().replace("+00:00", "Z")


def floor_to(time_us: int, hop_us: int) -> int:
    """The greatest multiple of the hop that is not after the instant; also before 1970."""
    return time_us - time_us % hop_us


def format_duration(duration: timedelta) -> str:
    """A duration in its largest whole unit, as feature names carry it.

    >>> format_duration(days(7)), format_duration(hours(36)), format_duration(minutes(5))
    ('7d', '36h', '5m')
    """
    count, unit = _count_and_unit(duration)
    return f"{count}{unit}"


def spelled_duration(duration: timedelta) -> str:
    """A duration as people write it, in its largest whole unit.

    >>> spelled_duration(days(7)), spelled_duration(hours(36)), spelled_duration(minutes(5))
    ('7 d', '36 h', '5 min')
    """
    count, unit = _count_and_unit(duration)
    return f"{count} {'min' if unit == 'm' else unit}"


def _count_and_unit(duration: timedelta) -> tuple[int, str]:
    duration_us = to_us(duration)
    for suffix, unit_us in _UNITS:
        if duration_us % unit_us == 0 and duration_us:
            return duration_us // unit_us, suffix
    return 0, "s"
