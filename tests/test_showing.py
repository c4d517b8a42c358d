"""What people see first: completion, help, short lines, pictures, and words for what they try."""

import pydoc
import re

import numpy as np
import pytest
from children import python
from chosen import demand_extra

import d2lconv as dc
from d2lconv.binding import bind

X = dc.numpy.edge_image()
NOISE = np.random.default_rng(0).random((12, 15), np.float32)
BLUR = np.float32([[1, 2, 3], [4, 5, 6], [7, 8, 9]]) / 45


def compared(X, K, method):
    """The kernel on an image, against the blur in the contract's order."""
    return dc.parity.compare(
        dc.numpy.corr2d(X, K, method=method), dc.numpy.corr2d(X, BLUR), X=X, K=BLUR
    )


RESULTS = {
    "learned": lambda: dc.learn_kernel(X, dc.corr2d(X, [[1, -1]]), (1, 2)),
    "large": lambda: dc.learn_kernel(X, np.zeros((2, 4), np.float32), (5, 5), lr=1e-3),
    "field": lambda: dc.receptive_field([2, 2], input_shape=(30, 30)),
    "endless": lambda: dc.receptive_field([dc.Window(3, padding=2)] * 40, (4, 4)),
    "gaps": lambda: dc.receptive_field([dc.Window(9, dilation=5)]),
    "explained": lambda: dc.explain(np.zeros((512, 512)), np.zeros((31, 31))),
    "rounding": lambda: compared(NOISE, BLUR, method="loop"),
    "bug": lambda: compared(NOISE, BLUR[::-1], method="exact"),
    "bits": lambda: dc.parity.compare([[1.0, 2.0]], [[1.0, 2.5]]),
    "planes": lambda: dc.parity.compare(
        np.zeros((2, 3, 4, 5)), np.eye(5)[:4] * np.ones((2, 3, 1, 1))
    ),
    "layers": lambda: dc.parity.layers(
        dc.Conv2D((3, 3), in_channels=1, out_channels=2),
        dc.Conv2D((3, 3), in_channels=1, out_channels=2, seed=1),
        NOISE[None, None],
    ),
    "run": lambda: dc.parity.run(["numpy"], ["lesson"]),
    "trace": lambda: dc.parity.trace(dc.LeNet(), dc.LeNet(seed=1), *(a[:4] for a in dc.digits())),
}


def test_completion_knows_what_there_is_and_nothing_else():
    found = python("import d2lconv as dc; print(*dir(dc))").stdout.split()
    expected = {*dc.__all__, "figures", "published", "rounding", "widgets"}
    assert set(found) == expected | {"numpy", "torch", "tf", "mxnet", "jax"}
    for name in ("kernels", "parity", "figures", "published", "rounding", "widgets"):
        module = getattr(dc, name)
        assert set(dir(module)) == set(module.__all__)
        for public in module.__all__:
            assert getattr(module, public) is not None


@pytest.mark.parametrize("name", ["corr2d", "tensor", "Conv2D", "Pool2D", "learn_kernel"])
def test_help_of_what_is_bound_is_as_full_as_that_of_the_neutral_api(d2l, name):
    full = pydoc.render_doc(getattr(dc, name), renderer=pydoc.plaintext)
    bound = re.sub(
        r"^ \|  ?",
        "    ",
        pydoc.render_doc(getattr(d2l, name), renderer=pydoc.plaintext),
        flags=re.M,
    )
    for line in full[full.index("    Args:") :].splitlines():
        assert line.strip() in bound


@pytest.mark.parametrize("name", RESULTS)
def test_results_are_one_short_line_and_a_picture(name):
    result = RESULTS[name]()
    assert len(repr(result)) <= 200
    assert "\n" not in repr(result)
    html = result._repr_html_()
    assert html.startswith("<p><code>")
    assert '<img alt="' in html
    assert 'src="data:image/svg+xml;base64,' in html
    assert type(result.plot()).__name__ == "Figure"


