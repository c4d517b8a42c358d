"""Pictures: the same bytes every time, readable on every colour, and nobody's settings touched."""

import base64
import hashlib
import io
import re
import runpy
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from children import python
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

import d2lconv as dc
from d2lconv import ArgumentError, Diverged, ShapeError
from d2lconv.figures.canvas import SIGNED, SMALL, ink, luminance
from d2lconv.notebook.lesson import lessons
from d2lconv.training.history import Epoch

ROOT = Path(__file__).parent.parent

IMAGE = [[0, 1, 2], [3, 4, 5], [6, 7, 8]]
KERNEL = [[0, 1], [2, 3]]
# Everything that draws, as code, so that a process of its own can run it too.
DRAW = {
    "heat_map": "F.heat_map([[0.5, -1.25], [3, 1e9]], title='a')",
    "correlation": "F.correlation(dc.edge_image(), [[1, -1]])",
    "windows": "F.windows([[0, 1, 2], [3, 4, 5], [6, 7, 8]], [[0, 1], [2, 3]])",
    "toeplitz": "F.toeplitz([[0, 1], [2, 3]], (3, 3))",
    "losses": "F.losses({'one': [3, 2, 1], 'two': [3, 2, 1]})",
    "error_surface": "F.error_surface(dc.edge_image(), dc.corr2d(dc.edge_image(), [[1, -1]]))",
    "receptive_field": "F.receptive_field([dc.Window(3, padding=1)] * 3, (5, 6), (0, 0))",
    "filter_bank": "F.filter_bank('rocket', [dc.kernels.sobel()])",
    "lenet": "F.lenet()",
    "feature_maps": "F.feature_maps(dc.numpy.LeNet(activation='tanh'), dc.digits()[0][0])",
    "training": "F.training(dc.History('numpy', 'NumPy', '1', {}, '', (E(1, 2.3, 0.1, 0.2, 1, ''), "
    "E(2, 1.1, 0.7, 0.6, 1, ''))))",
}
ONE_AXES = ("heat_map", "toeplitz", "losses", "error_surface", "receptive_field")


def draw(name, ax=None):
    code = DRAW[name] if ax is None else DRAW[name][:-1] + ", ax=ax)"
    return eval(code, {"F": dc.figures, "dc": dc, "ax": ax, "E": Epoch})


def test_every_figure_is_drawn_here():
    assert set(DRAW) == set(dc.figures.__all__) - {"save"}


@pytest.mark.parametrize("ending", ["png", "svg", "pdf"])
def test_a_figure_has_the_same_bytes_in_every_process(ending, tmp_path):
    code = f"""
import sys
import d2lconv as dc
from d2lconv.training.history import Epoch as E
F = dc.figures
for name, code in {DRAW!r}.items():
    F.save(eval(code), f"{{sys.argv[1]}}/{{name}}.{ending}", dpi=50)
"""
    (tmp_path / "there").mkdir()
    python(code, str(tmp_path / "there"))
    for name in DRAW:
        here, there = tmp_path / f"{name}.{ending}", tmp_path / "there" / f"{name}.{ending}"
        dc.figures.save(draw(name), here, dpi=50)
        digests = {hashlib.sha256(path.read_bytes()).hexdigest() for path in (here, there)}
        assert len(digests) == 1, name


@pytest.mark.parametrize("name", DRAW)
def test_drawing_and_saving_touches_no_settings_and_no_pyplot(name, tmp_path):
    code = f"""
import sys
import matplotlib
import d2lconv as dc
from d2lconv.training.history import Epoch as E
F = dc.figures
before = list(dict.items(matplotlib.rcParams))  # asking for one by one loads pyplot
F.save({DRAW[name]}, sys.argv[1] + "/figure.svg")
assert list(dict.items(matplotlib.rcParams)) == before
assert "matplotlib.pyplot" not in sys.modules
"""
    python(code, str(tmp_path))


@pytest.mark.parametrize("name", ONE_AXES)
def test_a_single_picture_can_be_drawn_on_axes_of_your_own(name):
    mine = Figure()
    left, right = mine.subplots(1, 2)
    assert draw(name, ax=right) is mine
    assert right.has_data()
    assert not left.has_data()


@pytest.mark.parametrize("name", DRAW)
def test_nothing_is_clipped(name):
    """All that is drawn lies within the figure, but for half a pixel of rounding."""
    figure = draw(name)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    box = figure.get_tightbbox(canvas.get_renderer())
    (width, height), half = figure.get_size_inches(), 0.5 / figure.dpi
    assert min(box.x0, box.y0) >= -half
    assert box.x1 <= width + half
    assert box.y1 <= height + half


