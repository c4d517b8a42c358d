"""The widget of channels computes what the library computes, and shows it."""

import numpy as np
import pytest
from javascript import part, script

import d2lconv as dc
from d2lconv import ShapeError, widgets

X = np.arange(9).reshape(3, 3) + np.arange(3)[:, None, None]
K = np.arange(4).reshape(2, 2) + np.arange(3)[:, None, None] + np.arange(3)[:, None, None, None]


def test_the_sum_over_channels_has_the_librarys_bits():
    random = np.random.default_rng(21)
    cases = []
    for _ in range(60):
        c, kh, kw, H, W = random.integers(1, 5, 5)
        sizes = (c, kh + H - 1, kw + W - 1), (c, kh, kw)
        cases.append([random.normal(size=size).astype(np.float32) for size in sizes])
    found = script(
        part("arithmetic.js"),
        "return cases.map(([X, K]) => folded(X.map((sheet, c) => corr2d(sheet, K[c]))));",
        cases=[[one.tolist() for one in case] for case in cases],
    )
    for (image, kernel), Y in zip(cases, found, strict=True):
        assert np.array(Y, np.float32).tolist() == dc.numpy.corr2d(image, kernel).tolist()


def board(page, name):
    return page.get_by_role("group", name=name, exact=True)


def numbers(page, name):
    return [int(text) for text in board(page, name).locator("> *").all_inner_texts()]


def said(page):
    return page.locator(".sum").inner_text()


@pytest.mark.slow(reason="it opens a widget in a browser")
def test_channels_begin_with_the_lessons_numbers_and_every_output_has_its_kernel(visit):
    page = visit(widgets.page("channels"))
    Y = dc.numpy.corr2d(X, K)
    assert said(page) == (
        "(0·0 + 1·1 + 3·2 + 4·3) + (1·1 + 2·2 + 4·3 + 5·4) + (2·2 + 3·3 + 5·4 + 6·5)"
        " = 19 + 37 + 63 = 119"
    )
    for o in range(3):
        assert numbers(page, f"Output {o + 1}") == Y[o].ravel().tolist()
    board(page, "Output 1").get_by_role("button", name="row 1, column 1").press("ArrowRight")
    assert said(page).endswith(" = 25 + 47 + 77 = 149")
    board(page, "Output 3").get_by_role("button", name="row 2, column 1").click()
    assert said(page).endswith(f" = {Y[2, 1, 0]:.0f}")
    field = page.get_by_label("Kernel 3, sheet 2, row 1, column 1")
    assert field.input_value() == str(K[2, 1, 0, 0])
    field.fill("-1")
    changed = K.copy()
    changed[2, 1, 0, 0] = -1
    assert numbers(page, "Output 3") == dc.numpy.corr2d(X, changed[2]).ravel().tolist()
    assert numbers(page, "Output 1") == Y[0].ravel().tolist()


@pytest.mark.slow(reason="it opens a widget in a browser")
def test_channels_have_other_sizes_and_kernels_of_one_pixel(visit):
    page = visit(widgets.page("channels"))
    page.get_by_label("Kernel", exact=True).select_option("1")
    assert said(page) == "0·0 + 1·1 + 2·2 = 0 + 1 + 4 = 5"
    weights = np.arange(3) + np.arange(3)[:, None]
    dense = np.einsum("oc,chw->ohw", weights, X)
    for o in range(3):
        assert numbers(page, f"Output {o + 1}") == dense[o].ravel().tolist()
    page.get_by_label("Sheets").select_option("1")
    page.get_by_label("Outputs").select_option("2")
    assert said(page) == "0·0 = 0"
    assert page.get_by_role("group", name="Output").count() == 2


def test_the_still_picture_has_every_sheet_and_the_sum():
    still = widgets.Channels()._still(dc.figures)
    titles = [ax.get_title() for ax in still.axes]
    assert titles == [f"{one}[{c}]" for c in range(3) for one in "XKY"] + ["Y, 2x2"]
    drawn = [int(text.get_text()) for text in still.axes[-1].texts]
    assert drawn == dc.numpy.corr2d(X, K)[0].ravel().tolist()


@pytest.mark.parametrize("kernel", [K[0][:2], K[0][0], K])
def test_a_kernel_of_other_channels_is_not_drawn(kernel):
    with pytest.raises(ShapeError):
        dc.figures.correlation(X, kernel)
