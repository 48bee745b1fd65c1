"""What a watcher's scans cost is bounded, however large the tables are."""

from streaming.operations.status.kept_answers import KeptAnswers


class Scan:
    """Takes a second each time."""

    def __init__(self):
        self.now_s, self.times = 0.0, 0

    def __call__(self):
        self.times += 1
        self.now_s += 1.0
        return self.times


def test_what_has_not_changed_is_not_asked_again():
    scan = Scan()
    kept = KeptAnswers(lambda: scan.now_s)
    assert [kept.get("events", 7, scan) for _ in range(3)] == [1, 1, 1]
    scan.now_s += 1_000
    assert kept.get("events", 7, scan) == 1


def test_what_changes_all_the_time_takes_a_twentieth_of_it():
    scan = Scan()
    kept = KeptAnswers(lambda: scan.now_s)
    for look in range(500):
        kept.get("events", look, scan)
        scan.now_s += 2.0
    assert scan.times / scan.now_s <= 0.05
    assert scan.times > 20


def test_answers_of_different_names_are_different():
    scan = Scan()
    kept = KeptAnswers(lambda: scan.now_s)
    assert (kept.get("a", 1, scan), kept.get("b", 1, scan)) == (1, 2)
