"""The notebooks: made from one source and the library's own code, and true when run again."""

import ast
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from children import python
from chosen import STATUS, demand

import d2lconv as dc
from d2lconv.errors import ArgumentError
from d2lconv.notebook import REPOSITORY, build, check, columns, lesson
from d2lconv.notebook.library import Imports, Inliner, Library

pytestmark = pytest.mark.slow(reason="it builds and runs notebooks")

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "notebooks"
FRAMEWORKS = ("numpy", "jax", "mxnet", "torch", "tf")
LESSONS = {each.name: each for each in lesson.lessons()}
FIRST = LESSONS["conv_layer"]
NOTEBOOKS = [f"{each}/{name}" for each in LESSONS for name in (*FRAMEWORKS, build.TOGETHER)]


def d2lconv(*arguments, cwd=ROOT, **variables):
    return subprocess.run(
        [sys.executable, "-m", "d2lconv", *arguments],
        capture_output=True,
        text=True,
        cwd=cwd,
        env={**os.environ, "COLUMNS": "100", "NO_COLOR": "1", **variables},
        timeout=600,
    )


def frameworks(path):
    """The backends of a notebook."""
    name = path.rpartition("/")[2]
    return FRAMEWORKS if name == build.TOGETHER else [name]


def fresh(path):
    """A notebook as it is built now, and its lesson."""
    taught = LESSONS[path.partition("/")[0]]
    return build.notebook(taught, [Library(name) for name in frameworks(path)]), taught


def committed(path):
    return build.load(FOLDER / f"{path}.ipynb")


def code(notebook):
    """The Python in a notebook's cells, for each backend; "" is the kernel's own."""
    found = []
    for cell in notebook.cells:
        if cell.cell_type == "code" and "%pip" not in cell.source:
            magic, _, body = cell.source.partition("\n")
            parts = {"": cell.source}
            if magic.startswith("%%columns"):
                parts = columns.split(body)
                if "" in parts:
                    parts = dict.fromkeys(FRAMEWORKS, parts[""])
            found += [(name, re.sub("^%.*$", "", part, flags=re.M)) for name, part in parts.items()]
    return found


def bare(notebook):
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return notebook


# What they are.


@pytest.mark.parametrize("path", NOTEBOOKS)
def test_a_notebook_is_valid_and_says_nothing_of_the_machine(path):
    text = (FOLDER / f"{path}.ipynb").read_text(encoding="utf-8")
    notebook = nbformat.reads(text, as_version=4)
    nbformat.validate(notebook)
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
    ids = [cell.id for cell in notebook.cells]
    assert len(ids) == len(set(ids))
    pixels = re.compile(r"[A-Za-z0-9+/=]{200,}")
    words = pixels.sub("", text)
    for machine in ("/home/", "/root", "/tmp", "site-packages", "iopub", "timestamp", "0x7f"):
        assert machine not in words, machine
    streams = [o.name for c in notebook.cells for o in c.get("outputs", []) if "name" in o]
    assert set(streams) == {"stdout"}
    assert not [o for c in notebook.cells for o in c.get("outputs", []) if "ename" in o]
    assert build.text(notebook) == text


@pytest.mark.parametrize("path", NOTEBOOKS)
def test_every_cell_of_code_was_run_in_order(path):
    counts = [cell.execution_count for cell in committed(path).cells if cell.cell_type == "code"]
    assert counts == list(range(1, len(counts) + 1))


@pytest.mark.parametrize("path", NOTEBOOKS)
def test_a_notebook_without_outputs_is_what_is_built_to_the_byte(path):
    assert list(check.structure(committed(path), fresh(path)[0])) == []
    built = [build.text(fresh(path)[0]) for _ in range(2)]
    assert built[0] == built[1] == build.text(bare(committed(path)))


@pytest.mark.parametrize("path", NOTEBOOKS)
def test_the_code_in_a_notebook_is_the_librarys_own(path):
    shown = []
    parts = code(committed(path))
    for framework in frameworks(path):
        defined = {}
        for owner, part in parts:
            if owner in ("", framework):
                for node in ast.parse(part).body:
                    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                        defined.setdefault(node.name, node)
        for cell in fresh(path)[1].cells:
            if cell.shown_to(framework):
                for source in build.SOURCE.findall(cell.text):
                    module, function = Library(framework).find(source)
                    own = ast.dump(module.definition(function))
                    assert ast.dump(defined[function]) == own, f"{framework}: {source}"
                    shown.append(source)
    assert len(shown) >= len(frameworks(path))