def test_results_say_what_counts():
    assert repr(RESULTS["learned"]()) == (
        "LearnedKernel([[1.07, -0.9098]], loss 42.767 to 0.601 in 10 epochs, backend='numpy')"
    )
    assert "25 elements, rows 7-11, columns 7-11; size 5x5, jump 2x2, start (-1, -1)" in repr(
        dc.receptive_field([3, dc.Window(3, stride=2, padding=1)], (4, 4))
    )


def test_where_there_is_nothing_to_draw_the_line_alone_is_shown():
    layer = dc.explain(np.zeros((1, 1, 5, 5)), np.zeros((1, 1, 2, 2)), stride=2)
    assert layer._repr_html_() is None
    with pytest.raises(dc.ArgumentError, match="no expected times"):
        layer.plot()
    assert str(RESULTS["bits"]()).endswith(
        "give the X and K that the results come from, or a bound"
    )
    same = dc.parity.compare(X, X)
    assert (repr(same), same._repr_html_()) == ("Comparison('identical')", None)
    with pytest.raises(dc.ArgumentError, match="no differences to draw"):
        same.plot()


def test_a_comparison_is_drawn_where_it_is_worst():
    found = RESULTS["bug"]()
    ax, _ = found.plot().axes
    assert repr(found).startswith(f"Comparison('bug', {found.ulp:,} ulp, ")
    assert repr(found).endswith(f" times the bound at {found.worst})")
    np.testing.assert_array_equal(ax.images[0].get_array().filled(0), found.shares)
    assert ax.patches[0].get_xy() == (found.worst[1] - 0.5, found.worst[0] - 0.5)
    planes = RESULTS["planes"]()
    shown = planes.plot().axes[0]
    assert shown.images[0].get_array().filled(0).tolist() == np.eye(5)[:4].tolist()
    assert shown.get_title() == "bug, at (0, 0): the worst is (0, 0, 0, 0)"


def test_a_photograph_with_its_colours_last_is_told_what_to_do(d2l):
    photograph = np.zeros((7, 8, 3), np.uint8)
    calls = (
        lambda: d2l.corr2d(photograph, [[1, -1]]),
        lambda: d2l.corr2d(photograph, np.ones((3, 2, 2))),
        lambda: d2l.corr2d(d2l.tensor(photograph), np.ones((2, 3, 2, 2))),
        lambda: d2l.learn_kernel(photograph, [[1]], (1, 2)),
        lambda: d2l.im2col(photograph, (1, 2)),
    )
    for call in calls:
        with pytest.raises(dc.ShapeError, match=r"dc\.load_image .* np\.moveaxis\(X, -1, 0\)"):
            call()
    moved = np.moveaxis(photograph, -1, 0)
    assert tuple(d2l.corr2d(moved, np.ones((3, 2, 2))).shape) == (6, 7)


def test_pictures_of_pillow_are_loaded_and_nothing_else_takes_them(d2l):
    Image = demand_extra("PIL.Image", "images")
    colours = np.random.default_rng(0).integers(0, 256, (5, 6, 3), np.uint8)
    picture = Image.fromarray(colours)
    with pytest.raises(dc.DTypeError, match=r"dc\.load_image\(X\)"):
        d2l.corr2d(picture, [[1, -1]])
    with pytest.raises(dc.DTypeError, match="a picture of Pillow"):
        d2l.tensor(picture)
    loaded = dc.to_numpy(d2l.load_image(picture))
    grey = colours @ np.array([299, 587, 114]) / 255_000  # of whole numbers: one division rounds
    np.testing.assert_array_equal(loaded, grey.astype(np.float32))
    np.testing.assert_array_equal(dc.to_numpy(d2l.load_image(colours)), loaded)
    with pytest.raises(dc.ArgumentError, match=r"an array of float64, shape \(2, 2, 2\), is no"):
        d2l.load_image(np.zeros((2, 2, 2)))


def test_the_bound_kernels_say_what_they_are(framework):
    assert repr(bind(framework).kernels).startswith("<the kernels of d2lconv: box_blur, ")
