"""Cross-correlations of all kinds, drawn at random."""

import numpy as np
from hypothesis import strategies as st

from d2lconv.core.geometry import form
from d2lconv.core.options import settings

DTYPES = ("float16", "float32", "float64")


@st.composite
def geometries(draw, ranks=((2, 2), (3, 3), (3, 4), (4, 4))):
    """The shapes of X and K, and options as :func:`d2lconv.corr2d` takes them, that fit."""
    rank = draw(st.sampled_from(ranks))
    small = st.integers(1, 3)
    groups = draw(small) if rank[1] == 4 else 1
    per_group = draw(small) if rank[0] > 2 else 1
    outputs = groups * draw(small)
    kernel = draw(small), draw(small)
    stride, dilation = (draw(small), draw(small)), (draw(small), draw(small))
    side = st.integers(0, 2)
    padding = draw(
        st.one_of(st.just("same"), st.tuples(st.tuples(side, side), st.tuples(side, side)))
    )
    image = []
    for axis in range(2):
        span = (kernel[axis] - 1) * dilation[axis] + 1
        zeros = 0 if padding == "same" else sum(padding[axis])
        least = 1 if padding == "same" else max(1, span - zeros)
        image.append(draw(st.integers(least, least + 5)))
    batch = draw(small)
    X = {2: (), 3: (per_group * groups,), 4: (batch, per_group * groups)}[rank[0]]
    K = {2: (), 3: (per_group,), 4: (outputs, per_group)}[rank[1]]
    options = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    return (*X, *image), (*K, *kernel), options


def geometry_of(X, K, options):
    """What the core makes of shapes and options: the checked options and the Geometry."""
    checked = settings(**options)
    return checked, form(X, K, *checked).geometry


@st.composite
def windows(draw):
    """A shape of X and the options of ``pool2d``, that fit."""
    size = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    padding = tuple(draw(st.integers(0, n - 1)) for n in size)
    stride = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    sides = [draw(st.integers(n, n + 5)) for n in size]
    rank = draw(st.sampled_from((2, 3, 4)))
    mode = draw(st.sampled_from(("max", "avg")))
    options = {"mode": mode, "stride": stride, "padding": padding}
    if mode == "avg":
        options["count_include_pad"] = draw(st.booleans())
    return (2, 3)[: rank - 2] + tuple(sides), size, options


def values(rng, shape, dtype, kind="normal"):
    """Random numbers: ordinary ones, of very different sizes, with special values, or integers."""
    array = rng.standard_normal(shape)
    if kind == "range":
        array *= 10.0 ** rng.integers(-2 if dtype == "float16" else -8, 3, shape)
    if kind == "integers":
        array = np.round(2 * array)
    array = array.astype(dtype)
    if kind == "special":
        specials = np.array([np.inf, -np.inf, np.nan, 0.0, -0.0, np.finfo(dtype).max], dtype)
        where = rng.random(shape) < 0.3
        array[where] = rng.choice(specials, int(where.sum()))
    return array
