"""Sorted sets of 64-bit words in a pool: ids of events (all of them) and the k smallest hashes of values."""

from shared_features.kernel.loops.compiled import compiled, inlined


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
def add_to_smallest(smallest, count, size, word):
    """Add a word to the sorted `smallest[:count]` of at most `size`; returns the new count."""
    at = find(smallest, 0, count, word)
    if at == size or (at < count and smallest[at] == word):
        return count
    count = min(count + 1, size)
    for i in range(count - 1, at, -1):
        smallest[i] = smallest[i - 1]
    smallest[at] = word
    return count


@inlined
def merge_into_smallest(smallest, count, size, pool, start, stop):
    """Merge the sorted `pool[start:stop]` into the sorted `smallest[:count]`; returns the new count."""
    for i in range(start, stop):
        word = pool[i]
        if count == size and word >= smallest[size - 1]:
            break
        count = add_to_smallest(smallest, count, size, word)
    return count
