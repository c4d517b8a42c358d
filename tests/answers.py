"""Answers to the exercises that are data, right and wrong, made at random for the page's tests."""

import math

import numpy as np

import d2lconv as dc

EPS = 2.0**-20  # what the checkers forgive, relative to the size of what is added up


def in_python(name, answer):
    """What the library says of an answer: whether it is right, and why."""
    verdict = dc.check(name, answer)
    return [verdict.right, verdict.message]


def is_data(answer):
    """Whether an answer has no function in it."""
    if isinstance(answer, dict):
        return all(map(is_data, answer.values()))
    return all(map(is_data, answer)) if isinstance(answer, (list, tuple)) else not callable(answer)


def plain(answer):
    """An answer as a reader would type it, without NumPy's arrays and numbers."""
    if isinstance(answer, dict):
        return {plain(key): plain(one) for key, one in answer.items()}
    if isinstance(answer, (list, tuple)):
        return type(answer)(map(plain, answer))
    return answer.tolist() if hasattr(answer, "tolist") else answer


def garbage(random, depth=0):
    """Something that is mostly no answer to anything."""
    some = [None, True, False, 0, 1, 3, -2, 0.5, -0.0, 1e-7, 1e300, 10**18, 2**63, 2**70, 10**400]
    some += [math.inf, math.nan, "", "many", "3", 'it\'s "so"', "\x00\n\\é\u200b\U0001f600", (), []]
    kind = random.integers(8) if depth < 3 else 0
    if kind < 4:
        return some[random.integers(len(some))]
    size = random.integers(4)
    if kind == 4:
        return [[garbage(random, 3) for _ in range(size)] for _ in range(random.integers(1, 4))]
    if kind == 5:
        keys = (1, 2, 0, True, None, "kernel", "size", "x", (0, 1), (1, -1.5), 2.0)
        chosen = random.permutation(len(keys))[:size]
        return {keys[n]: garbage(random, depth + 1) for n in chosen}
    made = [garbage(random, depth + 1) for _ in range(size)]
    return made if kind == 6 else tuple(made)


def numbers(random, *shape):
    """A matrix of numbers of several kinds."""
    kind = random.integers(6)
    if kind == 0:
        return random.integers(-3, 4, shape)
    if kind == 1:
        return random.integers(-40, 41, shape) / 16
    if kind == 2:
        return random.normal(size=shape) * 10.0 ** random.integers(-6, 7)
    if kind == 3:
        return random.integers(0, 2, shape)
    if kind == 4:
        return random.choice([0.0, -0.0, 1.0, 100000.5, 1e-5, 3e38], shape)
    return random.normal(size=shape)


def nearly(random, A):
    """A matrix with elements that are off by around as much as is forgiven, or by more."""
    A = np.array(A, np.float64)
    off = random.choice([0, 0, 0.3, 0.97, 1.03, 3, 1e5]) * EPS
    places = random.random(A.shape) < random.choice([0.1, 0.5, 1])
    return A + off * np.abs(A).max(initial=1) * places * random.choice([-1, 1], A.shape)


def written(random, A):
    """A matrix as lists, as tuples, or in more brackets, and now and then a damaged one."""
    rows = np.asarray(A).tolist()
    kind = random.integers(16)
    if kind == 0 and len(rows) > 1 and isinstance(rows[0], list):
        rows[0] = rows[0][:-1]
    elif kind == 1:
        rows = tuple(map(tuple, rows)) if isinstance(rows[0], list) else tuple(rows)
    elif kind == 2:
        rows = [[rows]]
    elif kind == 3:
        rows = [rows, rows]
    elif kind == 4 and isinstance(rows[0], list):
        rows[0][0] = [None, "1", math.inf, True, {}, 10**400][random.integers(6)]
    return rows


def image(random):
    """An image, often with an edge of some kind."""
    h, w = random.integers(1, 8, 2)
    i, j = np.indices((h, w))
    kind = random.integers(9)
    if kind == 0:
        return numbers(random, h, w)
    if kind == 6:  # falls along the rows, which may be stairs
        falls = (random.random((h, w)) < 0.3).cumsum(1)
        return 1 + falls * random.choice([1, 1, 1, 2.0**-22])
    if kind == 7:  # stairs, now and then with a gap, or twice as wide
        falls = (j - i * random.choice([0, 1, 2]) - random.integers(3)) % random.choice([3, 9]) == 0
        falls = (falls & (random.random((h, w)) < 0.95)).cumsum(1)
        return 1 + falls * random.choice([-1, -1, -1, -1, 2.0**-21, 2.0**-22])
    if kind == 8:  # a corner that is about half as bright as a line
        return np.diag([0.5 + random.choice([-1, 0, 0.5, 0.97, 1.03, 9]) * EPS, 1, 0])
    if kind == 1:
        return nearly(random, (i * random.choice([0.4, 1, 2]) - j > random.integers(-3, 3)) * 1.0)
    if kind == 2:
        return nearly(random, numbers(random, h + w)[i - j + w - 1])
    if kind == 3:
        return np.zeros((h, w)) + numbers(random, 1, w)
    if kind == 4:
        return np.zeros((h, w)) + numbers(random, h, 1)
    return nearly(random, (np.abs(i - h / 2) < 1.5) * (np.abs(j - w / 2) < 1.5) * 2.5)


