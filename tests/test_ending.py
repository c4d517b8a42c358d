"""How commands end: interrupted, killed, or on a full disk, files stay whole and nobody is left."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest
from children import alive, python, told, write
from test_registry import TOY

pytestmark = pytest.mark.slow(reason="it starts commands, and waits for their end")

if os.name != "posix":
    pytest.skip("signals are sent as on POSIX", allow_module_level=True)

# Where the tests themselves run in the background, interrupts are ignored, and so inherited.
HEEDING = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)
from d2lconv.cli import main
"""
COMMAND = HEEDING + "main()"
STATUS = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129, signal.SIGKILL: -9}
by_signal = pytest.mark.parametrize("number", STATUS, ids=lambda number: number.name)


def start(code, *arguments, path=None, **options):
    environment = {**os.environ, "NO_COLOR": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    if path is not None:
        environment["PYTHONPATH"] = str(path)
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        **options,
    )


def until(condition, seconds=120):
    """Wait for something to become true; fail if it does not."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


@contextmanager
def interrupted(child, ready, number):
    """Send a signal as soon as the child is ready; then look at how it ended."""
    try:
        until(lambda: ready() or child.poll() is not None)
        assert child.poll() is None, child.communicate()
        child.send_signal(number)
        _, errors = child.communicate(timeout=60)
        assert child.returncode == STATUS[number], errors
        if number != signal.SIGKILL:
            assert told(errors) == f"d2lconv: stopped by {number.name}.\n"
        yield
    finally:
        child.kill()
        child.wait()


HANGS = """
with open({pid!r}, "w") as file: file.write(str(os.getpid()))
{hang}
"""
SLEEPS = "import time; time.sleep(600)"


def hanging(folder, hang):
    """A toy backend that hangs while it is loaded, and where it leaves its process id."""
    pid = folder / "pid"
    ops = "import os\n" + TOY["d2lconv_toy/tensors.py"] + HANGS.format(pid=str(pid), hang=hang)
    return write(folder / "toy", {**TOY, "d2lconv_toy/tensors.py": ops}), pid


@by_signal
def test_a_parity_run_that_is_stopped_leaves_the_files_and_no_process(tmp_path, number):
    path, pid = hanging(tmp_path, SLEEPS)
    files = [tmp_path / name for name in ("a.json", "a.html", "a.npz")]
    for file in files:
        file.write_text("old")
    options = ["--json", files[0], "--html", files[1], "--save", files[2]]
    child = start(COMMAND, "parity", "-b", "toy", *options, path=path)
    with interrupted(child, lambda: pid.exists() and pid.read_text(), number):
        until(lambda: not alive(int(pid.read_text())), 10)
        assert [file.read_text() for file in files] == ["old"] * 3
        assert sorted(os.listdir(tmp_path)) == ["a.html", "a.json", "a.npz", "pid", "toy"]


@by_signal
def test_a_benchmark_that_is_stopped_leaves_the_files_and_no_process(tmp_path, number):
    path, pid = hanging(tmp_path, SLEEPS)
    files = [tmp_path / name for name in ("a.json", "a.svg")]
    for file in files:
        file.write_text("old")
    options = ["--json", files[0], "--plot", files[1], "--size", "6x8-1x2"]
    child = start(COMMAND, "bench", "-b", "toy", *options, path=path)
    with interrupted(child, lambda: pid.exists() and pid.read_text(), number):
        until(lambda: not alive(int(pid.read_text())), 10)
        assert [file.read_text() for file in files] == ["old"] * 2
        assert sorted(os.listdir(tmp_path)) == ["a.json", "a.svg", "pid", "toy"]


def test_a_worker_that_computes_notices_that_its_parent_was_killed(tmp_path):
    path, pid = hanging(tmp_path, "while True: pass")
    child = start(COMMAND, "parity", "-b", "toy", path=path)
    with interrupted(child, lambda: pid.exists() and pid.read_text(), signal.SIGKILL):
        until(lambda: not alive(int(pid.read_text())), 10)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda n: n.name)
@pytest.mark.parametrize("command", ["run", "doctor"])
def test_frameworks_that_hang_can_be_interrupted(tmp_path, command, number):
    path, pid = hanging(tmp_path, SLEEPS)
    child = start(COMMAND, command, "-b", "toy", "--json", path=path)
    with interrupted(child, lambda: pid.exists() and pid.read_text(), number):
        until(lambda: not alive(int(pid.read_text())), 10)


def test_what_the_doctor_examines_ends_with_the_doctor(tmp_path):
    path, pid = hanging(tmp_path, SLEEPS)
    child = start(COMMAND, "doctor", "-b", "toy", path=path)
    with interrupted(child, lambda: pid.exists() and pid.read_text(), signal.SIGKILL):
        until(lambda: not alive(int(pid.read_text())), 10)


BUILD = (
    HEEDING
    + """
