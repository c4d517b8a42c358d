"""MXNet's own view of NumPy: MXNet imports on a NumPy of today, and nobody else notices."""

import pytest
from children import python, write
from chosen import demand

# What a child process asserts before and after MXNet is imported: NumPy is untouched.
UNTOUCHED = """
import sys, builtins, numpy
ORIGINAL_IMPORT, ORIGINAL = builtins.__import__, numpy
NAMES = set(vars(numpy))
REMOVED = ["Inf", "NAN", "NaN", "NINF", "PINF", "NZERO", "PZERO", "alltrue", "in1d", "msort",
           "product", "round_", "sometrue", "npv", "pmt", "mirr", "pv", "rate", "ppmt", "trapz"]

def has(name):
    import warnings
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return hasattr(numpy, name)

HAD = {name: has(name) for name in REMOVED}

def untouched():
    import numpy as seen
    assert seen is ORIGINAL and sys.modules["numpy"] is ORIGINAL
    assert builtins.__import__ is ORIGINAL_IMPORT
    assert {name: has(name) for name in REMOVED} == HAD
    new = set(vars(numpy)) - NAMES
    assert all(getattr(numpy, name).__name__.startswith("numpy.") for name in new), new
    assert numpy.__dict__.get("bool", None) is not bool
    exec("import numpy; assert numpy is ORIGINAL")
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] != "mxnet" and name != "d2lconv_mxnet.numpy_view":
            for value in list(vars(module).values()) if hasattr(module, "__dict__") else []:
                assert type(value).__name__ != "_Facade", f"{name} sees the facade"
"""


def test_mxnet_imports_and_nothing_else_sees_its_view():
    demand("mxnet")
    python(
        UNTOUCHED
        + """
from d2lconv import mxnet as d2l
untouched()
import mxnet
assert type(mxnet.base._np).__name__ == "_Facade"       # MXNet does see it
assert mxnet.base._np.bool is bool
assert d2l.corr2d([[1, 2]], [[1, 1]]).asnumpy().tolist() == [[3]]
import mxnet.test_utils, mxnet.contrib.text             # and modules that it imports later do too
assert type(mxnet.test_utils.np).__name__ == "_Facade"
untouched()
import numpy.polynomial, rich.table, email.message      # others imported later do not
untouched()
"""
    )


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("other", ["torch", "tf", "jax"])
@pytest.mark.together
def test_whichever_framework_comes_first(other, when):
    demand("mxnet")
    demand(other)
    order = [other, "mxnet"] if when == "before" else ["mxnet", other]
    python(
        UNTOUCHED
        + f"""
import d2lconv as dc
for name in {order!r}:
    with dc.backend(name) as d2l:
        assert d2l.to_numpy(dc.corr2d([[1, 2]], [[1, 1]])).tolist() == [[3]]
    untouched()
"""
    )


# A Williams square: each framework once in every place, and once right after each other one.
ORDERS = [
    ("torch", "tf", "jax", "mxnet"),
    ("tf", "mxnet", "torch", "jax"),
    ("mxnet", "jax", "tf", "torch"),
    ("jax", "torch", "mxnet", "tf"),
]


@pytest.mark.parametrize("order", ORDERS, ids="-".join)
@pytest.mark.together
def test_the_frameworks_can_be_imported_in_any_order(order):
    for name in order:
        demand(name)
    python(
        f"""
import d2lconv as dc
for _ in range(2):
    for name in {order!r}:
        with dc.backend(name) as d2l:
            X = dc.edge_image()
            assert d2l.to_numpy(dc.corr2d(X, [[1, -1]])).sum() == 0
            assert dc.learn_kernel(X, dc.corr2d(X, [[1, -1]]), (1, 2), epochs=2).losses
"""
    )


BROKEN = {
    "mxnet/__init__.py": "import numpy\nnumpy.bool\nimport scipy\nraise OSError('libmxnet.so')\n"
}


