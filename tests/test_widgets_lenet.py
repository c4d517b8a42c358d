"""The widget that reads what is drawn: its network, its arithmetic, its pen, and its page."""

from fractions import Fraction

import mpmath
import numpy as np
import pytest
from javascript import script

import d2lconv as dc
from d2lconv import widgets
from d2lconv.core.lenet import CLASSES
from d2lconv.training import owner
from d2lconv.training.loop import digest
from d2lconv.widgets import trained
from d2lconv.widgets.pages import defaults

GIVEN = defaults("lenet")
MAPS = ("activation1", "pool1", "activation2", "pool2", "activation3", "activation4", "dense3")
# Of the parameters that ten epochs leave, in any framework: `d2lconv train --epochs 10` tells it.
SHA256 = "1e47e5689ad6655cb0310697fc01e9a8782c63549298037cf33f22f5d71346f0"
# The page subtracts the largest logit in float64, which is exact (the test asks); its exp is
# fdlibm's, which states an error below 1 ulp = 2u; a sum of ten rounds nine times, a quotient once.
# So a power errs by 2u, the sum of powers by (2 + 9)u and a share by 14u, and less than a further u
# comes from products of these.
SHARES_APART = 15 * 2.0**-53
# Each as somebody may draw it, in parts of the sheet's side.
STROKES = {
    1: [[[0.5, 0.2], [0.5, 0.8]]],
    7: [[[0.25, 0.2], [0.75, 0.2], [0.4, 0.8]]],
    0: [[[0.5 + 0.2 * np.sin(t), 0.5 - 0.3 * np.cos(t)] for t in np.linspace(0, 2 * np.pi, 40)]],
}


@pytest.fixture(scope="module")
def net():
    """The network that the page has: with rounded parameters."""
    net = trained.network()
    native, left = owner(net), trained.steps() * np.float32(trained.STEP)
    values = {}
    for name, value in native.parameters(net).items():
        values[name], left = left[: value.size].reshape(value.shape), left[value.size :]
    assert left.size == 0
    native.assign(net, values)
    return net


def bits(values):
    return np.asarray(values, np.float32).ravel().view(np.uint32).tolist()


def passed(images):
    """The bits of all maps that the page makes of images, and its probabilities."""
    return script(
        widgets.module("lenet"),
        """const net = learned(weights);
        return images.map((image) => {
          const found = passed(net, matrix(image));
          return [names.map((name) => bits([found[name]].flat(3))), softmax(found.dense3)];
        });""",
        weights=GIVEN["weights"],
        images=[image.tolist() for image in images],
        names=MAPS,
    )


def inked(lines):
    """What a pen leaves that is 1.2 pixels wide to each side, and half a pixel softer there."""
    near = np.full((28, 28), np.inf)
    i, j = np.indices(near.shape)
    for line in lines:
        for (ax, ay), (bx, by) in zip([line[0], *line], line, strict=False):
            dx, dy = bx - ax, by - ay
            along = ((j - ax) * dx + (i - ay) * dy) / (dx * dx + dy * dy or 1)
            along = along.clip(0, 1)
            near = np.minimum(near, np.hypot(j - ax - along * dx, i - ay - along * dy))
    return np.float32(np.floor(255 * (1.2 + 0.5 - near).clip(0, 1) + 0.5) / 255)


def centred(strokes):
    """Strokes 20 pixels large, ink included: in the middle, then moved until their ink is there."""
    points = np.concatenate(strokes)
    middle = (points.min(axis=0) + points.max(axis=0)) / 2
    scale = (20 - 2 * 1.2) / np.ptp(points, axis=0).max()
    lines = [(np.array(stroke) - middle) * scale for stroke in strokes]
    first = np.float64(inked([line + 14 for line in lines]))
    mass = [first.sum(axis=axis) @ np.arange(28) / first.sum() for axis in (0, 1)]
    return inked([line + (28 - np.array(mass)) for line in lines])


def drawn(strokes):
    """The image that the page makes of strokes."""
    return np.float32(script(widgets.module("lenet"), "return drawing(strokes);", strokes=strokes))


def test_the_network_is_the_one_that_training_made():
    net = trained.network()
    assert dict(net.made.options) == {
        "method": "rounded",
        "activation": "tanh",
        "pool": "max",
        "layer": "d2lconv",
    }
    values = owner(net).parameters(net)
    assert digest(values) == SHA256, "python .github/lenet.py makes it"
    rounded = trained.steps() * trained.STEP
    exact = np.concatenate([value.ravel() for value in values.values()])
    assert np.abs(rounded - exact).max() <= trained.STEP / 2
    assert len(GIVEN["weights"]) + sum(map(len, GIVEN["digits"])) < 300_000


def test_it_reads_digits_that_it_has_not_seen(net):
    images, labels = dc.numpy.digits(train=False)
    assert len(labels) == 1000
    assert (net(images).argmax(axis=1) == labels).mean() >= 0.95


def test_all_maps_have_the_librarys_bits(net):
    random = np.random.default_rng(0).integers(0, 256, (2, 28, 28)) / np.float32(255)
    images = [*trained.samples(), *map(drawn, STROKES.values()), *random, np.zeros((28, 28))]
    for image, (maps, shares) in zip(images, passed(images), strict=True):
        outputs = owner(net).outputs(net, np.float32(image)[None, None])
        named = dict(zip(net.layers, outputs, strict=True))
        assert maps == [bits(named[name]) for name in MAPS]
        for one in outputs[-1][0]:
            most = float(outputs[-1].max())
            assert Fraction(float(one) - most) == Fraction(float(one)) - Fraction(most)
        with mpmath.workprec(200):
            powers = [mpmath.exp(float(one)) for one in outputs[-1][0]]
            truth = [power / mpmath.fsum(powers) for power in powers]
            errors = [abs(share / true - 1) for share, true in zip(shares, truth, strict=True)]
            assert max(errors) <= SHARES_APART


