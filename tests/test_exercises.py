"""The exercises: our solutions are right in every framework, and so are everybody else's."""

import os
import re
import subprocess
import sys
from importlib import import_module

import numpy as np
import pytest
from chosen import STATUS, demand

import d2lconv as dc
from d2lconv.exercise import find
from d2lconv.exercise.gradients import differentiate

K = [[1, -1]]
EYE = np.eye(4)
BLOCK = np.zeros((8, 8))
BLOCK[2:6, 2:6] = 1
SLANTED = (np.subtract.outer(0.4 * np.arange(9), np.arange(9)) > -3).astype(float)
ROUND = (np.hypot(*(np.indices((15, 15)) - 7)) < 5).astype(float)
SIXTH = np.array([1, 4, 1]) / 6


def rotated(v):
    """A derivative of a Gaussian, sampled in the direction v."""
    i, j = np.indices((9, 9)) - 4
    u = np.array(v) / np.hypot(*v)
    return (u[0] * i + u[1] * j) * np.exp(-(i**2 + j**2) / 4)


def bent(v):
    """The second derivative along v: it answers to edges, too, and to none along v."""
    i, j = np.indices((17, 17)) - 8
    p, bell = (v[0] * i + v[1] * j) / np.hypot(*v), np.exp(-(i**2 + j**2) / 4)
    return (p**2 - (bell * p**2).sum() / bell.sum()) * bell


def in_columns(X, size):
    X = np.asarray(X)
    windows = np.lib.stride_tricks.sliding_window_view(X, size)
    return windows.reshape(-1, size[0] * size[1])


def doubly_blocked(K, shape):
    K = np.asarray(K)
    rows = []
    for i, j in np.ndindex(shape[0] - K.shape[0] + 1, shape[1] - K.shape[1] + 1):
        row = np.zeros(shape)
        row[i : i + K.shape[0], j : j + K.shape[1]] = K
        rows.append(row.ravel())
    return np.array(rows)


def shift_and_add(X, K):
    H, W = X.shape[0] - K.shape[0] + 1, X.shape[1] - K.shape[1] + 1
    kh, kw = K.shape
    return sum(X[a : a + H, b : b + W] * K[a, b] for a in range(kh) for b in range(kw))


