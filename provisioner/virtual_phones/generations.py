"""A model of each firmware generation, and what such a phone has installed."""

from __future__ import annotations

FIRMWARE = {
    "VP530P": "23.70.0.40",
    "T46G": "28.72.0.1",
    "T23G": "44.80.0.60",
    "T46S": "66.85.0.5",
    "T54W": "96.86.0.70",
}
