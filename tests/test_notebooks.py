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
from d2lconv.notebook.library import Inliner, Library

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "notebooks"
FRAMEWORKS = ("numpy", "jax", "mxnet", "torch", "tf")
NOTEBOOKS = (*FRAMEWORKS, build.TOGETHER)
CELLS = lesson.read(FOLDER / lesson.SOURCE)


def d2lconv(*arguments, cwd=ROOT, **variables):
    return subprocess.run(
        [sys.executable, "-m", "d2lconv", *arguments],
        capture_output=True,
        text=True,
        cwd=cwd,
        env={**os.environ, "COLUMNS": "100", "NO_COLOR": "1", **variables},
        timeout=600,
    )


def libraries(name):
    return [Library(framework) for framework in (FRAMEWORKS if name == build.TOGETHER else [name])]


def committed(name):
    return build.load(FOLDER / f"{name}.ipynb")


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


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_is_valid_and_says_nothing_of_the_machine(name):
    text = (FOLDER / f"{name}.ipynb").read_text(encoding="utf-8")
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


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_every_cell_of_code_was_run_in_order(name):
    counts = [cell.execution_count for cell in committed(name).cells if cell.cell_type == "code"]
    assert counts == list(range(1, len(counts) + 1))


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_without_outputs_is_what_is_built_to_the_byte(name):
    assert list(check.structure(committed(name), build.notebook(CELLS, libraries(name)))) == []
    built = [build.text(build.notebook(CELLS, libraries(name))) for _ in range(2)]
    assert built[0] == built[1] == build.text(bare(committed(name)))


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_the_code_in_a_notebook_is_the_librarys_own(name):
    proven = 0
    parts = code(committed(name))
    for framework in FRAMEWORKS if name == build.TOGETHER else [name]:
        defined = {}
        for owner, part in parts:
            if owner in ("", framework):
                for node in ast.parse(part).body:
                    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                        defined.setdefault(node.name, node)
        for cell in CELLS:
            if cell.shown_to(framework):
                for path in build.SOURCE.findall(cell.text):
                    module, function = Library(framework).find(path)
                    own = ast.dump(module.definition(function))
                    assert ast.dump(defined[function]) == own, f"{framework}: {path}"
                    proven += 1
    each = 5 if name == "numpy" else 6
    assert proven == (29 if name == build.TOGETHER else each)


@pytest.mark.parametrize("name", FRAMEWORKS)
def test_the_exact_form_the_layer_and_the_loop_are_all_in_the_lesson(name):
    defined = [
        node.name
        for _, part in code(committed(name))
        for node in ast.parse(part).body
        if isinstance(node, (ast.FunctionDef, ast.ClassDef))
    ]
    for wanted in ("corr2d_loop", "corr2d_exact", "Conv2D", "learn_kernel", "gradient"):
        assert defined.count(wanted) == 1


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_every_exercise_has_a_place_to_work_a_hint_a_folded_solution_and_a_verdict(name):
    notebook = committed(name)
    sources = [cell.source for cell in notebook.cells]
    outputs = "\n".join(text for cell in notebook.cells for _, text in check._parts(cell)
                        if cell.cell_type == "code")  # fmt: skip
    for item in dc.exercises.values():
        start = next(i for i, text in enumerate(sources) if f"### Exercise {item.id}:" in text)
        asked, place, solved = sources[start : start + 3]
        assert item.statement in asked
        assert f"<summary>A hint</summary>\n\n{item.hint}" in asked
        assert f'dc.check("{item.id}", answer)' in place
        assert f"<details>\n<summary>A solution</summary>\n\n{item.explanation}" in solved
        assert re.search(rf"^{item.id} +Right\.", outputs, re.M), item.id


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_every_picture_has_words_for_those_who_cannot_see_it(name):
    for cell in committed(name).cells:
        for output in cell.get("outputs", []):
            if "image/png" in output.get("data", {}):
                assert output.metadata["image/png"]["alt"]


def test_side_by_side_every_verdict_is_there_and_none_is_a_bug():
    text = "\n".join(
        part
        for cell in committed(build.TOGETHER).cells
        if cell.cell_type == "code"
        for kind, part in check._parts(cell)
        if kind == "table"
    )
    wanted = [cell for cell in CELLS if not cell.places & {"apart"}]
    same = sum(len(cell.options.get("same", [])) for cell in wanted)
    within = sum(len(cell.options.get("within", {})) for cell in wanted)
    assert (same, within) == (17, 2)
    assert text.count("✓ identical in NumPy, JAX, MXNet, PyTorch, TensorFlow") >= same
    assert text.count("≈ rounding") + text.count("✓ identical") == same + within
    assert "✗" not in text


