"""How an expected string is verified against the network's output: the twin of engine/digits/scoring.ts.

CTC gives every string a probability, and those of all strings add up to one. Two logarithms are read off:
  * `string`: that of the expected string;
  * `length`: that of all strings with as many digits, summed exactly.
Their difference is how sure it is of these digits, given that so many were spoken; `length` alone is how sure it is
that so many were.
"""

import numpy as np

from network import BLANK


def string_log_probability(logs, digits):
    """The forward algorithm of CTC (Graves 2006). logs: [steps, 11]; digits: list of 0..9."""
    states = [BLANK]
    for digit in digits:
        states += [digit, BLANK]
    states = np.array(states)
    skips = np.zeros(len(states), bool)
    skips[2:] = (states[2:] != BLANK) & (states[2:] != states[:-2])
    alpha = np.full(len(states), -np.inf)
    alpha[0] = logs[0, BLANK]
    if digits:
        alpha[1] = logs[0, digits[0]]
    for row in logs[1:]:
        one, two = np.full_like(alpha, -np.inf), np.full_like(alpha, -np.inf)
        one[1:] = alpha[:-1]
        two[2:] = alpha[:-2]
        two[~skips] = -np.inf
        alpha = np.logaddexp(np.logaddexp(alpha, one), two) + row[states]
    return np.logaddexp(alpha[-1], alpha[-2]) if digits else alpha[0]


def length_log_probability(logs, length):
    """All strings of `length` digits together. State: digits begun so far, and the last symbol (a digit, or blank)."""
    blank = np.full(length + 1, -np.inf)
    digit = np.full((length + 1, 10), -np.inf)
    blank[0] = 0.0
    for row in logs:
        ended = np.logaddexp.reduce(digit, axis=1)
        begun = np.full_like(digit, -np.inf)
        for label in range(10):
            others = np.logaddexp.reduce(np.delete(digit, label, axis=1), axis=1)
            begun[1:, label] = np.logaddexp(blank, others)[:-1]
        digit = np.logaddexp(digit, begun) + row[:10]
        blank = np.logaddexp(blank, ended) + row[BLANK]
    return np.logaddexp(blank[length], np.logaddexp.reduce(digit[length]))


def greedy(logs):
    best = logs.argmax(axis=1)
    return [int(label) for i, label in enumerate(best) if label != BLANK and (i == 0 or label != best[i - 1])]
