"""Half-broken installs and odd surroundings, each built where there is no framework."""

import json
import os
import re
import subprocess
import sys

import pytest
from children import python, told, write
from chosen import STATUS
from environments import Environment, examine, main_distribution, pty, read_only, without_privileges
from test_registry import TOY

pytestmark = pytest.mark.slow(reason="it runs the doctor in processes of its own")

posix = pytest.mark.skipif(os.name != "posix", reason="environments are built as on POSIX")


@posix
def test_a_file_that_has_the_name_of_a_framework_that_is_not_there(tmp_path):
    environment = Environment(tmp_path)
    write(environment.work, TOY)
    (environment.work / "toyframe-3.1.dist-info" / "METADATA").unlink()
    (environment.work / "toyframe-3.1.dist-info").rmdir()
    (environment.work / "toyframe.py").write_text("import sys; sys.exit('usage: toyframe FILE')")
    status, found = examine(environment, "toy")
    assert (status, found["state"]) == (1, "broken")
    assert f"rename {environment.work / 'toyframe.py'}" == found["remedy"]
    assert "SystemExit: usage: toyframe FILE" in found["problem"]


# Packages that announce a backend. None of the frameworks has a part in it.


def rival(name):
    """A second distribution that offers a backend of that name."""
    files = {
        path.replace("d2lconv_toy", "d2lconv_rival"): text.replace("d2lconv_toy", "d2lconv_rival")
        .replace("d2lconv-toy", "d2lconv-rival")
        .replace('"toy", "ToyFrame"', f'{name!r}, "ToyFrame"')
        for path, text in TOY.items()
    }
    return {path: text for path, text in files.items() if not path.startswith("toyframe")}


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    """An environment without frameworks, where the doctor is quick."""
    names = [name for name, status in STATUS.items() if status.installed and name != "numpy"]
    return Environment(tmp_path_factory.mktemp("bare"), without=map(main_distribution, names))


RELEASED = TOY["d2lconv_toy/__init__.py"].replace("import Man", "import Release, Man")
RELEASED = RELEASED.replace("aliases=", 'releases=(Release("toyframe", OLDEST, NEWEST),), aliases=')


@pytest.mark.parametrize(
    ("oldest", "newest", "problem", "remedy"),
    [
        ("3.2", "4", "too old; the backend needs 3.2", 'pip install --upgrade "toyframe>=3.2"'),
        ("2", "3.0", "newer than 3.0, the newest that", 'pip install "toyframe==3.0.*"'),
        ("3.1", "3.1", "", "pip install toyframe"),
    ],
    ids=["too old", "too new", "neither"],
)
@pytest.mark.parametrize("breaks", [False, True], ids=["works", "broken"])
def test_a_framework_of_another_release_that_works_or_does_not(
    bare, tmp_path, oldest, newest, problem, remedy, breaks
):
    manifest = RELEASED.replace("OLDEST", repr(oldest)).replace("NEWEST", repr(newest))
    files = {**TOY, "d2lconv_toy/__init__.py": manifest}
    if breaks:
        files["toyframe.py"] = "raise AttributeError('no such function')"
    status, found = examine(bare, "toy", PYTHONPATH=str(write(tmp_path, files)))
    assert (status, found["state"]) == ((1, "broken") if breaks else (0, "works"))
    assert problem in found["problem"]
    assert ("no such function" in found["problem"]) == breaks
    assert found["remedy"] == (remedy if breaks or "too old" in problem else "")


@pytest.mark.parametrize("line", ["", "Version: three"], ids=["no version", "no such version"])
def test_a_framework_that_does_not_say_which_release_it_is(bare, tmp_path, line):
    manifest = RELEASED.replace("OLDEST", "'3'").replace("NEWEST", "'4'")
    metadata = "toyframe-3.1.dist-info/METADATA"
    files = {**TOY, "d2lconv_toy/__init__.py": manifest}
    files[metadata] = re.sub("Version: .*", line, files[metadata])
    status, found = examine(bare, "toy", PYTHONPATH=str(write(tmp_path, files)))
    assert (status, found["state"]) == (0, "works")
    assert "toyframe does not say which release it is" in found["problem"]


def test_two_distributions_that_claim_one_name(bare, tmp_path):
    path = write(tmp_path, {**TOY, **rival("toy")})
    status, found = examine(bare, "toy", PYTHONPATH=str(path))
    assert (status, found["state"]) == (0, "works")
    packages = {"d2lconv_toy": "d2lconv-toy", "d2lconv_rival": "d2lconv-rival"}
    (used,) = re.findall(r"; (\w+) is used", found["problem"])
    del packages[used]
    ((other, owner),) = packages.items()
    assert f"{other} (of {owner}) offers a backend 'toy' too" in found["problem"]
    assert found["remedy"] == f"pip uninstall {owner}"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("import os; os.abort()", "d2lconv_toy:manifest crashes Python with signal 6 (SIGABRT)"),
        ("raise ValueError('half installed')", "raised ValueError: half installed"),
        ("manifest = {'name': 'toy'}", "d2lconv_toy:manifest is a dict, and no Manifest"),
        ("import sys; sys.exit(3)", "d2lconv_toy:manifest raised SystemExit: 3"),
    ],
    ids=["crashes", "raises", "is none", "exits"],
)
def test_a_package_that_announces_a_backend_and_has_none(bare, tmp_path, line, words):
    path = write(tmp_path, {**TOY, "d2lconv_toy/__init__.py": line})
    done = bare.d2lconv("doctor", "--json", PYTHONPATH=str(path))
    assert told(done.stderr) == ""
    found = {diagnosis["name"]: diagnosis for diagnosis in json.loads(done.stdout)}
    assert done.returncode == 1
    assert found["toy"]["state"] == "broken"
    assert words in found["toy"]["problem"]
    assert found["toy"]["remedy"] == "pip uninstall d2lconv-toy"
    assert found["numpy"]["state"] == "works"
    assert len(found) == len(STATUS) + 2  # nobody else is harmed


