"""The unit of a number, where the name of its column ends with one, as in `temperature_c` or `duration_ms`."""

from __future__ import annotations

from deploy.project.columns.field_names import words

_UNITS = {
    "celsius": "°C", "fahrenheit": "°F", "kelvin": "K", "ms": "ms", "us": "µs", "ns": "ns", "sec": "s", "secs": "s",
    "seconds": "s", "minutes": "min", "min": "min", "hours": "h", "kg": "kg", "g": "g", "km": "km", "cm": "cm",
    "mm": "mm", "meters": "m", "kmh": "km/h", "kw": "kW", "kwh": "kWh", "watts": "W", "volts": "V", "hz": "Hz",
    "bytes": "bytes", "kb": "kB", "mb": "MB", "gb": "GB", "eur": "euro", "euro": "euro", "usd": "dollar",
    "gbp": "pound", "cents": "cents", "pct": "%", "percent": "%", "hpa": "hPa", "pa": "Pa", "bar": "bar", "lux": "lux",
}  # fmt: skip
_SIGNS = {"€": "euro", "$": "dollar", "£": "pound", "%": "%", "°C": "°C", "°F": "°F"}
_SHORT = {"c": "°C", "f": "°F", "s": "s", "w": "W", "v": "V"}
_OF_SHORT = {"temperature", "temp", "dew", "duration", "time", "elapsed", "latency", "power", "voltage"}


def unit_of(name: str) -> str:
    """Empty where the name says none.

    >>> unit_of("temperature_c"), unit_of("http.duration_ms"), unit_of("Montant (€)"), unit_of("vitamin_c")
    ('°C', 'ms', 'euro', '')
    """
    found = words(name)
    for sign, unit in _SIGNS.items():
        if name.rstrip(" )]").endswith(sign):
            return unit
    if len(found) < 2:
        return ""
    short = _SHORT.get(found[-1], "") if _OF_SHORT & {*found[:-1]} else ""
    return _UNITS.get(found[-1], short)
