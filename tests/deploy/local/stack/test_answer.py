"""`status` asks, the supervisor answers."""

import threading

from deploy.local.stack.answer import Answer, ask, last_answer
from deploy.local.stack.stack_directory import StackDirectory


def answer_of(asked):
    return Answer(asked, {"churn": 3}, ("source clicks: 7 events; no lag",), {"sources": []})


def test_an_answer_is_that_of_the_own_question(tmp_path):
    directory = StackDirectory(tmp_path)
    directory.create()
    directory.write_answer(answer_of("an earlier question"))
    with directory.locked():
        done = threading.Event()

        def supervise():
            while not done.wait(0.05):
                if (asked := directory.asked()) is not None:
                    directory.write_answer(answer_of(asked))

        thread = threading.Thread(target=supervise)
        thread.start()
        try:
            found = ask(directory)
        finally:
            done.set()
            thread.join()
    assert found is not None
    assert found.asked == directory.asked()
    assert found.models == {"churn": 3}


def test_where_nothing_runs_nobody_waits_and_the_last_answer_is_known(tmp_path):
    directory = StackDirectory(tmp_path)
    directory.create()
    assert last_answer(directory) is None
    directory.write_answer(answer_of("long ago"))
    assert ask(directory) is None
    assert last_answer(directory) == answer_of("long ago")


def test_an_answer_of_another_release_is_no_answer(tmp_path):
    directory = StackDirectory(tmp_path)
    directory.create()
    (tmp_path / "answer.json").write_text('{"said": 1}')
    assert last_answer(directory) is None