@pytest.mark.parametrize("part", ["tensors", "methods", "layers", "learning"])
def test_a_backend_whose_import_crashes_the_interpreter(bare, tmp_path, part):
    files = {**TOY, f"d2lconv_toy/{part}.py": "import os; os.abort()"}
    status, found = examine(bare, "toy", PYTHONPATH=str(write(tmp_path, files)))
    assert (status, found["state"]) == (1, "broken")
    assert found["problem"] == "it crashed with signal 6 (SIGABRT)"
    assert found["remedy"] == "pip install toyframe"


def test_a_module_of_a_package_that_is_not_there_is_missing_and_no_error(tmp_path):
    manifest = TOY["d2lconv_toy/__init__.py"].replace('("toyframe",), al', '("no.such",), al')
    child = python(
        "import d2lconv as dc; print([b.problem for b in dc.backends() if b.name == 'toy'])",
        path=write(tmp_path, {**TOY, "d2lconv_toy/__init__.py": manifest}),
    )
    assert "there is no module no.such" in child.stdout


# The surroundings: terminals, encodings, permissions.


def surroundings(done):
    (found,) = [each for each in json.loads(done.stdout) if each["name"] == "python"]
    assert found["state"] == "works"
    return found["problem"], found["remedy"]


@posix
@pytest.mark.skipif(sys.platform != "linux", reason="privileges are dropped as on Linux")
def test_a_folder_that_takes_no_files(bare, tmp_path):
    folder = read_only(tmp_path / "closed")
    command = [str(bare.python), "-m", "d2lconv"]
    options = {"cwd": folder, "preexec_fn": without_privileges, "capture_output": True}
    done = subprocess.run([*command, "doctor", "--json"], text=True, **options)
    problem, remedy = surroundings(done)
    assert "the current folder takes no new files" in problem
    assert "give --html, --json and --save another one" in remedy
    for option in ("--html", "--json", "--save"):
        done = subprocess.run([*command, "parity", option, "a"], text=True, **options)
        assert done.returncode == 2
        assert "the folder . takes no new files. Give another place." in done.stderr
    done = subprocess.run([*command, "lesson", "slides", "s"], text=True, **options)
    assert done.returncode == 2
    assert done.stderr.startswith("d2lconv: ")
    assert done.stderr.count("\n") == 1


ASCII = [
    {"PYTHONIOENCODING": "ascii"},
    {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
]


@pytest.mark.parametrize("variables", ASCII, ids=["encoding", "locale"])
def test_an_encoding_that_lacks_most_characters(bare, variables):
    done = bare.d2lconv("doctor", "--json", **variables)
    problem, remedy = surroundings(done)
    assert "and what that lacks is printed as ?" in problem
    assert "set PYTHONIOENCODING=utf-8" in remedy
    commands = (
        ["doctor"],
        ["run"],
        ["parity", "-b", "numpy", "--case", "\u00e4"],
        ["exercise", "solution", "3"],
        ["walk"],
    )
    for command in commands[:: 1 if "PYTHONIOENCODING" in variables else 3]:
        done = bare.d2lconv(*command, **variables)
        assert "UnicodeEncodeError" not in done.stderr, command
        assert "Traceback" not in done.stderr, command
        assert done.returncode in (0, 1, 2)
        assert (done.stdout + done.stderr).isascii()
        assert done.stdout or done.returncode == 2


def test_no_terminal_is_reported_and_gets_no_colours(bare):
    done = bare.d2lconv("doctor", "--json", COLUMNS="100")
    problem, remedy = surroundings(done)
    assert "output goes to no terminal: no colours, no progress, 100 columns" in problem
    assert "set COLUMNS" in remedy
    assert "\x1b" not in bare.d2lconv("run", "-b", "numpy").stdout


@posix
@pytest.mark.parametrize(("variables", "colours"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_a_narrow_terminal_with_and_without_colours(variables, colours):
    status, written = pty(["run", "-b", "numpy"], 40, **variables)
    assert status == 0
    assert ("\x1b[36m" in written) == colours  # the names of results are cyan
    plain = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", written)
    lines = [line.rpartition("\r")[2] for line in plain.replace("\r\n", "\n").split("\n")]
    assert max(map(len, lines)) <= 40
    status, written = pty(["doctor", "-b", "numpy"], 40, **variables)
    assert status == 0
    assert "works" in written


@posix
def test_the_doctor_tells_of_a_narrow_terminal(bare):
    done = bare.d2lconv("doctor", "--json", COLUMNS="40")
    problem, remedy = surroundings(done)
    assert "the terminal is 40 wide, so tables are split" in problem
    assert "make it wider" in remedy
