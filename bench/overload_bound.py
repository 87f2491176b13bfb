"""What an overload does to a registrar that wastes nothing: counted, not run.

It serves as many phones a second as it can and turns the others away at no cost, but does not know who has
just begun and who sends again, as nobody does who hasn't looked at what was turned away. Phones send again
for some time after the overload (`register_load.WAITS_S`), so it is not over when fewer begin.
"""

from __future__ import annotations

from collections import Counter
from itertools import accumulate, takewhile
from random import Random
from typing import Any

from register_load import PATIENCE_S, WAITS_S

_PEAK = 400
"Registrations a second; what comes of it depends little on how many."
_STEP_S = 0.05
"Who comes within that is served in any order."
_SENT_S = tuple(
    takewhile(lambda at: at < PATIENCE_S, accumulate((*WAITS_S, *[WAITS_S[-1]] * 10), initial=0.0))
)
"When a phone that gets no answer sends, after it has begun."


def overloaded(peak: float, times: int, seconds: int, then_seconds: int) -> dict[str, Any]:
    """What `register_load.py` would say: `times` the peak for `seconds`, then half of it."""
    began = [number / (_PEAK * times) for number in range(_PEAK * times * seconds)]
    began += [seconds + number / (_PEAK / 2) for number in range(_PEAK // 2 * then_seconds)]
    sent = sorted((at + after, number) for number, at in enumerate(began) for after in _SENT_S)
    said: dict[str, Any] = {name: Counter() for name in ("begun", "sent", "done", "lost")} | {"took_ms": {}}
    scale, order = peak / _PEAK, Random(1)  # noqa: S311 - a draw, and the same each time
    done: dict[int, float] = {}
    room, step, position = 0.0, 0, 0
    while position < len(sent):
        step += 1
        come: list[int] = []
        while position < len(sent) and sent[position][0] < step * _STEP_S:
            at, number = sent[position]
            position += 1
            if number not in done:
                come.append(number)
                said["sent"][str(int(at))] += scale
        room = min(room, _PEAK * _STEP_S) + _PEAK * _STEP_S
        order.shuffle(come)
        for number in come[: int(room)]:
            done[number] = step * _STEP_S
        room -= min(len(come), int(room))
    for number, at in enumerate(began):
        second = str(int(at))
        said["begun"][second] += scale
        if number in done:
            said["done"][str(int(done[number]))] += scale
            said["took_ms"].setdefault(second, []).append((done[number] - at) * 1000)
        else:
            said["lost"][second] += scale
    return said