@pytest.mark.parametrize("name", FRAMEWORKS)
def test_the_exact_form_the_layer_and_the_loop_are_all_in_the_lesson(name):
    defined = [
        node.name
        for _, part in code(committed(f"conv_layer/{name}"))
        for node in ast.parse(part).body
        if isinstance(node, (ast.FunctionDef, ast.ClassDef))
    ]
    for wanted in ("corr2d", "shift_and_add", "Conv2D", "learn_kernel", "gradient"):
        assert defined.count(wanted) == 1


@pytest.mark.parametrize("path", NOTEBOOKS)
def test_every_exercise_has_a_place_to_work_a_hint_a_folded_solution_and_a_verdict(path):
    notebook = committed(path)
    sources = [cell.source for cell in notebook.cells]
    outputs = "\n".join(text for cell in notebook.cells for _, text in check._parts(cell)
                        if cell.cell_type == "code")  # fmt: skip
    for name in fresh(path)[1].exercises:
        item = dc.exercises[name]
        start = next(i for i, text in enumerate(sources) if f"### Exercise {item.id}:" in text)
        asked, place, solved = sources[start : start + 3]
        assert item.statement in asked
        assert f"<summary>A hint</summary>\n\n{item.hint}" in asked
        assert f'dc.check("{item.id}", answer)' in place
        assert f"<details>\n<summary>A solution</summary>\n\n{item.explanation}" in solved
        assert re.search(rf"^{re.escape(item.id)} +(Right|Compare|True)\b", outputs, re.M), item.id


@pytest.mark.parametrize("path", NOTEBOOKS)
def test_every_picture_has_words_for_those_who_cannot_see_it(path):
    for cell in committed(path).cells:
        for output in cell.get("outputs", []):
            if "image/png" in output.get("data", {}):
                assert output.metadata["image/png"]["alt"]


@pytest.mark.parametrize("name", LESSONS)
def test_side_by_side_every_verdict_is_there_and_none_is_a_bug(name):
    text = "\n".join(
        part
        for cell in committed(f"{name}/{build.TOGETHER}").cells
        if cell.cell_type == "code"
        for kind, part in check._parts(cell)
        if kind == "table"
    )
    # Cells for some frameworks each, one after the other, are one cell of columns there.
    cells = LESSONS[name].cells
    wanted = [c for c in cells if not c.places & {"apart"} and c.shown_to("numpy")]
    same = sum(len(cell.options.get("same", [])) for cell in wanted)
    within = sum(len(cell.options.get("within", {})) for cell in wanted)
    assert same > 3
    assert text.count("✓ identical in NumPy, JAX, MXNet, PyTorch, TensorFlow") >= same
    assert text.count("≈ rounding") + text.count("✓ identical") == same + within
    assert "✗" not in text


def test_exercise_3_shows_what_each_framework_does():
    shown = {
        name: "".join(
            text
            for cell in committed(f"conv_layer/{name}").cells
            if cell.cell_type == "code" and "attempt(corr2d)" in cell.source
            for _, text in check._parts(cell)
        )
        for name in FRAMEWORKS
    }
    assert shown["torch"] == shown["jax"] == "[[8.0, 12.0], [20.0, 24.0]]\n"
    assert shown["tf"] == "None\n"
    assert "Inplace operations" in shown["mxnet"]
    assert "NotImplementedError" in shown["numpy"]


def test_badges_and_the_install_cell_know_one_repository():
    account, _, name = REPOSITORY.partition("/")
    assert name == "d2lconv"
    for each in NOTEBOOKS:
        text = (FOLDER / f"{each}.ipynb").read_text(encoding="utf-8")
        assert text.count(f"{account}/d2lconv") == 4
        assert f"notebooks/{each}.ipynb" in text


# That they are true.


@pytest.mark.parametrize("name", LESSONS)
def test_a_notebook_run_again_shows_the_same(backend, name):
    done = d2lconv("lesson", "check", name, "-b", backend)
    wanted = (0, f"{name}/{backend}.ipynb: agrees\n")
    assert (done.returncode, done.stdout) == wanted, done.stdout


