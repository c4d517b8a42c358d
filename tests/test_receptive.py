"""Receptive fields, against brute force, closed formulas and every framework's own gradients."""

import numpy as np
import pytest
from frameworks import vjp
from fuzzing import examples
from hypothesis import given
from hypothesis import strategies as st

import d2lconv as dc
from d2lconv import ArgumentError, ShapeError, Window
from d2lconv.binding import bind


def pairs(least, most):
    return st.tuples(st.integers(least, most), st.integers(least, most))


WINDOWS = st.builds(
    Window,
    kernel_size=pairs(1, 4),
    stride=pairs(1, 3),
    padding=st.tuples(pairs(0, 3), pairs(0, 3)),
    dilation=pairs(1, 3),
)


def layer_by_definition(X, layer):
    """True where an output element depends on anything that is True in the input."""
    X = np.pad(X, layer.padding)
    (kh, kw), (sh, sw), (dh, dw) = layer.kernel_size, layer.stride, layer.dilation
    h, w = layer.span
    H, W = (X.shape[0] - h) // sh + 1, (X.shape[1] - w) // sw + 1
    Y = np.zeros((H, W), bool)
    for i, j, a, b in np.ndindex(H, W, kh, kw):
        Y[i, j] |= X[i * sh + a * dh, j * sw + b * dw]
    return Y


def by_brute_force(layers, element, shape):
    """Change each input element in turn, and see whether the output element notices."""
    found = set()
    for place in np.ndindex(*shape):
        X = np.zeros(shape, bool)
        X[place] = True
        for layer in layers:
            X = layer_by_definition(X, layer)
        if X[element]:
            found.add(place)
    return found


def fits(layers, shape):
    for layer in layers:
        padded = np.pad(np.zeros(shape), layer.padding).shape
        if any(n < span for n, span in zip(padded, layer.span, strict=True)):
            return False
        shape = layer_by_definition(np.zeros(shape, bool), layer).shape
    return True


@examples(60)
@given(layers=st.lists(WINDOWS, min_size=1, max_size=3), shape=pairs(1, 9), data=st.data())
def test_the_field_is_what_brute_force_finds(layers, shape, data):
    try:
        output = dc.receptive_field(layers, input_shape=shape).output_shape
    except ShapeError:
        assert not fits(layers, shape)
        return
    element = data.draw(st.tuples(*(st.integers(0, n - 1) for n in output)))
    field = dc.receptive_field(layers, element, input_shape=shape)
    assert field.elements == by_brute_force(layers, element, shape)


@examples(100)
@given(layers=st.lists(WINDOWS, min_size=1, max_size=4), element=pairs(0, 5))
def test_size_jump_and_start_are_those_of_the_closed_formulas(layers, element):
    """Araujo, Norris and Sim, equations 2 and 5: recursions from the top of the stack down."""
    field = dc.receptive_field(layers, element)
    for axis in (0, 1):
        r, first, last = 1, element[axis], element[axis]
        for layer in reversed(layers):
            s, p, k = layer.stride[axis], layer.padding[axis][0], layer.span[axis]
            r = s * r + (k - s)
            first, last = s * first - p, s * last - p + k - 1
        assert field.size[axis] == r == last - first + 1
        assert field.corner[axis] == first
        assert field.jump[axis] == np.prod([layer.stride[axis] for layer in layers])
        seen = (field.rows, field.columns)[axis]
        assert all(max(first, 0) <= n <= last for n in seen)


def test_far_from_the_borders_the_rectangle_is_tight():
    layers = [Window(3, stride=2, padding=1), Window((2, 5), dilation=2), Window(3, stride=3)]
    field = dc.receptive_field(layers, (40, 40))
    for n, size, corner in zip((field.rows, field.columns), field.size, field.corner, strict=True):
        assert (n[0], n[-1]) == (corner, corner + size - 1)


STACKS = {
    "the lesson's": ([2, 2], (3, 3)),
    "larger than the input": ([Window(3, padding=2), Window(5, padding=2)], (3, 4)),
    "strided": ([Window((3, 2), stride=2, padding=1), Window(3, stride=(1, 2))], (9, 10)),
    "dilated": ([Window(2, dilation=3), Window((2, 1), dilation=2, padding=(1, 0))], (8, 7)),
}