def an_image(random):
    return written(random, image(random)[:: random.choice([-1, 1])])


def became(part):
    """Answers to a part of exercise 1 that asks what becomes of an image."""

    def expected(X):
        if part == "1b":
            return X[:, :-1] - X[:, 1:]
        return X[:-1].T - X[1:].T if part == "1c" else X[:-1] - X[1:]

    def answer(random):
        X = np.eye(random.integers(2, 6)) if random.integers(2) else image(random)
        X = X.astype(np.float32).astype(np.float64)
        Y = expected(X)
        Y = [Y, Y, Y.T, -Y][random.integers(4)]
        size = EPS * np.abs(X).max(initial=0)
        Y = Y + random.choice([0, 0, 0.9, 1.1, 1e5]) * size * (random.random(Y.shape) < 0.3)
        if random.integers(2) and np.array_equal(X, np.eye(*X.shape)):
            return written(random, Y) if Y.size else []
        pair = written(random, X), written(random, Y) if Y.size else []
        return pair if random.integers(2) else list(pair)

    return answer


def directed(random):
    """A derivative in about some direction."""
    angle = random.choice([0, 0, 0, 0.0155, 0.0157, 0.02, 1, np.pi])
    directions = [(0, 1), (1, 1), (1, -2), (3, 4), (0.6, -0.8), (-1, 0), (1e200, 1e200), (1, 3)]
    v = directions[random.integers(len(directions))]
    u = np.array(v) / np.abs(v).max()
    u = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) @ u
    kind = random.choice([0, 0, 1, 1, 2, 3, 4, 5, 6, 7])
    i, j = np.indices(random.integers(2, 6, 2)) - 2.0
    if kind == 0:
        K = [[0, -u[0], 0], [-u[1], 0, u[1]], [0, u[0], 0]]
    elif kind == 1:
        K = (u[0] * i + u[1] * j) * np.exp(-(i**2 + j**2) / 4)
        K -= K.mean()
    elif kind == 2:
        p, bell = u[0] * i + u[1] * j, np.exp(-(i**2 + j**2) / 4)
        K = (p**2 - (bell * p**2).sum() / bell.sum()) * bell
    elif kind == 3:
        K = numbers(random, *i.shape)
    elif kind == 4:
        K = random.integers(-8, 9, i.shape) / 8
        K[0, 0] -= K.sum()
    elif kind == 6:  # about as far from the direction as may be
        s = 1 / 64 * (1 + random.choice([-1, 0, 0.5, 0.97, 1.03, 9]) * EPS)
        v, K = (0, 1), [[0, -s, 0], [-1, 0, 1], [0, s, 0]]
    elif kind == 7:  # derivatives of higher order
        v, K = (0, -2), dc.kernels.derivative(int(random.integers(1, 7)), dtype="float64")
    else:
        K = np.zeros(i.shape)
    strange = [(0, 0), "12", ("1", 2), (1, 2, 3), 5, None, (True, 2), (math.nan, 1), (10**400, 1)]
    return strange[random.integers(len(strange))] if random.integers(12) == 0 else v, K


def with_direction(random):
    if random.integers(4):
        pair = directed(random)
        v, K = pair
        pair = v, written(random, nearly(random, K) if random.integers(2) else K)
        return pair if random.integers(4) else list(pair)
    return {v: written(random, K) for v, K in (directed(random) for _ in range(2))}


def second(random):
    kind = random.integers(5)
    if kind == 0:
        K = np.outer(numbers(random, random.integers(1, 4)), [1, -2, 1])
        K = K if random.integers(2) else K.T
    elif kind == 1:
        K = [[1, -2, 1], [1, -2, 1], [-1, 3, -3, 1], [0, 0, 0]][random.integers(4)]
        K = np.outer(K, K) if random.integers(3) == 0 else K
    elif kind == 2:
        K = [[[1, -1], [-1, 1]], [[0, 1, 0], [1, -4, 1], [0, 1, 0]]][random.integers(2)]
    elif kind == 3:
        K = np.array([-1, 16, -30, 16, -1]) / 12
    else:
        K = numbers(random, *random.integers(1, 5, 2))
    K = written(random, nearly(random, np.array(K) * random.choice([1, 0.5, -3, 1e-20])))
    sizes = [
        3,
        3.0,
        2,
        True,
        (1, 3),
        (3, 1),
        (1, 2),
        (3, 3),
        (),
        (3.0, 1),
        ("a", 3),
        [3],
        "3",
        None,
    ]
    sizes += [(1, 3, 3), (1, 1)]
    size = sizes[random.integers(len(sizes))]
    if random.integers(3) == 0:
        return size if random.integers(3) == 0 else K
    line = nearly(random, np.eye(3)[[1, 1]] * 2.0) if random.integers(2) else image(random)
    line = [np.eye(2), np.full((3, 3), 0.5), *[line] * 8][random.integers(10)]
    parts = {"kernel": K, "size": size, "structure": written(random, line), "sise": 3}
    chosen = random.permutation(4)[: random.integers(4)]
    return {list(parts)[n]: parts[list(parts)[n]] for n in chosen}


