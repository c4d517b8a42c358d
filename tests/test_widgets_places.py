"""The widgets of padding, strides and pooling compute what the library computes."""

import numpy as np
import pytest
from chosen import demand_extra
from javascript import part, script

import d2lconv as dc
from d2lconv import widgets

MODULE = "\n".join(part(name) for name in ("arithmetic.js", "places.js")).replace(
    'import { build } from "./arithmetic.js";', ""
)


def cases(count):
    """Random images, kernels, frames, strides and dilations that have a place at least."""
    random = np.random.default_rng(11)
    found = []
    while len(found) < count:
        h, w, kh, kw = random.integers(1, [9, 9, 4, 4]).tolist()
        padding = random.integers(0, 3, (2, 2)).tolist()
        stride, dilation = random.integers(1, 4, 2).tolist(), random.integers(1, 3, 2).tolist()
        reach = [d * (k - 1) + 1 for d, k in zip(dilation, (kh, kw), strict=True)]
        if all(n + sum(p) >= r for n, p, r in zip((h, w), padding, reach, strict=True)):
            X, K = (random.normal(size=s).astype(np.float32).tolist() for s in ((h, w), (kh, kw)))
            found.append({"X": X, "K": K, "frame": padding, "stride": stride, "dilation": dilation})
    return found


def test_strided_has_the_librarys_bits():
    some = cases(150)
    found = script(
        MODULE,
        "return cases.map((c) => strided(c.X, c.K, c.frame, c.stride, c.dilation));",
        cases=some,
    )
    for case, Y in zip(some, found, strict=True):
        options = {"padding": case["frame"], "stride": case["stride"], "dilation": case["dilation"]}
        own = dc.numpy.corr2d(case["X"], case["K"], **options)
        assert np.array(Y, np.float32).tolist() == own.tolist()


def test_same_is_the_librarys():
    some = cases(200)
    frames = script(
        MODULE,
        """return cases.map((c) => [0, 1].map((axis) => sameFrame(
          [c.X.length, c.X[0].length][axis], [c.K.length, c.K[0].length][axis],
          c.stride[axis], c.dilation[axis])));""",
        cases=some,
    )
    for case, frame in zip(some, frames, strict=True):
        options = {"stride": case["stride"], "dilation": case["dilation"]}
        same = dc.numpy.corr2d(case["X"], case["K"], padding="same", **options)
        own = dc.numpy.corr2d(case["X"], case["K"], padding=frame, **options)
        assert same.tolist() == own.tolist()


@pytest.mark.parametrize("mode", ["max", "avg"])
@pytest.mark.parametrize("outside", [None, 0])
def test_pooled_is_the_librarys(mode, outside):
    random = np.random.default_rng(12)
    some = []
    for _ in range(100):
        X = random.integers(-9, 10, random.integers(3, 8, 2)).tolist()
        size, stride = random.integers(1, 4, 2).tolist(), random.integers(1, 4, 2).tolist()
        padding = [int(random.integers(k)) for k in size]
        some.append({"X": X, "size": size, "stride": stride, "padding": padding})
    found = script(
        MODULE,
        """return cases.map(({ X, size, stride, padding }) =>
          pooled(X, mode, size, padding.map((p) => [p, p]), stride, outside));""",
        cases=some,
        mode=mode,
        outside=outside,
    )
    for case, Y in zip(some, found, strict=True):
        X, options = case["X"], {"mode": mode, "stride": case["stride"]}
        if outside == 0:
            X = np.pad(X, [(p, p) for p in case["padding"]])
        else:
            options["padding"] = case["padding"]
        own = dc.numpy.pool2d(X, case["size"], **options)
        assert np.array(Y, np.float32).tolist() == own.tolist()


def shown(page, name):
    return page.get_by_role("group", name=name).locator("> *").all_inner_texts()


def test_padding_and_strides_begin_as_in_the_lesson_and_change(visit):
    page = visit(widgets.page("strides"))
    whole = " ".join(shown(page, "Output"))
    assert whole == "0 3 8 4 9 19 25 10 21 37 43 16 6 7 8 0"
    assert "Height: ⌊(3 + 2 − 2) / 1⌋ + 1 = 4" in page.locator(".formula").inner_text()
    page.get_by_label("Stride, rows").select_option("3")
    page.get_by_label("Stride, columns").select_option("2")
    assert shown(page, "Output") == ["0", "8", "6", "8"]
    page.get_by_role("button", name="Output, row 1, column 1").press("ArrowRight")
    assert page.locator(".sum").inner_text() == "0·0 + 0·1 + 1·2 + 2·3 = 8"
    page.get_by_role("button", name="“same”").click()
    assert shown(page, "Input")[:4] == ["0", "1", "2", "0"]  # with the odd column at the right
    page.get_by_role("button", name="No frame").click()
    page.get_by_label("Dilation, rows").select_option("2")
    page.get_by_label("Kernel rows").select_option("3")
    assert "no place at all" in page.locator(".stage").inner_text()