@pytest.mark.parametrize("name", STACKS)
def test_the_field_is_where_the_gradient_is(framework, name):
    """Kernels and gradients are positive, so that no two paths cancel."""
    d2l = bind(framework)
    layers, shape = STACKS[name]
    field = dc.receptive_field(layers, input_shape=shape)
    windows = [layer if isinstance(layer, Window) else Window(layer) for layer in layers]

    def network(X):
        for layer in windows:
            kernel = np.zeros(layer.span, np.float32)
            kernel[:: layer.dilation[0], :: layer.dilation[1]] = 1
            X = d2l.corr2d(padded(d2l, X, layer.padding), d2l.tensor(kernel))
            X = X[:: layer.stride[0], :: layer.stride[1]]
        return X

    X = d2l.tensor(np.ones(shape, np.float32))
    for element in np.ndindex(*field.output_shape):
        G = np.zeros(field.output_shape, np.float32)
        G[element] = 1
        _, (dX,) = vjp(framework, network, [X], d2l.tensor(G))
        found = {(int(i), int(j)) for i, j in np.argwhere(d2l.to_numpy(dX) != 0)}
        assert found == dc.receptive_field(layers, element, input_shape=shape).elements


def padded(d2l, X, padding):
    """Zeros around a matrix, as products with the rows of larger identity matrices."""
    (above, below), (left, right) = padding
    h, w = X.shape
    rows = d2l.tensor(np.eye(h + above + below, h, -above, np.float32))
    columns = d2l.tensor(np.eye(w, w + left + right, left, np.float32))
    return rows @ X @ columns


def test_the_lessons_two_layers_see_all_nine():
    field = dc.receptive_field([2, 2], input_shape=(3, 3))
    assert field.output_shape == (1, 1)
    assert field.elements == {(i, j) for i in range(3) for j in range(3)}
    assert dc.receptive_field([2], (0, 1)).elements == {(0, 1), (0, 2), (1, 1), (1, 2)}


def test_a_field_can_be_larger_than_the_input():
    field = dc.receptive_field([Window(3, padding=1)] * 5, (1, 2), input_shape=(4, 4))
    assert field.size == (11, 11)
    assert len(field.elements) == 16


def test_an_element_can_see_nothing_but_padding():
    assert dc.receptive_field([Window(1, padding=2)], input_shape=(3, 3)).elements == frozenset()


def test_a_layer_can_be_written_in_every_way(d2l):
    expected = dc.receptive_field([Window((2, 3))])
    kernel = [[1, 2, 3], [4, 5, 6]]
    for layer in ((2, 3), [2, 3], {"kernel_size": (2, 3)}, kernel, d2l.tensor(kernel)):
        assert dc.receptive_field([layer]) == expected
    assert dc.receptive_field(np.int64([2])) == dc.receptive_field([2])


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: dc.receptive_field([]), ArgumentError, "layers is empty; .* at least one layer"),
        (
            lambda: dc.receptive_field(3),
            ArgumentError,
            r"layers is 3; it must be a list .* \[2, 2\]",
        ),
        (lambda: dc.receptive_field(Window(3)), ArgumentError, "must be a list of layers"),
        (lambda: dc.receptive_field("23"), ArgumentError, "must be a list of layers"),
        (lambda: dc.receptive_field([0]), ShapeError, "kernel_size is 0"),
        (lambda: dc.receptive_field([None]), ShapeError, "kernel_size is None"),
        (lambda: dc.receptive_field(["a"]), ShapeError, "kernel_size is 'a'"),
        (
            lambda: dc.receptive_field([{"size": 3}]),
            ArgumentError,
            r"layers\[0\] is .*its keys must",
        ),
        (lambda: dc.receptive_field([2, np.ones((1, 2, 3))]), ShapeError, r"layers\[1\] has 3 dim"),
        (lambda: Window(3, stride=0), ArgumentError, "stride is 0"),
        (lambda: Window(3, dilation=1.5), ArgumentError, "dilation is 1.5"),
        (lambda: Window(True), ShapeError, "kernel_size is True"),
        (
            lambda: Window(3, padding=-1),
            ArgumentError,
            "padding is -1; it must be an integer of at",
        ),
        (lambda: Window(3, padding="same"), ArgumentError, "padding is 'same'"),
        (lambda: Window(3, padding=(1, 2, 3)), ArgumentError, "padding is"),
        (
            lambda: dc.receptive_field([2, 3], input_shape=(3, 9)),
            ShapeError,
            r"layers\[1\] spans \(3, 3\) elements, and its input, .* shape \(2, 8\)",
        ),
        (lambda: dc.receptive_field([2], input_shape=(0, 3)), ShapeError, "input_shape is"),
        (
            lambda: dc.receptive_field([2], (2, 0), input_shape=(3, 3)),
            ArgumentError,
            r"element is \(2, 0\); .* inside the output: 0 <= row < 2 and 0 <= column < 2",
        ),
        (lambda: dc.receptive_field([2], (-1, 0)), ArgumentError, "0 <= row and 0 <= column"),
        (lambda: dc.receptive_field([2], 3), ArgumentError, "element is 3"),
        (lambda: dc.receptive_field([2], (1.5, 0)), ArgumentError, r"element is \(1.5, 0\)"),
    ],
)
def test_bad_input_says_what_is_allowed(call, error, words):
    with pytest.raises(error, match=words):
        call()
