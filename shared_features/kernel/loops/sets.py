"""Sorted sets of 64-bit words in a pool: ids of events (all of them) and the k smallest hashes of values."""

import numpy as np

from shared_features.kernel.loops.compiled import compiled, inlined
from shared_features.kernel.loops.machine_words import one_by_one


@inlined
def find(pool, start, stop, word):
    """Where in the sorted `pool[start:stop]` the word stands, or would stand."""
    while start < stop:
        middle = (start + stop) >> 1
        if pool[middle] < word:
            start = middle + 1
        else:
            stop = middle
    return start


@compiled
def sort(pool, start, stop):
    """Sort `pool[start:stop]` in place (Shell 1959, gaps of Knuth): short runs, nothing allocated."""
    gap = 1
    while gap < (stop - start) // 9:
        gap = 3 * gap + 1
    while gap > 0:
        for i in range(start + gap, stop):
            word, j = pool[i], i
            while j - gap >= start and pool[j - gap] > word:
                pool[j] = pool[j - gap]
                j -= gap
            pool[j] = word
        gap //= 3


@compiled
def sort_distinct(pool, start, stop, size):
    """Make a set of at most `size` words, the smallest, of `pool[start:stop]`; returns how many there are."""
    sort(pool, start, stop)
    at = start
    for i in range(start, stop):
        if at == start + size:
            break
        if i == start or pool[i] != pool[i - 1]:
            pool[at] = pool[i]
            at += 1
    return at - start


@inlined
def add_to_smallest(smallest, cells, taken, count, size, word):
    """Add a hash to `smallest[:count]`, the `size` smallest of those so far, each once; returns the new count.

    Fewer than `size` stand in the order in which they came: `cells` says where, by the last bits of a hash, and cell
    `taken[i]` is that of the i-th. A full set is sorted. So a hash is put to few others at a fixed cost.
    """
    if count == size:
        return _add_to_full(smallest, size, word)
    last_cell = np.uint64(cells.size - 1)
    cell = word & last_cell
    while cells[cell]:
        if smallest[cells[cell] - 1] == word:
            return count
        cell = (cell + np.uint64(1)) & last_cell
    smallest[count], taken[count] = word, cell
    count += 1
    cells[cell] = count
    if count == size:
        sort(smallest, 0, size)
    return count


@inlined
def _add_to_full(smallest, size, word):
    at = find(smallest, 0, size, word)
    if at < size and smallest[at] != word:
        for i in range(size - 1, at, -1):
            smallest[i] = smallest[i - 1]
        smallest[at] = word
    return size


@inlined
def merge_into_smallest(smallest, cells, taken, count, size, pool, start, stop):
    """Add the sorted `pool[start:stop]` to `smallest[:count]`; returns the new count."""
    for i in range(start, stop):
        word = pool[i]
        if count == size and word >= smallest[size - 1]:
            break
        count = add_to_smallest(smallest, cells, taken, count, size, word)
    return count


@inlined
def begin_smallest(cells, taken, count):
    """Make the cells ready for another set. count: of the set before."""
    for i in range(count):
        one_by_one()
        cells[taken[i]] = 0