RIGHT = {
    "1a": [
        np.eye(2),
        np.eye(5)[::-1],
        np.tri(4),
        np.tri(3, 7),
        np.pad(np.eye(4), 3),
        ROUND,
        SLANTED,
        SLANTED.T,
        (EYE + EYE[::-1]).tolist(),
        1 / (1 + np.exp(np.subtract.outer(np.arange(9.0), np.arange(7.0)))),
    ],
    "1b": [
        lambda X: X[:, :-1] - X[:, 1:],
        lambda X: dc.corr2d(X, K),
        dc.corr2d(EYE, K),
        [[1], [-1]],
        (np.tri(4), dc.corr2d(np.tri(4), K)),
        [np.tri(4).tolist(), dc.corr2d(np.tri(4), K).tolist()],
    ],
    "1c": [
        lambda X: dc.corr2d(dc.transpose(X), K),
        dc.corr2d(EYE, K),
        (np.tri(4), dc.corr2d(np.tri(4).T, K)),
    ],
    "1d": [
        lambda X: X[:-1] - X[1:],
        dc.corr2d(EYE, K).T,
        (np.tri(4, 3), dc.corr2d(np.tri(4, 3), np.transpose(K))),
    ],
    "2a": [
        dc.kernels.directional,
        lambda v: dc.kernels.directional(v, size=2),
        lambda v: dc.kernels.directional(v, size=3, dtype="float16"),
        lambda v1, v2: [[0, v1, 0], [v2, 0, -v2], [0, -v1, 0]],
        lambda v: [[v[0] + v[1], -v[1]], [-v[0], 0]],
        lambda v: -7 * v[0] * dc.kernels.sobel(0) - 7 * v[1] * dc.kernels.sobel(1),
        lambda v: (
            (v / np.linalg.norm(v))[0] * np.float32([[-1], [0], [1]]) @ np.ones((1, 3))
            + (v / np.linalg.norm(v))[1] * np.ones((3, 1)) @ np.float32([[-1, 0, 1]])
        ),
        rotated,
        bent,
        ((0, 1), K),
        ((2, 0), [[1], [-1]]),
        ((1, 1), [[1, 0], [0, -1]]),
        ((0, 1), [1, 0, -1]),
        {(0, 1): K, (1, -1): [[0, 1], [-1, 0]]},
    ],
    "2b": [
        [1, -2, 1],
        [[1], [-2], [1]],
        [[-1, 2, -1]],
        np.array([-1, 16, -30, 16, -1]) / 12,
        [[1, 0, -2, 0, 1]],
        dc.kernels.laplacian(diagonals=True),
        dc.kernels.second_derivative,
        [[1, -2, 1], [4, -8, 4], [1, -2, 1]],
        [[1, -1], [-1, 1]],
        3,
        (1, 3),
        np.int64(3),
        {"kernel": [1, -2, 1], "size": (3, 1), "structure": BLOCK[:, 2:5] * 0 + [0, 1, 0]},
        {"structure": [[1, 1, 0, 1, 1]]},
        {"structure": np.diag([255, 255, 255])},
    ],
    "2c": [
        np.full((3, 3), 1 / 9),
        [[0.5, 0.5]],
        [0.25, 0.5, 0.25],
        [[0.9], [0.1]],
        np.outer(SIXTH, SIXTH),
        dc.kernels.box_blur,
        dc.kernels.gaussian_blur,
        dc.kernels.gaussian_blur(3.0, dtype="float16"),
        dc.kernels.box_blur(31),
        np.diag([0.25] * 4),
        [[0.5, 0, 0.5]],
    ],
    "2d": [
        lambda d: d + 1,
        lambda d: (1, d + 1),
        lambda d: float(d + 1),
        dc.kernels.derivative,
        {1: 2, 4: 5},
        [2, 3, 4, 5],
        np.arange(2, 9),
        [[1, -1], [1, -2, 1]],
        [(1, 2), (3, 1), 4],
    ],
    "4a": [
        in_columns,
        lambda X, size: in_columns(X, size).T,
        lambda X, kh, kw: in_columns(X, (kh, kw)),
        lambda X, K: (in_columns(X, K.shape), np.asarray(K).reshape(-1, 1)),
        lambda X, K: (in_columns(X, K.shape), np.asarray(K).ravel()),
        lambda X, K: (np.asarray(K).reshape(1, -1), in_columns(X, K.shape).T),
        lambda X, K: in_columns(X, K.shape) @ np.asarray(K).ravel(),
        lambda X, K: (in_columns(X, K.shape) @ np.asarray(K).ravel()).reshape(
            X.shape[0] - K.shape[0] + 1, -1
        ),
        dc.im2col,
        [[0, 1, 3, 4], [1, 2, 4, 5], [3, 4, 6, 7], [4, 5, 7, 8]],
        [[0, 3, 1, 4], [1, 4, 2, 5], [3, 6, 4, 7], [4, 7, 5, 8]],  # column by column
    ],
    "4b": [
        doubly_blocked,
        lambda K, shape: doubly_blocked(K, shape).T,
        lambda K, h, w: doubly_blocked(K, (h, w)),
        lambda K, X: (doubly_blocked(K, X.shape), np.asarray(X).ravel()),
        lambda X, K: doubly_blocked(K, X.shape) @ np.asarray(X).ravel(),
        lambda K, X: doubly_blocked(K, X.shape) @ np.asarray(X).reshape(-1, 1),
        dc.toeplitz,
        lambda K, shape: dc.toeplitz(K, shape, sparse=True),
        dc.toeplitz([[0, 1], [2, 3]], (3, 3)),
    ],
}