@pytest.mark.parametrize("name", LESSONS)
@pytest.mark.together
def test_the_notebook_of_all_frameworks_run_again_shows_the_same(name):
    for framework in FRAMEWORKS:
        demand(framework)
    done = d2lconv("lesson", "check", name, "-b", "side_by_side")
    wanted = (0, f"{name}/side_by_side.ipynb: agrees\n")
    assert (done.returncode, done.stdout) == wanted, done.stdout


RUN = """
import sys
from dataclasses import replace
from d2lconv.notebook import build, execute, lesson
from d2lconv.notebook.library import Library
taught = lesson.find("conv_layer")
if sys.argv[1:]:
    taught = replace(taught, cells=[lesson.Cell("code", text) for text in sys.argv[1:]])
notebook = build.notebook(taught, [Library("numpy")])
execute.execute(notebook)
print(build.text(notebook))
"""


def test_two_runs_give_the_same_bytes():
    assert python(RUN).stdout == python(RUN).stdout


def test_a_cell_that_raises_is_reported():
    child = python(RUN, "# the first", "1 / 0", check=False)
    assert "NotebookFailed: a cell raised ZeroDivisionError: division by zero" in child.stderr


def test_what_a_cell_writes_to_stderr_is_left_out():
    code = "import sys; print('kept'); print('noise', file=sys.stderr); print('kept too')"
    shown = python(RUN, "# the first", code).stdout
    assert '"kept\\n",\n      "kept too\\n"' in shown
    assert '"name": "stderr"' not in shown


@pytest.mark.parametrize("name", FRAMEWORKS)
def test_a_change_of_any_line_of_a_backend_is_noticed(name, tmp_path):
    """In a function that the notebook shows, in one that it does not, and in a comment."""
    folder = Library(name).folder
    for file, old, new in [
        ("scratch.py", "kh, kw = K.shape", "kw, kh = K.shape"),
        ("methods.py", "power_of_two(side)", "power_of_two(side + 1)"),
        ("layers.py", '"""The layers in', '"""Layers in'),
        ("learning.py", "rate, epochs", "2 * rate, epochs"),
    ]:
        copy = tmp_path / f"{file}-{len(new)}"
        shutil.copytree(folder, copy)
        text = (copy / file).read_text(encoding="utf-8")
        if old not in text:
            assert name == "mxnet"  # it has no Fourier transform
            continue
        (copy / file).write_text(text.replace(old, new), encoding="utf-8")
        changed = build.notebook(FIRST, [Library(name, copy)])
        assert list(check.structure(committed(f"conv_layer/{name}"), changed))


def test_a_changed_backend_makes_the_command_fail(tmp_path):
    shutil.copytree(Library("numpy").folder, tmp_path / "d2lconv_numpy")
    scratch = tmp_path / "d2lconv_numpy" / "scratch.py"
    text = scratch.read_text(encoding="utf-8")
    scratch.write_text(text.replace("Y = X[:H, :W] * K[0, 0]", "Y = X[:H, :W] * K[0, 0] + 1"))
    done = d2lconv("lesson", "check", "conv_layer", "-b", "numpy", PYTHONPATH=str(tmp_path))
    assert done.returncode == 1
    assert "conv_layer/numpy.ipynb: the backend 'numpy' has changed" in done.stdout
    assert "+    Y = X[:H, :W] * K[0, 0] + 1" in done.stdout


def test_a_changed_output_is_found():
    then, now = committed("conv_layer/numpy"), committed("conv_layer/numpy")
    (cell,) = [cell for cell in now.cells if 'weights")' in cell.source and "dense" in cell.source]
    cell.outputs[0].text = cell.outputs[0].text.replace("3,000,000", "3,000,001")
    (problem,) = check.outputs(then, now)
    assert "3000001" in problem.replace(",", "") or "bug" in problem


@pytest.mark.parametrize(
    ("now", "then", "rounding", "same"),
    [
        ("loss 16.678", "loss 16.678", False, True),
        ("loss 16.679", "loss 16.678", False, False),
        ("loss 16.679", "loss 16.678", True, True),
        ("loss 16.680", "loss 16.678", True, False),
        ("loss  9.999", "loss 10.000", True, True),
        ("less 16.678", "loss 16.678", True, False),
        ("1.5e-07", "1.6e-07", True, True),
        ("1.5e-07", "1.7e-07", True, False),
        ("[1, 2]", "[1, 2, 3]", True, False),
        ("a  b", "a b", False, False),
        ("exact: ✓ identical in JAX", "exact: ≈ rounding in JAX", True, True),
        ("the loop: identical", "the loop: rounding", False, False),
        ("the loop: bug", "the loop: rounding", True, False),
    ],
)
def test_texts_are_the_same_but_for_a_last_digit_where_that_is_allowed(now, then, rounding, same):
    assert (check.texts(now, then, rounding) is None) == same