def blur(random):
    K = np.abs(numbers(random, *random.integers(1, 14, 2))) + random.choice([0, 0.01])
    K = K / (K.sum() or 1)
    if random.integers(3) == 0:
        K = nearly(random, K) if random.integers(2) else nearly(random, K / K.size) * K.size
    if random.integers(4) == 0 and K.size > 1:
        share = random.choice([0.5, 0.97, 1.03, 9]) * EPS * K.max()
        K.flat[0] += K.flat[1] + share
        K.flat[1] = -share
    if random.integers(5) == 0:
        K = np.zeros(K.shape)
        K.flat[-1] = random.choice([1, 1, 0.5, -0.0])
    return written(random, K)


def minimum(random):
    def size(d):
        n = d + 1 + random.choice([0] * 15 + [1, -1])
        kernel = dc.kernels.derivative(int(n) - 1, dtype="float64") if n > 1 else np.ones((1, 1))
        forms = [n, float(n), (1, n), kernel, nearly(random, kernel[0])]
        forms += [kernel.reshape(-1, 2 - n % 2), (n, 1), n + 0.5, np.zeros(n), np.zeros(max(d, 1))]
        forms += ["many", str(n), None, math.nan, [], (1, "a"), (2, n), 10**400]
        likely = random.integers(6 if random.integers(6) else len(forms))
        return forms[likely]

    def form(d):
        found = size(d)
        return written(random, found) if getattr(found, "ndim", 0) else found

    count = int(random.integers(1, 9))
    if random.integers(2):
        sizes = [form(d) for d in range(1, count + 1)]
        return sizes if random.integers(2) else tuple(sizes)
    orders = [1, 2, 3, 5, 8, 10**9, 0, -1, "1", 1.0, True][: 5 if random.integers(3) else 11]
    chosen = [orders[n] for n in random.permutation(len(orders))[:count]]
    valid = {d: d for d in (1, 2, 3, 5, 8)}
    return {d: form(valid.get(d, 1)) for d in chosen}


LESSON = np.arange(9.0).reshape(3, 3), np.arange(4.0).reshape(2, 2)


def product(part):
    """Answers to a part of exercise 4."""
    X, K = LESSON
    ours = dc.im2col(X, (2, 2)) if part == "4a" else dc.toeplitz(K, (3, 3))
    ours = np.asarray(ours, np.float64)
    other = K.ravel() if part == "4a" else X.ravel()
    Y = ours @ other

    def answer(random):
        rows = random.permutation(4) if random.integers(4) == 0 else [0, 1, 2, 3]
        rows = rows if random.integers(2) else [0, 2, 1, 3]
        side = int(np.sqrt(len(other)))
        swapped = np.arange(len(other)).reshape(side, side).T.ravel()
        columns = swapped if random.integers(2) else np.arange(len(other))
        A, b, y = ours[rows][:, columns], other[columns], Y[rows]
        if random.integers(5) == 0:
            A = A + random.choice([0.5, 1e-7, 1]) * (random.random(A.shape) < 0.1)
        if random.integers(5) == 0:
            A = A[: random.integers(1, 5), : random.integers(1, 10)]
        kind = random.integers(5)
        if kind == 0:
            return written(random, A.T if random.integers(2) else A)
        if kind == 1:
            y = y + random.choice([0, 0, 1])
            return written(random, [y, y[None], y[:, None], y.reshape(2, 2)][random.integers(4)])
        b = [b, b[None], b[:, None], 2 * b, b / 3, b[1:]][random.integers(6)]
        pair = (A, b) if random.integers(2) else (np.atleast_2d(b), A.T)
        return tuple(written(random, one) for one in pair)

    return answer


ANSWERS = {
    "1a": an_image,
    "1b": became("1b"),
    "1c": became("1c"),
    "1d": became("1d"),
    "2a": with_direction,
    "2b": second,
    "2c": blur,
    "2d": minimum,
    "4a": product("4a"),
    "4b": product("4b"),
}