def test_a_failed_import_of_mxnet_leaves_nothing_behind(tmp_path):
    python(
        UNTOUCHED
        + """
import d2lconv as dc
try:
    dc.use("mxnet")
except dc.BackendBroken as error:
    assert "OSError: libmxnet.so" in str(error), error
else:
    raise AssertionError
untouched()
assert dc.corr2d([[1, 2]], [[1, 1]]).tolist() == [[3]]
""",
        path=write(tmp_path, {**BROKEN, "scipy.py": ""}),
    )


def test_only_mxnets_modules_are_loaded_with_the_view(tmp_path):
    folder = write(
        tmp_path,
        {
            "mxnet/__init__.py": "import numpy\nimport mxnetlike\nfrom mxnet import part\n",
            "mxnet/part.py": "import numpy.linalg as la, numpy\nfrom numpy import NINF, float32\n",
            "mxnetlike.py": "import numpy\n",
        },
    )
    python(
        UNTOUCHED
        + """
from d2lconv_mxnet import numpy_view
numpy_view.install()
numpy_view.install()
assert sys.meta_path.count(numpy_view._Finder) == 1
import mxnet, mxnetlike
assert mxnet.numpy is numpy_view.facade and mxnet.part.numpy is numpy_view.facade
assert mxnet.part.la is numpy.linalg and mxnet.part.NINF == -numpy.inf
assert mxnetlike.numpy is numpy
untouched()
""",
        path=folder,
    )


def test_every_removed_name_does_what_it_did():
    import numpy as np
    from d2lconv_mxnet.numpy_view import REMOVED, facade

    a = np.array([[3, 1], [2, 5]])
    assert facade.array is np.array
    assert facade.bool is bool
    assert (facade.Inf, facade.PINF, facade.NINF) == (np.inf, np.inf, -np.inf)
    assert np.isnan(facade.NaN)
    assert np.isnan(facade.NAN)
    assert np.signbit(facade.NZERO)
    assert not np.signbit(facade.PZERO)
    assert facade.alltrue(a > 0)
    assert facade.sometrue(a > 4)
    assert facade.product(a) == 30
    assert facade.round_(2.4) == 2
    assert facade.trapz([1, 2, 3]) == 4
    np.testing.assert_array_equal(facade.msort(a), [[2, 1], [3, 5]])
    np.testing.assert_array_equal(facade.in1d(a, [1, 5]), [False, True, False, True])
    for name in ("mirr", "npv", "pmt", "ppmt", "pv", "rate"):
        with pytest.raises(NotImplementedError, match=f"NumPy no longer has {name}"):
            REMOVED[name](1, 2)
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        facade.nonsense  # noqa: B018


@pytest.mark.together
def test_arrays_that_outlive_mxnet_say_nothing_at_exit():
    demand("mxnet")
    demand("tf")  # whose modules keep MXNet's alive for longer
    child = python(
        """
import d2lconv as dc
dc.tf, dc.mxnet
from mxnet import autograd
K = dc.mxnet.tensor([[1, -1]])
K.attach_grad()
with autograd.record():
    Y = dc.corr2d(dc.mxnet.edge_image(), K)
Y.backward()
""",
        TF_CPP_MIN_LOG_LEVEL="3",
        TF_ENABLE_ONEDNN_OPTS="0",
    )
    assert "Exception ignored" not in child.stderr
    assert "Error" not in child.stderr


def test_a_program_that_ends_before_its_work_is_done_ends():
    """MXNet stops the threads of its autograd functions first, and would wait for their work."""
    demand("mxnet")
    for _ in range(3):  # without our waiting, about two of three hang or abort
        python(
            """
from d2lconv import mxnet as d2l
from mxnet import autograd
Y = d2l.tensor([[1.0] * 100] * 100)
Y.attach_grad()
with autograd.record():
    for _ in range(50):
        Y = d2l.corr2d(Y, [[1]])
Y.backward()
"""
        )