def test_exercise_3_shows_what_each_framework_does():
    shown = {name: "".join(t for c in committed(name).cells if c.cell_type == "code"
                           and "attempt(corr2d_loop)" in c.source for _, t in check._parts(c))
             for name in FRAMEWORKS}  # fmt: skip
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
        assert f"{each}.ipynb" in text


# That they are true.


def test_a_notebook_run_again_shows_the_same(backend):
    done = d2lconv("lesson", "check", "-b", backend)
    assert (done.returncode, done.stdout) == (0, f"{backend}.ipynb: agrees\n"), done.stdout


def test_the_notebook_of_all_frameworks_run_again_shows_the_same():
    for name in FRAMEWORKS:
        demand(name)
    done = d2lconv("lesson", "check", "-b", "side_by_side")
    assert (done.returncode, done.stdout) == (0, "side_by_side.ipynb: agrees\n"), done.stdout


RUN = """
import sys
from d2lconv.notebook import build, execute, lesson
from d2lconv.notebook.library import Library
cells = [lesson.Cell("code", text) for text in sys.argv[1:]]
cells = cells or lesson.read(lesson.folder() / lesson.SOURCE)
notebook = build.notebook(cells, [Library("numpy")])
execute.execute(notebook)
print(build.text(notebook))
"""


def test_two_runs_give_the_same_bytes():
    assert python(RUN).stdout == python(RUN).stdout


def test_a_cell_that_raises_is_told():
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
        ("ops.py", "kh, kw = K.shape", "kw, kh = K.shape"),
        ("ops.py", "power_of_two(side)", "power_of_two(side + 1)"),
        ("layers.py", '"""The convolutional layer', '"""A convolutional layer'),
        ("learning.py", "rate * ", "2 * rate * "),
    ]:
        copy = tmp_path / f"{file}-{len(new)}"
        shutil.copytree(folder, copy)
        text = (copy / file).read_text(encoding="utf-8")
        if old not in text:
            assert name == "mxnet"  # it has no Fourier transform
            continue
        (copy / file).write_text(text.replace(old, new), encoding="utf-8")
        changed = build.notebook(CELLS, [Library(name, copy)])
        assert list(check.structure(committed(name), changed))


def test_a_changed_backend_makes_the_command_fail(tmp_path):
    shutil.copytree(Library("numpy").folder, tmp_path / "d2lconv_numpy")
    ops = tmp_path / "d2lconv_numpy" / "ops.py"
    text = ops.read_text(encoding="utf-8")
    ops.write_text(text.replace("Y = X[:H, :W] * K[first]", "Y = X[:H, :W] * K[first] + 1"))
    done = d2lconv("lesson", "check", "-b", "numpy", PYTHONPATH=str(tmp_path))
    assert done.returncode == 1
    assert "numpy.ipynb: the backend 'numpy' has changed" in done.stdout
    assert "+    Y = X[:H, :W] * K[first] + 1" in done.stdout


def test_a_changed_output_is_found():
    then, now = committed("numpy"), committed("numpy")
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
    inliner.inline(["ops.corr2d_exact"])
    from d2lconv.notebook.library import Origin

    inliner.known["np"] = Origin("somewhere", "else")
    with pytest.raises(ArgumentError, match="calls something else so"):
        inliner.inline(["ops.tree_sum"])


def test_nothing_is_imported_twice():
    inliner = Inliner(Library("numpy"))
    assert "import numpy as np" in inliner.inline(["ops.corr2d_exact"])
    assert "import" not in inliner.inline(["ops.corr2d_loop"])


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ("```{code-cell} ipython3\n:tags: [pytorch]\nx\n```", "unknown tag 'pytorch'"),
        ("```{code-cell} ipython3\n:sam: [Y]\nx\n```", "unknown option 'sam'"),
        ("Words.\n\n```{exercise} 1a\n```", "want a cell of their own"),
    ],
)
def test_a_slip_in_the_source_is_told(tmp_path, cell, words):
    head = (FOLDER / lesson.SOURCE).read_text(encoding="utf-8").partition("+++")[0]
    (tmp_path / lesson.SOURCE).write_text(f"{head}\n{cell}\n", encoding="utf-8")
    with pytest.raises(ArgumentError, match=words):
        lesson.read(tmp_path / lesson.SOURCE)


def test_a_function_that_is_not_there_is_told():
    with pytest.raises(ArgumentError, match="defines no function or class 'corr3d'"):
        Inliner(Library("numpy")).inline(["ops.corr3d"])
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


def test_an_unknown_backend_is_told():
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


def test_the_folder_holds_these_notebooks_and_no_others():
    assert {path.stem for path in FOLDER.glob("*.ipynb")} == set(NOTEBOOKS)
