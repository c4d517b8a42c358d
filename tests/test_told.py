"""Child processes that do a job, and tell of it as they go."""

import os

import pytest
from children import alive, write

from d2lconv import BackendBroken
from d2lconv.children import told
from d2lconv.core.lenet import lenet
from d2lconv.training import runner
from d2lconv.training.worker import Job

CHILD = """
import os, sys, time
from d2lconv.children import begun

job, tell = begun()
print("what a framework prints")
tell(pid=os.getpid(), asked=job["text"])
if job["stays"]:
    time.sleep(600)
print(os.environ["LAST"], "", sep="\\n", file=sys.stderr)
sys.exit(job["status"])
"""


@pytest.fixture
def ask(tmp_path):
    """Start a child, and give what it tells."""
    write(tmp_path, {"told_child.py": CHILD})
    path = os.pathsep.join(filter(None, [str(tmp_path), os.environ.get("PYTHONPATH")]))

    def ask(status=0, stays=False, last="last words", **options):
        job = {"text": "ä \ud800 '\"", "status": status, "stays": stays}
        return told("told_child", job, "the child", {"PYTHONPATH": path, "LAST": last}, **options)

    return ask


def test_a_child_gets_its_job_and_tells_what_it_has(ask):
    (message,) = ask()
    assert message["asked"] == "ä \ud800 '\""


def test_it_tells_at_once_and_does_not_outlive_its_listener(ask):
    messages = ask(stays=True)
    pid = next(messages)["pid"]
    assert alive(pid)
    messages.close()
    assert not alive(pid)


def test_it_is_killed_when_its_time_is_over(ask):
    with pytest.raises(BackendBroken, match=r"^the child ended with status -9: "):
        list(ask(stays=True, seconds=2))


@pytest.mark.parametrize(
    ("last", "said"), [("last words", "last words"), ("", "what a framework prints")]
)
def test_its_last_words_are_told_if_it_fails(ask, last, said):
    messages = ask(status=3, last=last)
    next(messages)
    with pytest.raises(BackendBroken, match=rf"^the child ended with status 3: {said}$"):
        next(messages)


def test_training_that_fails_in_one_framework_says_which_and_why():
    job = Job("numpy", {"colour": "red"}, {"lr": 1, "epochs": 1, "batch_size": 1, "seed": 0})
    (run,) = runner.run([job], lenet(), lambda one: None)
    assert run.problem.startswith("training in NumPy ended with status 1: TypeError: ")
    assert "'colour'" in run.problem