from pathlib import Path
from d2lconv.notebook import lesson
folder = Path(sys.argv.pop(1))
lesson.folder = lambda: folder
main()
"""
)


@pytest.fixture
def lesson(tmp_path):
    """The source of a lesson that never ends, and a notebook of it from an earlier day."""
    slow = f"open({str(tmp_path / 'pid')!r}, 'w').write(str(__import__('os').getpid()))\n{SLEEPS}"
    head = "---\njupytext:\n  text_representation:\n    format_name: myst\nlesson:\n"
    keys = ("title", "section", "address", "about", "first")
    head += "".join(f'  {key}: "7"\n' for key in keys) + "---\n"
    source = f"{head}\n# A lesson\n\n```{{code-cell}} ipython3\n:tags: [numpy]\n{slow}\n```\n"
    return write(tmp_path / "notebooks" / "slow", {"lesson.md": source, "numpy.ipynb": "old"})


@pytest.mark.parametrize(
    "number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda n: n.name
)
def test_a_build_that_is_stopped_leaves_the_notebooks_and_no_kernel(tmp_path, lesson, number):
    pid = tmp_path / "pid"
    child = start(BUILD, lesson.parent, "lesson", "build", "-b", "numpy")
    with interrupted(child, lambda: pid.exists() and pid.read_text(), number):
        until(lambda: not alive(int(pid.read_text())), 10)
        assert (lesson / "numpy.ipynb").read_text() == "old"
        assert sorted(os.listdir(lesson)) == ["lesson.md", "numpy.ipynb"]


HALF = (
    HEEDING
    + """
import time
from d2lconv.cli.ending import status_of
from d2lconv.files import replacing

def command():
    with replacing(sys.argv[1]) as file:
        file.write(b"half")
        file.flush()
        time.sleep(600)

sys.exit(status_of(command))
"""
)


@by_signal
def test_a_file_that_is_half_written_does_not_take_the_place_of_the_old_one(tmp_path, number):
    file = tmp_path / "a.html"
    file.write_text("old")
    child = start(HALF, file)
    with interrupted(child, lambda: any(f.stat().st_size == 4 for f in tmp_path.iterdir()), number):
        assert file.read_text() == "old"
        if number != signal.SIGKILL:
            assert os.listdir(tmp_path) == ["a.html"]


# A full disk, which a limit on the size of files is to a program.

FULL = """
import resource, sys
from d2lconv.cli import main
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv.pop(1)),) * 2)
main()
"""


@pytest.mark.parametrize(
    ("command", "name"),
    [
        (["lesson", "page", "conv_layer"], "lesson.html"),
        (["lesson", "slides", "conv_layer", "-b", "numpy"], "numpy.html"),
        (["parity", "-b", "numpy", "--case", "random", "--json"], "a.json"),
        (["parity", "-b", "numpy", "--case", "random", "--html"], "a.html"),
        (["parity", "-b", "numpy", "--case", "random", "--save"], "a.npz"),
        (["train", "-b", "numpy", "--epochs", "1", "--images", "64", "--plot"], "a.svg"),
        (["bench", "-b", "numpy", "--size", "6x8-1x2", "--seconds", "0.01", "--plot"], "a.svg"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_on_a_full_disk_the_old_file_stays_and_one_line_says_why(tmp_path, command, name):
    file = tmp_path / name
    file.write_text("old")
    target = tmp_path if "slides" in command else file
    place = command.index("-b") if "slides" in command else len(command)
    child = start(FULL, 4096, *command[:place], target, *command[place:])
    output, errors = child.communicate(timeout=120)
    assert child.returncode == 1
    assert told(errors) == (
        f"d2lconv: {file} could not be written: File too large. What was there before is "
        "unchanged. Make room, or give another place.\n"
    )
    assert file.read_text() == "old"
    assert os.listdir(tmp_path) == [name]
    shown = {  # what was found is shown all the same
        "parity": "17 cases in numpy: 17 same bits",
        "train": "61,706 parameters from NumPy",
        "bench": "NumPy, times as fast as its own convolution",
    }
    assert shown.get(command[0], "") in output


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full here")
@pytest.mark.parametrize("command", [["run", "--json"], ["doctor", "--json"], ["--version"]])
def test_output_that_cannot_be_written_is_reported_in_one_line(command):
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "d2lconv", *command, *["-b", "numpy"] * (len(command) > 1)],
            stdout=full, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
    assert done.returncode == 1
    assert told(done.stderr) == "d2lconv: No space left on device.\n"


def test_a_reader_that_goes_away_is_no_error_to_tell():
    child = subprocess.run(
        f"{sys.executable} -m d2lconv run -b numpy | head -n 1",
        shell=True, capture_output=True, text=True,
    )  # fmt: skip
    assert child.stdout
    assert told(child.stderr) == ""


def test_a_device_is_written_to_and_not_replaced():
    before = os.stat("/dev/null").st_rdev
    done = subprocess.run(
        [sys.executable, "-m", "d2lconv", "parity", "-q", "-b", "numpy", "--case", "lesson",
         "--html", "/dev/null", "--json", "/dev/stdout"],
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert os.stat("/dev/null").st_rdev == before
    document, end = json.JSONDecoder().raw_decode(done.stdout)
    assert document["ok"]
    assert done.stdout[end:].strip().startswith("4 cases in numpy")


def test_a_link_stays_a_link(tmp_path):
    from d2lconv.files import replacing

    (tmp_path / "there").mkdir()
    link = tmp_path / "link"
    link.symlink_to("there/file")
    for content in (b"new", b"newer"):
        with replacing(link) as file:
            file.write(content)
        assert link.is_symlink()
        assert (tmp_path / "there" / "file").read_bytes() == content


@pytest.mark.parametrize("command", ["run", "doctor", "train --epochs 1 --images 64"])
def test_a_command_whose_output_is_closed_works_all_the_same(command):
    command = f"{sys.executable} -m d2lconv {command} -b numpy"
    done = subprocess.run(["sh", "-c", f"exec {command} >&-"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert all(line.startswith("... ") for line in told(done.stderr).splitlines())


@pytest.mark.parametrize("closed", ["<&- >&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_closed_streams_are_no_error_and_no_file_takes_their_place(tmp_path, closed):
    file = tmp_path / "a.json"
    command = f"{sys.executable} -m d2lconv parity -b numpy --case lesson/figure --json {file}"
    done = subprocess.run(["sh", "-c", f"exec {command} {closed}"], capture_output=True, text=True)
    assert (done.returncode, done.stdout, told(done.stderr)) == (0, "", "")
    assert json.loads(file.read_text())


IMPATIENT = """
import os, signal, sys, time
from d2lconv.cli import ending