def test_pictures_are_compared_by_what_they_show():
    import base64
    import io

    import numpy as np
    from PIL import Image

    def picture(level, **options):
        file = io.BytesIO()
        Image.fromarray(np.full((4, 4, 3), level, np.uint8)).save(file, "png", **options)
        return base64.b64encode(file.getvalue()).decode()

    assert check.pictures(picture(100), picture(100, compress_level=0)) is None
    assert check.pictures(picture(100), picture(101)) is None
    assert "bug" in check.pictures(picture(100), picture(102))


# The builder.


def test_a_name_that_means_two_things_is_an_error():
    inliner = Inliner(Library("numpy"))
    inliner.inline(["scratch.corr2d"])
    from d2lconv.notebook.library import Origin

    inliner.known["np"] = Origin("somewhere", "else")
    with pytest.raises(ArgumentError, match="calls something else so"):
        inliner.inline(["scratch.pool2d"])


def test_nothing_is_imported_twice():
    inliner = Inliner(Library("numpy"))
    assert "import numpy as np" in inliner.inline(["scratch.corr2d"])
    assert "import" not in inliner.inline(["scratch.pool2d"])


@pytest.mark.parametrize("name", LESSONS)
def test_imports_stand_once_at_the_beginning(name):
    """In the first cell that needs any, after the one that installs; side by side, in columns."""
    taught = LESSONS[name]
    for backends in [[each] for each in taught.backends] + [taught.backends]:
        made = build.notebook(taught, [Library(each) for each in backends]).cells
        code = [cell.source for cell in made if cell.cell_type == "code"]
        importing = [
            number for number, text in enumerate(code) if re.search("^(import|from) ", text, re.M)
        ]
        install = next(n for n, text in enumerate(code) if "%pip install" in text)
        alone = len(backends) == 1
        assert importing == [install, install + 1] + ([] if alone else [install + 2])
        assert ("%load_ext d2lconv.notebook" in code[install + 1]) != alone
        assert "%load_ext" not in code[install]


def test_an_import_that_gives_a_known_name_to_something_else_stays():
    imports = Imports()
    code = "import numpy as np\nfrom torch import (\n    Tensor,\n    nn,\n)\n\n%timeit np.ones(1)"
    assert imports.lift(code) == "%timeit np.ones(1)"
    assert imports.lift("from mxnet import np\nnp.ones(1)") == "from mxnet import np\nnp.ones(1)"
    assert imports.code == "import numpy as np\nfrom torch import Tensor, nn"


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ("```{code-cell} ipython3\n:tags: [pytorch]\nx\n```", "unknown tag 'pytorch'"),
        ("```{code-cell} ipython3\n:sam: [Y]\nx\n```", "unknown option 'sam'"),
        ("Words.\n\n```{exercise} 1a\n```", "want a cell of their own"),
    ],
)
def test_a_slip_in_the_source_is_reported(tmp_path, cell, words):
    head = (FIRST.folder / lesson.SOURCE).read_text(encoding="utf-8").partition("+++")[0]
    (tmp_path / lesson.SOURCE).write_text(f"{head}\n{cell}\n", encoding="utf-8")
    with pytest.raises(ArgumentError, match=words):
        lesson.read(tmp_path)


@pytest.mark.parametrize(
    ("old", "new"), [("  title: ", "  name: "), ('"7.2"', "7.2"), ("lesson:\n", "taught:\n")]
)
def test_a_lesson_that_does_not_say_what_it_is_is_reported(tmp_path, old, new):
    text = (FIRST.folder / lesson.SOURCE).read_text(encoding="utf-8")
    (tmp_path / lesson.SOURCE).write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ArgumentError, match="title, section, address, about, first"):
        lesson.read(tmp_path)