# The signed colours are 256, and none is in the middle: that of 0 is half a step from it, 1/510 of
# them all. A quarter of them lies between black and the next named colour, whose channels are <= 1.
BLACK = 4 / 510


@pytest.mark.parametrize("colours", [matplotlib.colormaps["gray"], SIGNED])
def test_numbers_are_readable_on_every_colour(colours):
    """The Web Content Accessibility Guidelines ask for a contrast of 4.5."""
    for colour in colours(np.linspace(0, 1, 256)):
        pair = sorted([luminance(colour), luminance(ink(colour))])
        assert (pair[1] + 0.05) / (pair[0] + 0.05) > 4.5


def test_a_heat_map_has_the_number_of_every_element_and_its_colour():
    figure = dc.figures.heat_map([[0.5, -1], [-0.0, 2]])
    (ax,) = figure.axes
    pixels = np.asarray(ax.images[0].get_array())
    texts = {text.get_position(): text for text in ax.texts}
    assert {place: text.get_text() for place, text in texts.items()} == {
        (0, 0): "0.5",
        (1, 0): "\N{MINUS SIGN}1",
        (0, 1): "0",
        (1, 1): "2",
    }
    for (j, i), text in texts.items():
        assert text.get_color() == ink(pixels[i, j])
    # 0 is black, and opposite numbers are equally far from it: 2 is the end of the oranges.
    assert pixels[1, 0, :3].max() < 0.02
    assert pixels[1, 1, 0] > pixels[1, 1, 2]
    assert pixels[0, 1, 2] > pixels[0, 1, 0]


@pytest.mark.parametrize("kernel", [dc.kernels.sharpen(), dc.kernels.gaussian_blur(1)])
def test_what_keeps_the_brightness_is_grey_and_0_is_black_everywhere(kernel):
    shown = [
        dc.figures.correlation(dc.photograph("coins"), kernel).axes[2].images[0].get_array(),
        dc.figures.heat_map([[0, 1]]).axes[0].images[0].get_array(),
    ]
    for pixels in map(np.asarray, shown):
        assert (np.ptp(pixels[..., :3], axis=-1) == 0).all()
    for matrix in ([[0, 1]], [[0, -1]], [[-5, 0, 3]]):
        pixels = np.asarray(dc.figures.heat_map(matrix).axes[0].images[0].get_array())
        assert pixels[0, matrix[0].index(0), :3].max() <= BLACK


def test_a_correlation_shows_input_kernel_and_output():
    titles = [ax.get_title() for ax in draw("correlation").axes]
    assert titles == ["X, 6x8", "K, 1x2", "Y, 6x7"]
    output = [text.get_text() for text in draw("correlation").axes[2].texts[:7]]
    assert output == ["0", "1", "0", "0", "0", "\N{MINUS SIGN}1", "0"]


def test_the_steps_write_out_the_lessons_four_sums():
    *panels, kernel = draw("windows").axes
    assert [text.get_text() for text in kernel.texts] == ["0", "1", "2", "3"]
    assert [ax.get_xlabel() for ax in panels] == [
        "0·0 + 1·1 + 3·2 + 4·3 = 19",
        "1·0 + 2·1 + 4·2 + 5·3 = 25",
        "3·0 + 4·1 + 6·2 + 7·3 = 37",
        "4·0 + 5·1 + 7·2 + 8·3 = 43",
    ]
    corners = [ax.patches[-1].get_xy() for ax in panels]
    assert corners == [(-0.5, -0.5), (0.5, -0.5), (-0.5, 0.5), (0.5, 0.5)]


def test_a_toeplitz_matrix_has_numbers_in_its_blocks_only():
    (ax,) = draw("toeplitz").axes
    assert len(ax.texts) == 4 * 4  # four rows, four elements of the kernel, its zero included
    assert ax.get_title() == "K as a matrix 4x9: 2x3 blocks of 2x3"


def test_losses_that_coincide_are_reported_apart_by_width_colour_and_marker():
    X = dc.edge_image()
    run = dc.learn_kernel(X, dc.corr2d(X, [[1, -1]]), (1, 2))
    figure = dc.figures.losses([run, run, run])
    lines = figure.axes[0].lines
    assert [line.get_label() for line in lines] == ["NumPy", "NumPy, run 2", "NumPy, run 3"]
    for line in lines:
        np.testing.assert_array_equal(line.get_ydata(), run.losses)
    for what in ("get_color", "get_marker", "get_linewidth", "get_markersize"):
        assert len({getattr(line, what)() for line in lines}) == 3, what
    widths = [line.get_linewidth() for line in lines]
    assert widths == sorted(widths, reverse=True)


