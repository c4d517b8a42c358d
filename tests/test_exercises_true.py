"""Whatever a checker says of a random answer is true of what it shows."""

import re
from ast import literal_eval

import numpy as np
import pytest
from answers import ANSWERS, plain

import d2lconv as dc

COUNT = 400
SHOWN = 1e-5  # numbers in messages have six digits
NUMBER = r"(-?\d+(?:\.\d+)?(?:e[+-]?\d+)?|-?inf)"
MATRIX = r"(\[\[[^a-z]*?\]\])"
VECTOR = r"(\[[^][]*\])"


def near(one, other, size):
    """Whether numbers agree as far as six digits of them, and of what made them, can tell."""
    return np.all(np.abs(np.subtract(one, other)) <= SHOWN * np.abs(size) + 1e-12)


def read(text):
    return np.array(literal_eval(text), np.float64)


def is_response_to_the_image(message, K):
    """What "responds with 2 to X = ..." and "to X = ... your kernel responds with 2" claim."""
    for pattern, order in (
        (rf"responds with {NUMBER} to X = {MATRIX}", (1, 2)),
        (rf"X = {MATRIX},? your kernel responds with {NUMBER}", (2, 1)),
        (rf"X = {MATRIX} is 2, but your kernel responds with {NUMBER}", (2, 1)),
    ):
        found = re.search(pattern, message)
        if found:
            said, X = float(found[order[0]]), read(found[order[1]])
            coarse = 100 if "to the same change" in message else 1  # four digits, not six
            assert near((K * X).sum(), said, coarse * np.abs(K * X).sum()), message
            return X
    return None


def float32(answer):
    return np.atleast_2d(np.squeeze(np.array(answer, np.float32))).astype(np.float64)


def kernel_in(answer, message):
    """The kernel that a message is about."""
    if isinstance(answer, dict) and "kernel" in answer:
        answer = answer["kernel"]
    K = np.array(answer, np.float32).astype(np.float64)
    while K.ndim > 2:
        K = K[0]
    return np.atleast_2d(K)


def random_verdicts(name):
    """Random answers and the verdicts on them."""
    random = np.random.default_rng([7, *name.encode()])
    for _ in range(COUNT):
        answer = plain(ANSWERS[name](random))
        yield answer, dc.check(name, answer)


@pytest.mark.parametrize("name", ["2a", "2b", "2c", "2d"])
def test_a_kernel_responds_to_the_image_as_the_message_says(name):
    seen = 0
    for _, verdict in random_verdicts(name):
        K = (verdict.counterexample or {}).get("K")
        if verdict or K is None:
            continue
        X = is_response_to_the_image(verdict.message, K)
        seen += X is not None
        if "all zeros" in verdict.message:
            assert not np.any(K)
        if "is 2, but" in verdict.message:
            bends = [np.diff(V, 2) for V in (X, X.T) if V.shape[1] > 2]
            assert any(bend.size and near(bend, 2, 2) for bend in bends)
        if "darker than black" in verdict.message:
            assert (K * X).sum() < 0 <= X.min()
    assert seen > 10


def test_an_image_changes_along_and_across_a_direction_as_the_message_says():
    seen = set()
    for _, verdict in random_verdicts("2a"):
        about = re.search(rf"For v = \({NUMBER}, {NUMBER}\)", verdict.message)
        found = re.search(rf"X = {MATRIX}, which (.*? v\b)", verdict.message)
        if not about or not found:
            continue
        v = np.array([float(about[1]), float(about[2])])
        X, what = read(found[1]), found[2]
        v = v / np.abs(v).max()
        i, j = np.indices(X.shape)
        along, across = v[0] * i + v[1] * j, v[0] * j - v[1] * i
        for a, b in np.ndindex(X.size, X.size):
            if "only" in verdict.message and near(across.flat[a], across.flat[b], 1):
                assert near(X.flat[a], X.flat[b], np.abs(X).max())
            if "brighter" in what and along.flat[a] > along.flat[b] + SHOWN:
                assert X.flat[a] > X.flat[b]
        assert np.ptp(X) > 0
        seen.add(what)
        if "swap" in verdict.message:
            K = verdict.counterexample["K"]
            assert dc.check("2a", (tuple(verdict.counterexample["v"][::-1]), K.tolist()))
    assert len(seen) > 1