def test_a_lesson_is_a_folder(tmp_path, monkeypatch):
    """Nothing else has to know of it."""
    for name, section in (("later", "7.10"), ("earlier", "7.9")):
        text = (FIRST.folder / lesson.SOURCE).read_text(encoding="utf-8")
        (tmp_path / name).mkdir()
        (tmp_path / name / lesson.SOURCE).write_text(text.replace("7.2", section, 1))
    monkeypatch.setattr(lesson, "folder", lambda: tmp_path)
    assert [each.name for each in lesson.lessons()] == ["earlier", "later"]
    assert lesson.find("later").section == "7.10"
    with pytest.raises(ArgumentError, match="did you mean 'later'"):
        lesson.find("lately")


def test_a_function_that_is_not_there_is_reported():
    with pytest.raises(ArgumentError, match="defines no function or class 'corr3d'"):
        Inliner(Library("numpy")).inline(["scratch.corr3d"])
    with pytest.raises(ArgumentError, match="has no module 'opps'"):
        Inliner(Library("numpy")).inline(["opps.corr2d"])


# The command.


def test_outside_a_checkout_the_command_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(dc, "__file__", str(tmp_path / "d2lconv" / "__init__.py"))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ArgumentError, match="in a checkout of the repository"):
        lesson.folder()


def test_without_the_extra_the_command_says_what_to_install(tmp_path):
    (tmp_path / "jupytext.py").write_text("raise ModuleNotFoundError(name='jupytext')")
    done = d2lconv("lesson", "check", "-b", "numpy", PYTHONPATH=str(tmp_path))
    assert done.returncode == 2
    assert 'jupytext, which is not installed. Run: pip install "d2lconv[notebooks]"' in done.stderr
    assert "Traceback" not in done.stderr


def test_lessons_are_listed_without_what_builds_them(tmp_path):
    for name in ("jupytext", "nbformat", "IPython", "nbclient"):
        (tmp_path / f"{name}.py").write_text(f"raise ModuleNotFoundError(name={name!r})")
    done = d2lconv("lesson", "list", PYTHONPATH=str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert [line.split()[0] for line in done.stdout.splitlines()] == list(LESSONS)


def test_an_unknown_backend_is_reported():
    done = d2lconv("lesson", "build", "-b", "tensorflw")
    assert done.returncode == 2
    assert "did you mean 'tensorflow'" in done.stderr


# Columns.


class Shell:
    """As much of IPython as the magic needs."""

    def __init__(self):
        self.user_ns = {}


@pytest.fixture
def shown(monkeypatch):
    found = []
    monkeypatch.setattr(columns, "display", lambda html: found.append(html.data))
    return found


@pytest.mark.together
def test_columns_run_every_framework_in_a_namespace_of_its_own(shown):
    installed = [status for status in STATUS.values() if status.installed]
    cells = columns.Columns(Shell())
    cells.run("--same Y --collect Y", "Y = d2l.corr2d([[1, 2]], [[1, 1]])\nprint('done')\nY")
    (table,) = shown
    assert table.count("done") == len(installed) + 1  # the code is shown once
    assert set(cells.shell.user_ns["Y"]) == {status.framework for status in installed}
    assert ("nothing to compare" if len(installed) == 1 else "✓ identical") in table


def test_columns_tell_a_bug(shown, framework):
    cells = columns.Columns(Shell())
    cells.run("--same Y", f"# %% numpy\nY = d2l.tensor([[1]])\n# %% {framework}\nY = [[2]]")
    assert "✗ bug" in shown[0]
    assert "2.0 is not 1.0" in shown[0]


def test_columns_tell_rounding(shown, framework):
    cells = columns.Columns(Shell())
    setup = "X, K = d2l.tensor([[0.1, 0.2, 0.3]]), d2l.tensor([[1, 1, 1]])\nY = d2l.tensor([[{}]])"
    parts = [f"# %% numpy\n{setup.format(0.6)}", f"# %% {framework}\n{setup.format(0.6000001)}"]
    cells.run("--within Y X K", "\n".join(parts))
    assert "≈ rounding" in shown[0]


def test_an_error_in_a_column_is_the_cells_error(shown):
    with pytest.raises(ZeroDivisionError):
        columns.Columns(Shell()).run("", "# %% numpy\n1 / 0")
    assert not shown


def test_the_folders_hold_these_notebooks_and_no_others():
    there = {
        path.relative_to(FOLDER).with_suffix("").as_posix() for path in FOLDER.rglob("*.ipynb")
    }
    assert there == set(NOTEBOOKS)