def test_the_way_down_the_surface_is_the_way_that_learning_takes():
    X = dc.edge_image()
    Y = dc.corr2d(X, [[1, -1]])
    figure = dc.figures.error_surface(X, Y, epochs=4, seed=5)
    way = figure.axes[0].lines[1].get_xydata()
    run = dc.learn_kernel(X, Y, (1, 2), epochs=4, seed=5)
    assert len(way) == 5
    np.testing.assert_array_equal(way[0], run.initial[0])
    np.testing.assert_array_equal(way[-1], run.kernel[0])
    best = figure.axes[0].lines[-1].get_xydata()[0]
    # Least squares of a problem of condition number 30 / 6, in float64, a few roundings each.
    np.testing.assert_allclose(best, [1, -1], rtol=100 * 2.0**-52)
    turned = dc.figures.error_surface(X.T, Y.T)
    assert turned.axes[0].get_ylabel() == "K[1, 0]"


def test_a_receptive_field_is_coloured_where_it_is():
    field = dc.receptive_field([dc.Window(3, padding=1)] * 3, (0, 0), input_shape=(5, 6))
    (ax,) = draw("receptive_field").axes
    seen = np.asarray(ax.images[0].get_array())
    assert {(int(i), int(j)) for i, j in np.argwhere(seen)} == field.elements
    dashed = ax.patches[-1]
    assert (dashed.get_xy(), dashed.get_width()) == ((-3.5, -3.5), 7)


def test_a_bank_shows_what_each_filter_makes_of_the_photograph():
    figure = dc.figures.filter_bank("coins", [dc.kernels.sobel(0), dc.kernels.sobel(1)])
    image, *panels = figure.axes
    np.testing.assert_array_equal(image.images[0].get_array(), dc.photograph("coins"))
    for n in (0, 1):
        answer = dc.corr2d(dc.photograph("coins"), dc.kernels.sobel(n))
        np.testing.assert_array_equal(panels[2 * n].images[0].get_array(), dc.kernels.sobel(n))
        np.testing.assert_array_equal(panels[2 * n + 1].images[0].get_array(), answer)
    assert len(dc.figures.filter_bank().axes) == 13


def test_outputs_that_keep_the_brightness_are_grey_and_signed_ones_are_black_at_0():
    bank = [dc.kernels.gaussian_blur(2), dc.kernels.sharpen(2), dc.kernels.sobel()]
    _, *panels = dc.figures.filter_bank("coins", bank).axes
    blurred, sharpened, edges = (panel.images[0] for panel in panels[1::2])
    photo = dc.photograph("coins")
    for one in (blurred, sharpened):
        assert (one.get_cmap().name, one.get_clim()) == ("gray", (0, photo.max()))
    assert max(edges.to_rgba(0.0)[:3]) <= BLACK


def test_figures_take_tensors_of_every_backend(d2l):
    X, K = d2l.tensor(IMAGE), d2l.tensor(KERNEL)
    assert dc.figures.windows(X, K).axes[0].get_xlabel().endswith("= 19")
    assert len(dc.figures.toeplitz(K, (3, 3)).axes[0].texts) == 16
    X = d2l.edge_image()
    run = d2l.learn_kernel(X, d2l.corr2d(X, [[1, -1]]), (1, 2))
    assert dc.figures.losses([run]).axes[0].lines[0].get_label() == d2l.framework


def test_without_matplotlib_the_error_says_what_to_install():
    code = """
import sys
sys.modules["matplotlib"] = None
import d2lconv as dc
try:
    dc.figures
except dc.ExtraNotInstalled as error:
    print(error)
"""
    assert 'needs matplotlib, which is not installed. Run: pip install "d2lconv[plots]"' in re.sub(
        r"\.\w+,", ",", python(code).stdout
    )