def test_the_smallest_kernel_is_as_large_as_the_message_says():
    for _, verdict in random_verdicts("2d"):
        enough = re.search(rf"For d = (\d+) you say {NUMBER}, (which is not|but)", verdict.message)
        if enough:
            assert (float(enough[2]) < int(enough[1]) + 1) == (enough[3] == "which is not")


def test_a_structure_gets_the_response_that_the_message_says():
    seen = 0
    for answer, verdict in random_verdicts("2b"):
        found = re.search(rf"responds with (?:at most )?{NUMBER} in size", verdict.message)
        if not found:
            continue
        X = kernel_in(answer["structure"], verdict.message)
        bends = [np.abs(np.diff(V, 2)).max() for V in (X, X.T) if V.shape[1] > 2]
        assert near(max(bends), float(found[1]), np.abs(X).max())
        line = re.search(rf"wide, {MATRIX}, gets {NUMBER}", verdict.message)
        if line:
            (low, high, _), best = read(line[1])[0], float(line[2])
            assert near([low, high, 2 * (high - low)], [X.min(), X.max(), best], np.abs(X).max())
            assert float(found[1]) <= best
        seen += 1
    assert seen > 10


@pytest.mark.parametrize("name", ["1b", "1c", "1d"])
def test_the_result_is_what_the_message_says(name):
    seen = 0
    for _, verdict in random_verdicts(name):
        found = re.search(rf"X = {MATRIX} the element \((\d), (\d)\)", verdict.message)
        numbers = re.search(rf"is {NUMBER}, and in yours {NUMBER}\.$", verdict.message)
        if not found:
            continue
        X = read(found[1])
        K = [[1], [-1]] if name == "1d" else [[1, -1]]
        Y = dc.to_numpy(dc.corr2d((X.T if name == "1c" else X).copy(), np.array(K, np.float64)))
        assert near(Y[int(found[2]), int(found[3])], float(numbers[1]), np.abs(X).max())
        assert numbers[1] != numbers[2]
        seen += 1
    assert seen > 5


def unfolded(matrix, order):
    """A matrix as a vector, "row by row" or "column by column"."""
    return matrix.ravel() if order == "row by row" else matrix.T.ravel()


@pytest.mark.parametrize("name", ["4a", "4b"])
def test_a_matrix_times_a_vector_is_what_the_message_says(name):
    X, K = np.arange(9.0).reshape(3, 3), np.arange(4.0).reshape(2, 2)
    Y = np.array([[19.0, 25.0], [37.0, 43.0]])
    other = K if name == "4a" else X
    seen = set()
    for answer, verdict in random_verdicts(name):
        said = verdict.message
        right = re.search(
            r"flattened (row by row|column by column)( times your matrix)? is the cross-correlation"
            r"(?:, (column by column))?\.$",
            said,
        )
        if right:
            T, vector = float32(answer), unfolded(other, right[1])
            product = vector @ T if right[2] else T @ vector
            assert near(product, unfolded(Y, right[3] or "row by row"), 50)
        wrong = re.search(rf"{VECTOR},? (?:it )?is {VECTOR}[;,].* should be {VECTOR}\.$", said)
        if wrong:
            T = float32(answer)
            T = T.T if ", transposed," in said else T
            vector, product, wanted = map(read, wrong.groups())
            A = dc.im2col(X, (2, 2)) if name == "4a" else dc.toeplitz(K, (3, 3))
            assert near(T @ vector, product, np.abs(T) @ np.abs(vector))
            assert near(np.asarray(A) @ vector, wanted, 1)
            assert not near(product, wanted, 1)
        seen |= {("right", bool(right)), ("wrong", bool(wrong))}
    assert len(seen) == 4
