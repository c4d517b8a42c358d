"""No honest result is called a bug, imprecise, or what a mistake gives: a fuzz.

`pytest --hypothesis-profile=long tests/test_honest_fuzz.py` draws thousands of problems, each with
a dozen results.
"""

from collections import Counter
from itertools import combinations

import honest
import numpy as np
from chosen import demand_extra
from hypothesis import given
from hypothesis import strategies as st
from test_precision import KINDS, data

from d2lconv.parity import compare, values
from d2lconv.parity.precision import _step_by_step
from d2lconv.parity.problem import problem
from d2lconv.parity.truth import Truth
from d2lconv.parity.winograd import POINTS

STRUCTURES = [*KINDS, "integers", "small", "large", "alternating", "one is large", "smooth"]


def numbers(shape, structure, rng):
    if structure in KINDS:
        return data(shape, structure, rng)
    values = rng.standard_normal(shape)
    if structure == "integers":
        return np.rint(100 * values)
    if structure == "small":
        return 1e-3 * values * 2.0 ** rng.integers(-4, 4)
    if structure == "large":
        return 100 * values
    if structure == "alternating":
        return np.where(np.indices(shape).sum(0) % 2, 1, -1) * np.abs(values)
    if structure == "one is large":
        values.flat[rng.integers(values.size)] *= 1e4
        return values
    return np.cumsum(np.full(shape, 0.01 * values.flat[0]), axis=-1) + values.flat[-1]