def test_the_written_digits_are_the_librarys():
    found = script(
        widgets.module("lenet"),
        "return digits.map((text) => bits(matrix(unpacked(text)).flat()));",
        digits=GIVEN["digits"],
    )
    assert found == [bits(image) for image in trained.samples()]
    images, labels = dc.numpy.digits(train=False)
    for digit, image in enumerate(trained.samples()):
        assert digit in labels[(images[:, 0] == image).all(axis=(1, 2))]


@pytest.mark.parametrize("digit", STROKES)
@pytest.mark.parametrize(("size", "place"), [(1, (0, 0)), (0.3, (0.6, 0.1))])
def test_what_is_drawn_is_as_large_as_mnists_and_in_the_middle(net, digit, size, place):
    strokes = [(np.array(STROKES[digit][0]) * size + place).tolist()]
    image = drawn(strokes)
    np.testing.assert_array_equal(image, centred(strokes))
    rows, columns = (np.flatnonzero(image.any(axis=axis)) for axis in (1, 0))
    # A pen's soft edge touches up to a pixel more on either side of 20.
    assert 19 <= max(np.ptp(rows), np.ptp(columns)) + 1 <= 22
    centre = [image.sum(axis=axis) @ np.arange(28) / image.sum() for axis in (1, 0)]
    np.testing.assert_array_equal(np.rint(centre), 14)
    assert set(np.unique(image * 255) % 1) == {0}
    assert net(image[None, None]).argmax() == digit


def test_a_dot_and_nothing_are_images_too():
    assert not drawn([]).any()
    dot = drawn([[[0.9, 0.1]]])
    assert dot[13:16, 13:16].sum() == dot.sum() > 3


def status(page):
    return page.locator(".status").inner_text()


def draw(page, strokes):
    box = page.locator(".sheet").bounding_box()
    for first, *others in strokes:
        page.mouse.move(box["x"] + first[0] * box["width"], box["y"] + first[1] * box["height"])
        page.mouse.down()
        for x, y in others:
            page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"], steps=3)
        page.mouse.up()


def percents(net, image):
    logits = np.float64(net(np.float32(image)[None, None])[0])
    powers = np.exp(logits - logits.max())
    return [f"{share:.1f}%" for share in 100 * powers / powers.sum()]


@pytest.mark.slow(reason="it opens a widget in a browser")
def test_it_begins_with_a_written_digit_and_reads_others(visit, net):
    page = visit(widgets.page("lenet"))
    assert status(page).startswith("It reads 3 (")
    assert page.locator(".sheets").nth(2).locator("canvas").count() == 16
    for digit in range(CLASSES):
        page.get_by_role("button", name=f"A written {digit}").press("Enter")
        shown = page.locator(".share").all_inner_texts()
        assert shown == percents(net, trained.samples()[digit])
        assert status(page).startswith(f"It reads {digit} (")
    page.get_by_role("button", name="Clear the sheet").click()
    assert status(page).startswith("The sheet is empty, and still it reads ")


@pytest.mark.slow(reason="it opens a widget in a browser")
def test_it_reads_what_is_drawn_while_it_is_drawn(visit):
    page = visit(widgets.page("lenet"))
    for digit, strokes in STROKES.items():
        page.get_by_role("button", name="Clear the sheet").click()
        draw(page, strokes)
        assert status(page).startswith(f"It reads {digit} (")
        assert page.locator(".sheet polyline").count() == 1
    page.get_by_role("button", name="A written 4").click()
    assert page.locator(".sheet polyline").count() == 0
    before = status(page)
    page.mouse.move(5, 5)  # without a press, nothing is drawn
    box = page.locator(".sheet").bounding_box()
    page.mouse.move(box["x"] + 9, box["y"] + 9)
    assert status(page) == before


@pytest.mark.slow(reason="it opens a widget in a browser")
def test_a_stroke_goes_on_where_the_page_has_marked_text(visit):
    """Else the browser drags the text, and the stroke ends where it began."""
    page = visit(widgets.page("lenet"))
    page.get_by_role("button", name="Clear the sheet").click()
    page.evaluate("getSelection().selectAllChildren(document.body)")
    draw(page, STROKES[7])
    assert status(page).startswith("It reads 7 (")


@pytest.mark.slow(reason="it opens a widget in a browser")
def test_a_finger_draws_and_does_not_scroll(visit):
    page = visit(widgets.page("lenet"), width=390, has_touch=True, is_mobile=True)
    box = page.locator(".sheet").bounding_box()
    touch = page.context.new_cdp_session(page)
    for kind, y in (("Start", 0.2), ("Move", 0.4), ("Move", 0.6), ("Move", 0.8), ("End", None)):
        points = []
        if y is not None:
            points.append({"x": box["x"] + box["width"] / 2, "y": box["y"] + y * box["height"]})
        touch.send("Input.dispatchTouchEvent", {"type": f"touch{kind}", "touchPoints": points})
    page.get_by_text("It reads 1 (").wait_for()
    assert page.evaluate("scrollY") == 0