def test_pooling_begins_as_in_the_lesson_and_shows_both_traps(visit):
    page = visit(widgets.page("pooling", size=[3, 3], padding=[1, 1]))
    assert shown(page, "Largest") == ["5", "7", "13", "15"]
    assert shown(page, "Mean")[0] == "2.5"
    page.get_by_label("Outside stand").select_option("zeros")
    assert shown(page, "Mean")[0] == "1.111"
    page.get_by_role("button", name="Change all signs").click()
    assert shown(page, "Largest") == ["0", "0", "0", "−5"]
    page.get_by_label("Outside stand").select_option("nothing")
    assert shown(page, "Largest") == ["0", "−1", "−4", "−5"]
    page.get_by_role("button", name="An edge").click()
    before = shown(page, "Input")
    page.get_by_role("button", name="Shift by a pixel").click()
    assert shown(page, "Input") != before


def test_a_border_is_dragged_out_by_pointer_and_by_keys(visit):
    page = visit(widgets.page("strides"))
    output, formula = page.get_by_role("group", name="Output"), page.locator(".formula")
    border = page.get_by_role("button", name="Border below")
    box = border.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x, y + 40, steps=4)  # a cell's height
    assert "Height: ⌊(3 + 3 − 2) / 1⌋ + 1 = 5" in formula.inner_text()
    page.mouse.move(x, y + 400, steps=4)
    assert "Height: ⌊(3 + 3 − 2) / 1⌋ + 1 = 5" in formula.inner_text()  # two is the most
    page.mouse.move(x, y - 80, steps=4)
    page.mouse.up()
    assert "Height: ⌊(3 + 1 − 2) / 1⌋ + 1 = 3" in formula.inner_text()
    assert page.get_by_label("Zeros below").input_value() == "0"
    page.mouse.move(x, y + 40)  # it is let go
    page.get_by_role("button", name="Border left, 1 deep").press("ArrowLeft")
    page.keyboard.press("ArrowLeft")  # the border keeps the keys
    assert "Width: ⌊(3 + 3 − 2) / 1⌋ + 1 = 5" in formula.inner_text()
    own = dc.numpy.corr2d(
        np.arange(9).reshape(3, 3), [[0, 1], [2, 3]], padding=((1, 0), (2, 1))
    ).ravel()
    assert [int(text) for text in output.locator("> *").all_inner_texts()] == own.tolist()


def test_photographs_are_pooled_as_pictures_and_shifted(visit):
    page = visit(widgets.page("pooling"))
    page.get_by_role("button", name="Photograph: coins").click()
    assert page.locator(".panel .name").all_inner_texts() == [
        "Input 64×64",
        "Largest 32×32",
        "Mean 32×32",
    ]
    image = (
        np.round(255 * dc.photograph("coins").reshape(64, 2, 64, 2).mean((1, 3))) / 255
    ).astype(np.float32)

    def said(image, i, j):
        largest, mean = (dc.numpy.pool2d(image, 2, mode=m, stride=2)[i, j] for m in ("max", "avg"))
        return f"the largest is {largest:.4g}, the mean of 4 is {mean:.4g}."

    page.get_by_role("application", name="Largest").press("ArrowDown")
    page.keyboard.press("ArrowRight")  # the picture keeps the keys
    assert page.locator(".sum").inner_text().endswith(said(image, 1, 1))
    page.get_by_role("button", name="Shift by a pixel").click()
    assert page.locator(".sum").inner_text().endswith(said(np.roll(image, 1, axis=1), 1, 1))
    box = page.get_by_role("application", name="Mean").bounding_box()
    page.mouse.click(box["x"] + 20.5 * box["width"] / 32, box["y"] + 9.5 * box["height"] / 32)
    assert page.locator(".sum").inner_text().endswith(said(np.roll(image, 1, axis=1), 9, 20))
    page.get_by_role("button", name="Count").click()
    assert shown(page, "Largest") == ["5", "7", "13", "15"]


@pytest.mark.parametrize("name", ["strides", "pooling"])
@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_they_fit_and_an_audit_finds_nothing_serious(visit, name, width, scheme):
    axe = demand_extra("axe_playwright_python.sync_playwright", "browser")
    image = [[8 * i + j for j in range(8)] for i in range(8)]
    if name == "pooling":  # a picture
        image = [[8 * i + j for j in range(20)] for i in range(20)]
    page = visit(widgets.page(name, input=image), width=width, color_scheme=scheme)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    violations = axe.Axe().run(page).response["violations"]
    serious = [v for v in violations if v["impact"] in ("serious", "critical")]
    assert [(v["id"], [node["html"] for node in v["nodes"]][:3]) for v in serious] == []