def in_blocks(x, k):
    """Sums of parts, as cache blocks have them."""
    size = max(1, x.shape[-1] // 5)
    parts = [
        honest.sequential(x[..., i : i + size], k[..., i : i + size])
        for i in range(0, x.shape[-1], size)
    ]
    return honest.sequential(np.stack(parts, -1), np.ones((1, len(parts)), x.dtype))


def fused(x, k):
    """A product and an addition rounded at once, for float32 by way of float64."""
    type_ = x.dtype
    zeros = np.zeros((len(x), 1))
    return _step_by_step(x, k, zeros, lambda t: t.astype(type_).astype(float)).astype(type_)


def by_matrix_product(x, k):
    """The library's own order."""
    return np.einsum("ij,ij->i", x, k, optimize=False).astype(x.dtype)


ALGORITHMS = [*(one for one in honest.ALL if one is not honest.fused), fused, in_blocks]
ALGORITHMS += [by_matrix_product]
SIZES = ["1x1", "tiny", "tiny", "small", "small", "small", "layer", "gradient", "dense"]


def drawn(seed, sizes=SIZES):
    """Operands and options of one problem, and what it is of."""
    rng = np.random.default_rng(seed)
    size = sizes[rng.integers(len(sizes))]
    groups = int(rng.choice([1, 1, 1, 2]))
    least, most = {
        "1x1": (1, 1), "tiny": (1, 3), "small": (1, 5), "layer": (1, 3), "gradient": (1, 3),
        "dense": (1, 1), "channels": (1, 3),
    }[size]  # fmt: skip
    kernel = rng.integers(least, most + 1, 2)
    image = kernel + rng.integers(0, 6, 2)
    many = {"tiny": 2, "small": 9, "layer": 33, "dense": 300, "channels": 200}.get(size, 4)
    c, o = int(rng.integers(1, many)) * groups, int(rng.integers(1, 4)) * groups
    if size == "channels":
        c = int(rng.integers(100, 400))
        groups = 1
    if size == "dense":
        image = kernel
    of = rng.choice(["weight", "input"]) if size == "gradient" else "output"
    structures = [STRUCTURES[i] for i in rng.integers(len(STRUCTURES), size=2)]
    n = int(rng.integers(1, 3))
    dtype = "float32" if rng.random() < 0.85 else "float16"
    shapes = (n, c, *image), (o, c // groups, *kernel)
    with np.errstate(all="ignore"):
        X, K = (
            numbers(tuple(map(int, shape)), one, rng).astype(dtype)
            for shape, one in zip(shapes, structures, strict=True)
        )
    options = {
        "groups": groups,
        "padding": int(rng.integers(0, 2)),
        "stride": int(rng.integers(1, 3)),
    }
    bias = None
    if of == "output" and rng.random() < 0.3:
        bias = (rng.standard_normal(o) * 10.0 ** rng.integers(-3, 3)).astype(dtype)
    given_ = {"X": X, "K": K, "bias": bias, **options}
    if of != "output":
        call = problem(X, K, **options).call
        with np.errstate(all="ignore"):
            given_["G"] = numbers(call.shape, structures[1], rng).astype(dtype)
        given_["of"] = of
        del given_["bias"]
    return given_, (size, *structures, dtype, of)


def results(given_):
    """The results of all algorithms."""
    call = problem(**given_).call
    terms = call.terms()
    x, k, offset = terms.gather(np.argwhere(np.ones(terms.shape, bool)))
    dtype = given_["X"].dtype
    x, k = x.astype(dtype), k.astype(dtype)
    with np.errstate(all="ignore"):
        for algorithm in ALGORITHMS:
            sums = algorithm(x, k)
            if terms.bias is not None:
                sums = sums + offset.astype(dtype)
            yield algorithm.__name__, np.ascontiguousarray(call.ours(sums.reshape(terms.shape)))


def verdicts(seed, sizes=SIZES):
    """The verdict on each algorithm against the one before."""
    given_, what = drawn(seed, sizes)
    with np.errstate(all="ignore"):
        every = list(results(given_))
        for (one, a), (other, b) in zip(every, every[1:] + every[:1], strict=True):
            found = compare(a, b, **given_)
            yield found, (seed, *what, one, other)


@given(seed=st.integers(0, 2**63))
def test_no_honest_order_is_called_wrong(seed):
    for found, what in verdicts(seed):
        assert found.verdict in ("identical", "rounding"), (what, found)
        assert found.causes == (), (what, found)


def fast(seed):
    """Results of fast algorithms, by name, and what they are of."""
    rng = np.random.default_rng(seed)
    structures = [STRUCTURES[i] for i in rng.integers(len(STRUCTURES), size=2)]
    points = POINTS[rng.integers(len(POINTS))]
    side = int(rng.integers(2, min(len(points), 6)))
    X = numbers((int(rng.integers(8, 20)), int(rng.integers(8, 20))), structures[0], rng)
    K = numbers((side, side), structures[1], rng)
    with np.errstate(all="ignore"):
        X, K = X.astype("f4"), K.astype("f4")
        start = tuple(map(int, rng.integers(0, 2, 2)))
        yield "winograd", honest.winograd(X, K, points, start), X, K, structures
        yield "fft", transformed(X, K), X, K, structures


def transformed(X, K):
    """By Fourier transforms in float32."""
    scipy_fft = demand_extra("scipy.fft", "sparse")  # it transforms float32 as such
    size = X.shape
    spectrum = scipy_fft.rfft2(X) * np.conj(scipy_fft.rfft2(K, size))
    H, W = (n - k + 1 for n, k in zip(X.shape, K.shape, strict=True))
    return np.ascontiguousarray(scipy_fft.irfft2(spectrum, size)[:H, :W]).astype("f4")


@given(seed=st.integers(0, 2**63))
def test_no_fast_algorithm_that_is_named_is_called_wrong(seed):
    for algorithm, actual, X, K, structures in fast(seed):
        x, k = honest.factors(X, K)
        with np.errstate(all="ignore"):
            expected = honest.sequential(x, k)
        found = compare(actual, expected, X=X, K=K, algorithm=algorithm)
        assert found.verdict in ("identical", "rounding"), (algorithm, structures, found)


def pairs(seed, sizes=SIZES):
    """The same verdicts for all pairs of results of one problem, each result measured once."""
    given_, what = drawn(seed, sizes)
    truth = Truth(problem(**given_))
    measured = []
    with np.errstate(all="ignore"):
        for name, result in results(given_):
            held = values.read(result)
            dtype = str(result.dtype)
            precision = truth.precision(held, dtype)
            wrong = precision is not None and precision.imprecise
            measured.append((name, held, truth.allowed(held, dtype), wrong))
        for (one, a, near, bad), (other, b, by, worse) in combinations(measured, 2):
            equal, difference = values.difference(a, b)
            bug = (~equal & ~(difference <= near + by)).any()
            verdict = "bug" if bug else "imprecise" if bad or worse else "rounding"
            yield "identical" if equal.all() else verdict, (seed, *what, one, other)


def count(seeds, sizes=SIZES):
    """How often which verdict is given to honest results, and whom it wrongs: for long runs."""
    counts, wrong = Counter(), []
    for seed in seeds:
        for verdict, what in pairs(seed, sizes):
            counts[verdict] += 1
            if verdict not in ("identical", "rounding"):
                wrong.append((verdict, *what))
    return counts, wrong
