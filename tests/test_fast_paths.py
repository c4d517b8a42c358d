"""The fast forms of the exact method: the same bits, no new compilation, no shared memory."""

import numpy as np
import pytest
from chosen import demand
from frameworks import assert_same_bits, vjp
from test_exact import operands

import d2lconv as dc
from d2lconv.binding import bind
from d2lconv.core import reference, selection

# One for each form: few kernel elements and many, images of one strip and of several, a program
# and single steps, kernels of one row, of one column, and of a number that no loop divides.
SHAPES = [
    ((6, 8), (1, 2)),
    ((9, 8), (2, 2)),
    ((40, 30), (5, 1)),
    ((20, 30), (1, 17)),
    ((30, 40), (6, 7)),
    ((150, 140), (2, 5)),
    ((500, 300), (3, 3)),
]


@pytest.mark.parametrize("kind", ["normal", "special"])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("shapes", SHAPES, ids=str)
def test_a_shape_that_comes_back_keeps_its_bits(framework, shapes, dtype, kind):
    """Some frameworks compute it by other programs when it came often enough."""
    X, K, G = operands(shapes, dtype, kind)
    d2l = bind(framework)
    image, kernel = d2l.tensor(X), d2l.tensor(K)
    for _ in range(12):
        Y = d2l.corr2d(image, kernel)
    assert_same_bits(d2l.to_numpy(Y), reference.corr2d(X, K), "Y")
    Y, (_, dK) = vjp(framework, d2l.corr2d, [image, kernel], d2l.tensor(G))
    assert_same_bits(d2l.to_numpy(Y), reference.corr2d(X, K), "Y, recorded")
    assert_same_bits(d2l.to_numpy(dK), reference.kernel_gradient(X, G), "dK")


@pytest.mark.parametrize("elements", range(30, 43))
def test_any_number_of_kernel_elements_keeps_its_bits(framework, elements):
    """Programs add some at once and others in a loop, and leave some over: each differently."""
    X, K, _ = operands(((9, 60), (1, elements)), "float32", "normal")
    d2l = bind(framework)
    image, kernel = d2l.tensor(X), d2l.tensor(K)
    for _ in range(3):
        Y = d2l.corr2d(image, kernel)
    assert_same_bits(d2l.to_numpy(Y), reference.corr2d(X, K))


@pytest.mark.parametrize("shapes", SHAPES, ids=str)
def test_a_result_shares_no_memory_with_anything(backend, shapes):
    X, K, _ = operands(shapes, "float32", "normal")
    d2l = bind(backend)
    image, kernel = d2l.tensor(X), d2l.tensor(K)
    for method in ("exact", "native"):
        results = [d2l.corr2d(image, kernel, method=method) for _ in range(12)]
        first = d2l.to_numpy(results[0])
        d2l.to_numpy(d2l.corr2d(d2l.tensor(2 * X), d2l.tensor(-K), method=method))
        assert_same_bits(d2l.to_numpy(results[0]), first, f"{method}, after another call")
        assert_same_bits(d2l.to_numpy(image), X, "X")
        assert_same_bits(d2l.to_numpy(kernel), K, "K")


@pytest.mark.parametrize("name", ["numpy", "torch", "mxnet"])  # others' tensors are not written to
def test_a_kernel_of_a_single_one_gives_a_copy(name):
    d2l = bind(demand(name))
    X = d2l.tensor(np.ones((3, 4)), "float32")
    Y = d2l.corr2d(X, d2l.tensor([[1.0]]))
    Y[:] = 7
    assert_same_bits(d2l.to_numpy(X), np.ones((3, 4), np.float32))


def test_torch_batches_of_large_images_keep_their_bits():
    d2l = bind(demand("torch"))
    import torch

    X, K, _ = operands(((40, 50), (3, 4)), "float32", "normal")
    batch = np.stack([X, 2 * X])
    result = torch.vmap(torch.vmap(d2l.corr2d, (0, None)), (None, 0))(
        d2l.tensor(batch), d2l.tensor(np.stack([K, -K]))
    )
    for i, kernel in enumerate((K, -K)):
        for j, image in enumerate(batch):
            assert_same_bits(result[i, j].numpy(), reference.corr2d(image, kernel))


def test_known_types_are_looked_up_and_others_are_not_forgotten(backend):
    """Mixed types, wrong shapes and integers are caught after good calls too."""
    d2l = bind(backend)
    X, K = d2l.tensor(np.ones((4, 5))), d2l.tensor(np.ones((2, 2)))
    for _ in range(2):
        d2l.corr2d(X, K)
        dc.corr2d(X, K)
    mixed = dc.corr2d(
        d2l.tensor(np.ones((4, 5)), "float64"), d2l.tensor(np.ones((2, 2)), "float16")
    )
    assert d2l.to_numpy(mixed).dtype == np.float64
    with pytest.raises(dc.ShapeError, match=r"X has the shape \(4,\)"):
        dc.corr2d(d2l.tensor(np.ones(4)), K)
    with pytest.raises(dc.ShapeError, match="empty"):
        dc.corr2d(d2l.tensor(np.ones((0, 4))), K)
    with pytest.raises(dc.ShapeError, match="larger"):
        dc.corr2d(K, X)


class Counted(dict):
    """A dictionary that notes what is looked up in it."""

    def __init__(self, *args):
        super().__init__(*args)
        self.asked = []

    def __getitem__(self, key):
        self.asked.append(key)
        return super().__getitem__(key)


def test_two_native_tensors_need_two_lookups_and_what_is_new_needs_more(framework, monkeypatch):
    d2l = bind(framework)
    X, K = d2l.tensor(np.ones((4, 5))), d2l.tensor(np.ones((2, 2)))
    dc.corr2d(X, K)
    types, asked = Counted(selection.by_type), []
    types.pop(list, None)
    monkeypatch.setattr(selection, "by_type", types)
    monkeypatch.setattr(selection, "backend_of", lambda value: asked.append(value))
    dc.corr2d(X, K)
    assert types.asked == [type(X), type(K)]
    assert not asked
    dc.corr2d([[1.0]], [[1.0]])
    assert asked == [[[1.0]], [[1.0]]]


@pytest.fixture
def torch_operands():
    """PyTorch's API, an image and a kernel that is large enough for the fast form."""
    demand("torch")
    d2l = bind("torch")
    X, K, _ = operands(((9, 9), (3, 3)), "float32", "normal")
    return d2l, d2l.tensor(X), d2l.tensor(K)


@pytest.mark.filterwarnings("ignore:.*torch.jit.*deprecated:DeprecationWarning")
def test_a_trace_of_pytorch_keeps_no_values_of_the_kernel(torch_operands):
    d2l, X, K = torch_operands
    import torch

    with pytest.warns(torch.jit.TracerWarning):
        traced = torch.jit.trace(d2l.corr2d, (X, K), check_trace=False)
    assert torch.equal(traced(X, 2 * K), d2l.corr2d(X, 2 * K))


def test_shapes_alone_are_enough_for_pytorch(torch_operands):
    d2l, X, K = torch_operands
    assert d2l.corr2d(X.to("meta"), K.to("meta")).shape == (7, 7)