WRONG = {
    "1a": [
        (dc.edge_image(), "its edges are all vertical"),
        (dc.edge_image().T, "its edges are all horizontal"),
        (np.ones((4, 4)), "no edges"),
        (BLOCK, "no edge in it, where"),
        (np.add.outer(np.zeros(4), np.arange(5)), "all vertical"),
        ([1, 0, 1], r"should be an image, a matrix of numbers, and has the shape \(3,\)"),
        ([[1, 0, 1]], "vertical"),
        ("diagonal", "should be an image.* holds text"),
        (None, "should be an image"),
        ([[np.nan, 1], [1, 0]], "no finite numbers"),
        (np.zeros((0, 3)), r"shape \(0, 3\)"),
        ([[10**400]], "beyond the largest float64"),
    ],
    "1b": [
        (lambda X: X[:, 1:] - X[:, :-1], r"X = \[\[1, 0\], \[0, 1\]\] the element \(0, 0\) .* 1,"),
        (lambda X: X, r"result has the shape \(2, 1\), and yours \(2, 2\)"),
        (lambda X: X[:, :-1] * 0, "element"),
        (dc.corr2d(EYE, K).T, "shape"),
        ((np.tri(4), dc.corr2d(np.tri(4).T, K)), "element"),
        (lambda X: 1 / 0, r"<lambda>\(\[\[1, 0\], \[0, 1\]\]\) raises ZeroDivisionError"),
        (lambda: 3, "raises TypeError"),
        ([[1, [2]], 3], "is ragged"),
    ],
    "1c": [
        (lambda X: dc.corr2d(X, K), r"X = \[\[0, 1, 4\], \[9, 16, 25\]\] the result has the shape"),
        (lambda X: dc.transpose(dc.corr2d(X, K)), "element|shape"),
        (np.zeros((4, 3)), r"element \(0, 0\) of the result is 1, and in yours 0"),
    ],
    "1d": [
        (lambda X: dc.corr2d(X, K), "shape"),
        (dc.corr2d(EYE, K), "shape"),
        (lambda X: X[1:] - X[:-1], "element"),
    ],
    "2a": [
        (lambda v: K, r"For v = \(1, 0\)"),
        (
            lambda v: dc.kernels.directional((v[1], v[0])),
            r"For v = \(0, 1\) .* Within one deg.* did you swap v1 and v2\?",
        ),
        (lambda v: dc.kernels.directional((-v[1], v[0])), r"For v = \(0, 1\)"),
        (lambda v: dc.kernels.directional((abs(v[0]), abs(v[1]))), r"For v = \(1, -1\)"),
        (lambda v: dc.kernels.directional((v[0], v[1] ** 3)), r"For v = \(1, 2\)"),
        (lambda v: dc.kernels.directional(np.round(v)), r"For v = \(0.6, -0.8\)"),
        (lambda v: [[v[0], v[1]]], "constant image has no edges"),
        (lambda v: dc.kernels.laplacian(), "Within one degree"),
        (lambda v: np.zeros((3, 3)), "all zeros"),
        (lambda v: [[v[1], -v[1]]], r"v = \(1, 0\) your kernel is all zeros"),
        (((0, 1), dc.kernels.derivative(5)), "gets brighter along v"),
        (lambda v: np.ones((2, 3, 3)), r"shape \(2, 3, 3\)"),
        (lambda v: [[1 / 0]], "raises ZeroDivisionError"),
        (K, "should be a function that takes v"),
        (((0, 1), [[1], [-1]]), r"v = \(0, 1\)"),
        (((0, 0), K), "is no direction"),
        ({(1, 1): K}, r"v = \(1, 1\)"),
        ({"12": K}, "'12' is no direction"),
        ((("0", "1"), K), "is no direction"),
        (((10**400, 1), K), "is no direction"),
        (([1, [2]], K), "should be a function"),
        (((0, -1), [[0, 0], [0, 0]]), "all zeros"),
        (((0, -1), [[0, 0, 0]]), "all zeros"),
        ({}, "should be a function"),
    ],
    "2b": [
        ([[1, -1]], "A ramp has no second derivative|constant"),
        ([1, 2, 1], r"constant image .* X = \[\[1, 1, 1\]\] your kernel responds with 4"),
        ([1, -2, 2], "constant image"),
        ([-1, 0, 1], r"A ramp .* X = \[\[-1, 0, 1\]\] your kernel responds with 2"),
        ([-1, 3, -3, 1], "is 2, but your kernel responds with 0"),
        ([[0, 0, 0]], "all zeros"),
        (2, "2 is not enough"),
        (5, "not the smallest"),
        ((1, 2), "is not enough"),
        ((3, 3), "not the smallest"),
        ({"size": ("a", 3)}, r"\('a', 3\) is no number of elements"),
        ({"size": np.array([3, 3])}, "is no number of elements"),
        ({"structure": dc.edge_image()}, r"at most 1 .* one pixel wide, \[\[0, 1, 0\]\], gets 2"),
        ({"structure": np.ones((3, 3))}, "constant"),
        ({"structure": np.eye(2)}, "too small"),
        ({"kern": [1, -2, 1]}, "should have the keys kernel, size, structure"),
        ({}, "has none"),
        ("1 -2 1", "holds text"),
    ],
    "2c": [
        (np.ones((3, 3)), r"X = \[\[1, 1, 1\], .* responds with 9: its elements must add up to 1"),
        (dc.kernels.sharpen(), "darker than black"),
        ([[0, 0, 0], [0, 1, 0], [0, 0, 0]], "a single white pixel"),
        ([[1]], "single white pixel"),
        ([[0, 1]], "single white pixel"),
        ([[-0.0]], r"responds with 0: its elements"),
        (K, "responds with 0: its elements must add up to 1"),
        ([[0.111] * 3] * 3, "add up to 1"),
        ([[1, -1, 1]], "no element may be negative"),
        (lambda n: 1 / 0, "raises"),
    ],
    "2d": [
        (lambda d: d, "For d = 1 you say 1, which is not enough"),
        (lambda d: d + 2, "For d = 1 you say 3, but 2 elements are enough"),
        (lambda d: 2 * d, "For d = 2 you say 4, but 3 elements"),
        (lambda d: 2 * (d // 2) + 3, "For d = 1"),
        (lambda d: 3 if d == 2 else 2 * d, "For d = 3 you say 6, but 4"),
        (lambda d: [1, -1] if d == 1 else [1, -2, 2], "For d = 2 a kernel ignores polynomials"),
        (lambda d: "many", "is no number of elements"),
        (lambda d: 0, "0, which is no number of elements"),
        (lambda d: d + 0.5, "1.5, which is no number of elements"),
        ([2, 3, 5], "For d = 3 you say 5"),
        ({2: 2}, "For d = 2"),
        ({0: 1}, "0 is no order"),
        ({1: 2, "a": 3}, "'a' is no order"),
        ([np.nan], "nan, which is no number"),
        (["2"], "'2', which is no number"),
        ({1: (1, "a")}, "which is no number"),
        ([10**400], "For d = 1 you say inf, but 2"),
        ({1: [[1], [1, 2]]}, "is ragged"),
        ([[1, -1], [1, -1]], "For d = 2 a kernel ignores polynomials"),
        ({10**12: [0, 0]}, "you say 2, which is not enough"),
        (3, "should be a function of the order d"),
        (None, "should be a function of the order d"),
    ],
    "3": [
        ("error", r"In NumPy|outcome"),
        ("perhaps", "is not one of the outcomes"),
        ("broken", "is not one of the outcomes"),
        ("undefined", "is not one of the outcomes"),
        (7, "is not one of the outcomes"),
        (lambda X, K: X[:2, :2] * K, r"instead of \[\[8, 12\], \[20, 24\]\]"),
        (lambda X, K: shift_and_add(X, K) + 1, "the value"),
    ],
    "4a": [
        (lambda X, size: np.asarray(X), r"X = \[\[1, 2, 3\]\] and K = \[\[1, 2\]\], the"),
        (lambda X, size: in_columns(X, size)[::-1], "your matrix times the kernel"),
        ([19, 25, 37, 43], "already"),
        ([[0, 19, 0, 0], [0, 25, 0, 0], [0, 37, 0, 0], [0, 43, 0, 0]], "not for every one"),
        (
            lambda X, size: in_columns(X, size) if len(X) < 4 else in_columns(X, size)[:, ::-1],
            "your matrix times the kernel flattened row by row",
        ),
        (lambda X, size: in_columns(X, size[::-1]), "raises ValueError"),
        (
            np.eye(4),
            r"For X = \[\[0, 1, 2\], .* is \[0, 1, 2, 3\]; it should be \[19, 25, 37, 43\]",
        ),
        (lambda X, K: (in_columns(X, K.shape), np.asarray(K)[::-1].ravel()), "the product is"),
        (lambda X, K: (np.ones((2, 3)), np.ones((5, 2))), "do not multiply"),
        (lambda X, K: in_columns(X, K.shape) @ np.asarray(K)[::-1].ravel(), "For X"),
        (None, "a matrix"),
    ],
    "4b": [
        (lambda K, shape: doubly_blocked(np.asarray(K)[::-1, ::-1], shape), "your matrix times"),
        (lambda K, shape: np.asarray(K), "the matrix needs a row"),
        (lambda K, shape: doubly_blocked(K, shape) * 2, "your matrix times"),
        (np.zeros((4, 9)), "your matrix times the image"),
        (lambda X, K: np.asarray(dc.conv2d(X, K)), "For X"),
    ],
}
CASES = {
    f"{name}-{n}": (name, answer) for name, some in RIGHT.items() for n, answer in enumerate(some)
}
MISTAKES = {
    f"{name}-{n}": (name, *case) for name, some in WRONG.items() for n, case in enumerate(some)
}


@pytest.mark.parametrize("case", CASES)
def test_a_right_answer_is_right_in_whatever_form(case):
    name, answer = CASES[case]
    verdict = dc.check(name, answer)
    assert verdict, verdict.message
    assert verdict.message.startswith("Right. ")
    assert verdict.counterexample is None


@pytest.mark.parametrize("case", [name for name in MISTAKES if not name.startswith("3-")])
def test_a_wrong_answer_gets_a_counter_example(case):
    name, answer, words = MISTAKES[case]
    verdict = dc.check(name, answer)
    assert not verdict, verdict.message
    assert verdict.message.startswith("Wrong. ")
    assert re.search(words, verdict.message), verdict.message


@pytest.mark.parametrize("name", dc.exercises)
def test_our_solution_is_a_program_that_is_right(backend, name, capsys):
    code = dc.exercises[name].solution(backend)
    assert f"from d2lconv import {backend} as d2l\n" in code
    space = {}
    exec(compile(code, f"solution {name}", "exec"), space)
    framework = STATUS[backend].framework
    if name == "3" and backend == "numpy":
        assert "raises NumPy has no automatic differentiation" in capsys.readouterr().out
        return
    with dc.backend(backend):
        verdict = dc.check(name, space["answer"])
    assert verdict.right is not False, verdict.message
    if name == "3":
        assert framework in verdict.message
        assert "answer [[" in capsys.readouterr().out.replace("tf.Tensor(\n", "").replace(
            "tensor(", ""
        ).replace("Array(", "")
    if name in ("4a", "4b"):
        assert f"# What it does in {framework}:" in code


KERNELS = [
    case
    for case, (name, answer) in CASES.items()
    if name in ("2a", "2b", "2c")
    and (callable(answer) or (not isinstance(answer, (dict, tuple)) and np.ndim(answer) > 0))
]


@pytest.mark.parametrize("case", KERNELS)
def test_kernels_are_right_as_native_tensors_of_every_backend(d2l, case):
    name, answer = CASES[case]

    def made(*given):
        return d2l.tensor(answer(*given))

    verdict = dc.check(name, made if callable(answer) else d2l.tensor(answer))
    assert verdict, verdict.message


def test_functions_for_one_framework_are_given_its_tensors():
    demand("torch")
    import torch

    def unfold(X, size):
        return torch.nn.functional.unfold(X[None, None], size)

    assert dc.check("4a", unfold)
    assert dc.check("1b", lambda X: -torch.diff(X, dim=1))


def test_what_happens_to_the_gradient_is_seen_live(backend):
    outcome = differentiate(backend)
    kinds = {"torch": "gradient", "jax": "gradient", "tf": "none", "mxnet": "error"}
    assert outcome.kind == kinds.get(backend, "error")
    if outcome.kind == "gradient":
        assert outcome.text == "[[8, 12], [20, 24]]"
    if backend == "mxnet":
        assert "not supported when recording with autograd" in outcome.text
    assert outcome.reason


@pytest.mark.parametrize(
    ("kind", "claims"),
    [
        ("gradient", ["gradient", "it works", "no error", "ok.", True, np.ones((2, 2))]),
        ("none", ["none", None, "no gradient"]),
        ("error", ["error", "raises MXNetError", ValueError, ValueError("in place")]),
    ],
)
def test_an_outcome_can_be_reported_in_many_words(backend, kind, claims):
    true = differentiate(backend).kind
    for claim in claims:
        with dc.backend(backend):
            assert bool(dc.check("3", claim)) == (kind == true)
        assert bool(dc.check("3", {backend.upper(): claim})) == (kind == true)


def test_a_wrong_outcome_is_answered_with_what_happens(framework):
    true = differentiate(framework)
    said = "error" if true.kind == "gradient" else "gradient"
    verdict = dc.check("3", {framework: said})
    assert true.text in verdict.message
    assert verdict.counterexample["backend"] == framework


def test_a_function_must_be_differentiable_and_right(framework):
    d2l = dc.binding.bind(framework)
    with dc.backend(framework):
        assert dc.check("3", shift_and_add)
        assert dc.check("3", d2l.corr2d)
        assert dc.check("3", lambda X, K: d2l.corr2d(X, K, method="loop"))
        scratch = dc.check("3", import_module(f"d2lconv_{framework}.exercises").corr2d)
        assert bool(scratch) == (differentiate(framework).kind == "gradient")
        for case in ("3-1", "3-2", "3-3", "3-4", "3-5", "3-6"):
            _, answer, words = MISTAKES[case]
            verdict = dc.check("3", answer)
            assert not verdict
            assert words.replace("\\", "") in verdict.message


def test_an_unknown_exercise_is_an_error_with_a_suggestion():
    with pytest.raises(dc.ArgumentError, match=r"no exercise '2e'.* The exercises are 1a, 1b"):
        dc.check("2e", 1)
    for name in ("2a", "2A", "2(a)", "exercise 2a", "2.a"):
        assert find(name).id == "2a"
    assert find(3).id == "3"
    for name in ("7.3-1", "exercise 7.3-1", "7.3.1"):
        assert find(name).id == "7.3-1"


def test_every_exercise_says_what_an_answer_is():
    first = [name for name, one in dc.exercises.items() if one.section == "7.2"]
    assert first == ["1a", "1b", "1c", "1d", "2a", "2b", "2c", "2d", "3", "4a", "4b"]
    assert list(dc.exercises)[: len(first)] == first
    for exercise in dc.exercises.values():
        assert "Answer with" in exercise.statement
        assert exercise.hint
        assert exercise.explanation


def d2lconv(*arguments, **variables):
    return subprocess.run(
        [sys.executable, "-m", "d2lconv", "exercise", *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, "COLUMNS": "100", "NO_COLOR": "1", **variables},
        timeout=300,
    )


def test_the_command_lists_shows_and_hints():
    listed = d2lconv("list")
    assert [line.split()[0] for line in listed.stdout.splitlines()] == list(dc.exercises)
    shown = d2lconv("show", "2a")
    words = f"2a. {dc.exercises['2a'].title} {dc.exercises['2a'].statement}".split()
    assert shown.stdout.split() == words
    assert " ".join(d2lconv("hint", "2d").stdout.split()) == dc.exercises["2d"].hint
    assert d2lconv("show", "9").returncode == 2


def test_a_printed_solution_checks_as_right(backend, tmp_path):
    file = tmp_path / "mine.py"
    done = d2lconv("solution", "4b", "--backend", backend)
    assert done.returncode == 0, done.stderr
    file.write_text(done.stdout)
    done = d2lconv("check", "4b", str(file), "-b", backend)
    assert (done.returncode, done.stdout) == (
        0,
        "Right. Your matrix times the image flattened row by row is the cross-correlation.\n",
    )


def test_the_command_checks_a_file(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text("answer = [[1, -1]]\nanswer_2d = [2, 3]\n")
    wrong = d2lconv("check", "2b", str(file))
    assert wrong.returncode == 1
    assert wrong.stdout.startswith("Wrong. A ramp has no second derivative")
    assert d2lconv("check", "2d", str(file)).returncode == 0
    file.write_text("answer_7_3_1 = [2, 2]\nanswer = 'Words, to be compared.'\n")
    assert d2lconv("check", "7.3-1", str(file)).stdout.startswith("Right.")
    compared = d2lconv("check", "7.3-3", str(file))
    assert (compared.returncode, compared.stdout[:8]) == (0, "Compare.")
    for text, words in [
        ("x = 1", "defines neither `answer_2b` nor `answer`"),
        ("1 / 0", "raised ZeroDivisionError"),
        ("exit(0)", "raised SystemExit"),
        ("answer =", "raised SyntaxError"),
    ]:
        file.write_text(text)
        done = d2lconv("check", "2b", str(file))
        assert done.returncode == 2
        assert words in done.stderr
        assert "Traceback" not in done.stderr
    assert "FileNotFoundError" in d2lconv("check", "2b", str(tmp_path / "none.py")).stderr
