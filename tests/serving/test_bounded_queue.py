"""What is left for another thread: bounded, in order, and never waited for."""

import threading

from serving.bounded_queue import BoundedQueue


def test_what_has_no_room_is_refused_until_an_item_was_worked_off() -> None:
    queue: BoundedQueue[str] = BoundedQueue(10)
    assert [queue.put(item, size) for item, size in (("a", 6), ("b", 5), ("c", 4))] == [True, False, True]
    items = queue.items()
    assert next(items) == "a"
    assert not queue.put("d", 1)  # "a" is still at work
    assert next(items) == "c"
    assert queue.put("d", 6)
    assert list(items) == ["d"]
    assert len(queue) == 0
    assert queue.put("whole", 10)


def test_a_thread_that_waits_wakes_for_an_item_and_for_the_end() -> None:
    queue: BoundedQueue[int] = BoundedQueue(10)
    assert not queue.wait(0.01)
    taken: list[int] = []

    def work() -> None:
        while not queue.has_ended:
            queue.wait()
            taken.extend(queue.items())

    thread = threading.Thread(target=work)
    thread.start()
    for number in range(5):
        while not queue.put(number, 3):  # in its own time
            pass
    queue.end()
    thread.join(60)
    assert not thread.is_alive()
    assert taken + list(queue.items()) == list(range(5))


def test_many_threads_leave_no_more_than_has_room() -> None:
    queue: BoundedQueue[int] = BoundedQueue(1_000)
    kept = []

    def leave() -> None:
        kept.append(sum(queue.put(1, 1) for _ in range(500)))

    threads = [threading.Thread(target=leave) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sum(kept) == len(queue) == 1_000
