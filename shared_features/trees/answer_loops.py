"""What a tree ensemble answers for the sums of its trees: the steps of ONNX Runtime, in its order and in float32.

So that the bits are the same. The exponential is the C library's, which ONNX Runtime calls, too.
"""

import math

import numpy as np

from shared_features.kernel.loops.compiled import compiled, inlined

SUMS, LOGISTIC, SOFTMAX, COMPLEMENT, TWO_SIDES = range(5)
"""What is made of the sums. Of one sum for two classes, the last two make two numbers."""
_ZERO, _ONE = np.float32(0), np.float32(1)


@inlined
def _logistic(value):
    found = _ONE / (_ONE + math.exp(-abs(value)))
    return _ONE - found if value < _ZERO else found


@inlined
def _softmax(sums, found):
    """Classes are added one after the other, as they are added there."""
    most = sums[0]
    for at in range(sums.size):
        most = max(most, sums[at])
    whole = _ZERO
    for at in range(sums.size):
        found[at] = math.exp(sums[at] - most)
        whole += found[at]
    for at in range(sums.size):
        found[at] /= whole


@inlined
def put_answers(sums, base, divisor, kind, found):
    """found: float32[n, targets]; of the last two kinds [n, 2]. sums: float32[n, targets], worked in."""
    for row in range(sums.shape[0]):
        for target in range(sums.shape[1]):
            value = sums[row, target]
            if divisor != _ONE:
                value /= divisor
            value += base[target]
            sums[row, target] = value
            if kind == SUMS:
                found[row, target] = value
            elif kind == LOGISTIC:
                found[row, target] = _logistic(value)
            elif kind == COMPLEMENT:
                found[row, 0], found[row, 1] = _ONE - value, value
            elif kind == TWO_SIDES:
                found[row, 0], found[row, 1] = _logistic(-value), _logistic(value)
        if kind == SOFTMAX:
            _softmax(sums[row], found[row])


@compiled
def answer(sums, base, divisor, kind, found):
    """See `put_answers`."""
    put_answers(sums, base, divisor, kind, found)