ending.PATIENCE = float(sys.argv[1])
signal.signal(signal.SIGINT, signal.default_int_handler)  # which a shell's background job ignores

def command():
    try:
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(60)
    finally:
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.01)
        print("cleaned up")

print(ending.status_of(command))
"""


@pytest.mark.parametrize(("patience", "said"), [(5, ["cleaned up", "130"]), (0, ["130"])])
def test_ctrl_c_again_does_not_stop_the_cleaning_up_unless_it_takes_long(patience, said):
    done = python(IMPATIENT, str(patience))
    assert done.stdout.splitlines() == said
    assert done.stderr == "d2lconv: stopped by SIGINT.\n"


SCRIPT = "import sys\nfrom d2lconv.cli import main\nsys.exit(main())\n"  # as pip writes it
AT_THE_END = """
import atexit, os, time

def hang():
    with open({pid!r}, "w") as file: file.write(str(os.getpid()))
    time.sleep(600)

atexit.register(hang)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL], ids=lambda n: n.name)
@pytest.mark.parametrize("how", ["script", "module", "at its end"])
def test_a_command_that_is_stopped_while_it_imports_or_exits_says_so_in_one_line(
    tmp_path, how, number
):
    pid, script = tmp_path / "pid", tmp_path / "d2lconv"
    options = {}
    if how == "at its end":
        script.write_text(AT_THE_END.format(pid=str(pid)) + SCRIPT)
    else:  # the first that it imports of others
        script.write_text(SCRIPT)
        hangs = "import os\n" + HANGS.format(pid=str(pid), hang=SLEEPS)
        path = [str(write(tmp_path / "first", {"numpy.py": hangs})), os.environ.get("PYTHONPATH")]
        options["env"] = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, path))}
    child = subprocess.Popen(
        [sys.executable, *(["-m", "d2lconv"] if how == "module" else [script]), "--version"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL), **options,
    )  # fmt: skip
    with interrupted(child, lambda: pid.exists() and pid.read_text(), number):
        pass


def test_a_program_that_imports_d2lconv_keeps_its_own_way_with_ctrl_c():
    code = "import signal; before = signal.getsignal(signal.SIGINT); import d2lconv; "
    done = python(code + "print(signal.getsignal(signal.SIGINT) is before)")
    assert done.stdout == "True\n"