def test_matplotlib_is_not_imported_before_it_is_asked_for():
    python("import sys, d2lconv; assert 'matplotlib' not in sys.modules; d2lconv.figures")


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda f: f.heat_map([1, 2]), ShapeError, "matrix has 1 dimension"),
        (lambda f: f.heat_map([[1]], ax=3), ArgumentError, "ax is a int; it must be matplotlib"),
        (lambda f: f.correlation([[1]], [[1, 2]]), ShapeError, "larger than the image"),
        (lambda f: f.windows(np.zeros((9, 9)), [[1]]), ArgumentError, "81 places .* more than 25"),
        (lambda f: f.toeplitz([[1]], (0, 1)), ShapeError, "input_shape is"),
        (lambda f: f.losses([]), ArgumentError, "there are 0 runs; there must be 1 to 6"),
        (lambda f: f.losses([[1, 2]]), ArgumentError, "a run is a list"),
        (lambda f: f.losses({"a": []}), ArgumentError, "run 'a' has no losses"),
        (lambda f: f.losses({"a": [float("nan")]}), ArgumentError, "not finite"),
        (lambda f: f.error_surface(IMAGE, IMAGE), ShapeError, r"kernel has the size \(1, 1\)"),
        (lambda f: f.error_surface([1], [1]), ShapeError, "both must be matrices"),
        (
            lambda f: f.error_surface(dc.edge_image(), dc.edge_image()[:, 1:], lr=9),
            Diverged,
            "learning diverged at step 2: with lr=9",
        ),
        (lambda f: f.receptive_field([], (3, 3)), ArgumentError, "layers is empty"),
        (lambda f: f.receptive_field([2], (3, 3), (2, 2)), ArgumentError, "inside the output"),
        (lambda f: f.filter_bank("moon"), ArgumentError, "unknown photograph 'moon'"),
        (lambda f: f.filter_bank(bank=[]), ArgumentError, "bank has 0 kernels"),
        (lambda f: f.filter_bank(bank=[[[1]]], titles=[]), ArgumentError, "0 titles for 1 kernels"),
        (lambda f: f.save("figure", "a.png"), ArgumentError, "figure is a str"),
        (lambda f: f.save(f.heat_map([[1]]), "a.gif"), ArgumentError, "unknown ending 'gif'"),
    ],
)
def test_bad_input_says_what_is_allowed(call, error, words):
    with pytest.raises(error, match=words):
        call(dc.figures)


@pytest.fixture(scope="module")
def heroes():
    """The script that draws the first picture of each lesson."""
    return runpy.run_path(str(ROOT / ".github" / "heroes.py"))


@pytest.mark.parametrize("name", [lesson.name for lesson in lessons()])
def test_the_first_picture_of_a_lesson_shows_what_the_library_computes(heroes, name):
    """Its images, decoded, and all the rest are those of the script that makes it."""

    def parts(text):
        images = re.findall(r"base64,([^\"]+)", text)
        decoded = [np.asarray(Image.open(io.BytesIO(base64.b64decode(each)))) for each in images]
        return re.sub(r"base64,[^\"]+", "", text), decoded

    drawn = (ROOT / "notebooks" / name / "hero.svg").read_text("utf-8")
    (there, images), (here, again) = parts(drawn), parts(heroes["LESSONS"][name]())
    assert there == here
    for one, other in zip(images, again, strict=True):
        np.testing.assert_array_equal(one, other)


def test_where_a_photograph_has_no_edge_the_first_picture_is_black(heroes):
    _, Y = heroes["pixels"]()
    flat = dc.numpy.corr2d(dc.numpy.photograph("cameraman"), dc.numpy.kernels.sobel(1)) == 0
    assert flat.any()
    assert Y[flat].max() <= 5  # the middle of 256 colours is one step from black at most


@pytest.mark.parametrize("name", DRAW)
def test_a_notebook_gets_a_picture_that_follows_its_readers_colours(name):
    """As SVG, in which ink and paper are named, and as PNG with twice as many pixels."""
    data, about = draw(name)._repr_mimebundle_()
    again, _ = draw(name)._repr_mimebundle_()
    assert data == again
    drawn = data["image/svg+xml"]
    assert drawn.startswith("<svg ")
    for colour in ("#000000", "#ffffff"):
        assert drawn.count(colour) == drawn.count(f", {colour})")
    assert "prefers-color-scheme: dark" in drawn
    assert "matplotlib.org" not in drawn
    with Image.open(io.BytesIO(base64.b64decode(data["image/png"]))) as image:
        size = image.size
    shown = about["image/png"]
    assert np.abs(np.array(size) - 2 * np.array([shown["width"], shown["height"]])).max() <= 2
    assert about["image/svg+xml"]["alt"] == shown["alt"]
    # The smallest letters are 1em high there, and the widest picture fits a page of 920 pixels.
    letters = float(about["image/svg+xml"]["width"].removesuffix("em"))
    assert letters == round(draw(name).get_figwidth() * 72 / SMALL, 2)  # as it is written
    assert letters * 17 <= 920
