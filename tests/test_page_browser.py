"""The lesson's page in a real browser: from disk, without a network, wide and narrow."""

import re

import pytest
from chosen import demand_extra

from d2lconv import published
from d2lconv.notebook import document, lesson
from d2lconv.notebook.page import page

pytestmark = pytest.mark.slow(reason="it opens pages in a browser")

VIEWS = {"numpy": "NumPy", "jax": "JAX", "mxnet": "MXNet", "torch": "PyTorch", "tf": "TensorFlow",
         "together": "Side by side"}  # fmt: skip


@pytest.fixture(scope="module")
def html():
    return page(document.load(lesson.find("conv_layer")))


def choose(page, view):
    page.locator(".views").get_by_text(VIEWS[view], exact=True).click()


def seen(page, selector):
    """The elements that a reader can see."""
    return page.locator(selector).filter(visible=True)


def test_a_framework_is_chosen_everywhere_at_once(visit, html):
    page = visit(html)
    spelled = {
        "torch": "tensor([[19., 25.]",
        "tf": "<tf.Variable",
        "jax": "Array([[19., 25.]",
        "mxnet": "array([[19., 25.]",
        "numpy": "array([[19., 25.]",
    }
    for view, text in spelled.items():
        choose(page, view)
        assert page.locator("h1").filter(visible=True).inner_text().endswith(VIEWS[view])
        assert text in "\n".join(seen(page, "pre.output").all_inner_texts())
        code = "\n".join(seen(page, "pre.code").all_inner_texts())
        assert f"from d2lconv import {view} as d2l" in code
        for other in spelled.keys() - {view, "numpy"}:
            assert f"d2lconv_{other}" not in code


def test_the_choice_is_remembered(visit, html):
    page = visit(html)
    choose(page, "jax")
    page.locator(".theme").click()
    page.reload()
    assert page.get_by_role("radio", name="JAX").is_checked()
    assert page.evaluate("document.documentElement.dataset.view") == "jax"
    assert page.evaluate("document.documentElement.dataset.theme") == "light"
    assert "JAX" in seen(page, "h1").inner_text()


def test_the_reader_keeps_the_place(visit, html):
    page = visit(html)
    top = "document.querySelector('#on-its-side').getBoundingClientRect().top"
    page.evaluate(f"scrollBy({{ top: {top} - 100, behavior: 'instant' }})")
    for view in ("together", "tf", "numpy", "torch"):
        choose(page, view)
        assert page.evaluate(top) == pytest.approx(100, abs=3), view


def test_keys_choose_a_framework(visit, html):
    page = visit(html)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "To the lesson"
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.locator(".contents").get_attribute("open") is not None
    page.keyboard.press("Escape")
    assert page.locator(".contents").get_attribute("open") is None
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowLeft")
    assert seen(page, "h1").inner_text().endswith("MXNet")
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    assert seen(page, ".framework .whose").first.inner_text() == "NumPy"


def test_the_contents_lead_to_the_sections(visit, html):
    page = visit(html)
    page.get_by_text("Contents").click()
    page.get_by_role("link", name=re.compile("^6")).click()
    assert page.locator(".contents").get_attribute("open") is None
    page.wait_for_function(
        "(() => { const y = document.querySelector('h2[id^=\"6\"]').getBoundingClientRect().top;"
        " return y > 40 && y < 140; })()"
    )


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("view", VIEWS)
def test_every_view_fits_its_screen(visit, html, view, width):
    page = visit(html, width=width)
    choose(page, view)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    wide = page.evaluate(
        "[...document.querySelectorAll('main *')]"
        ".filter((e) => !e.closest('pre, svg > *, math, .picture > *')"
        " && e.getBoundingClientRect().right > innerWidth + 0.5).map((e) => e.outerHTML)"
    )
    assert wide == []


@pytest.mark.parametrize(("width", "columns"), [(1280, {2, 3}), (1024, {2}), (390, {1})])
def test_side_by_side_nothing_is_clipped(visit, html, width, columns):
    page = visit(html, width=width)
    choose(page, "together")
    panels = seen(page, ".panels")
    assert panels.count() >= 15
    clipped = page.evaluate(
        "[...document.querySelectorAll('.framework pre')]"
        ".filter((e) => e.offsetParent && e.scrollWidth > e.clientWidth).length"
    )
    assert clipped == 0
    found = set()
    for panel in panels.all():
        shown = panel.locator(".framework").filter(visible=True).all()
        names = [one.locator(".whose").inner_text() for one in shown]
        assert names == [name for name in VIEWS.values() if name in names]
        assert len(names) in (4, 5)  # NumPy brings no layers
        lefts = {round(one.bounding_box()["x"]) for one in shown}
        found.add(len(lefts))
    assert found == columns


def test_the_widgets_are_alive(visit, html):
    page = visit(html)
    window = page.locator('[data-d2lconv="window"]')
    assert window.locator(".total").inner_text() == "19"
    window.get_by_role("button", name="Step").click()
    assert window.locator(".total").inner_text() == "25"
    learning = page.locator('[data-d2lconv="learning"]')
    for run in published.runs():
        learning.get_by_label("Start from").select_option(run.id)
        for _ in range(published.EPOCHS):
            learning.get_by_role("button", name="Step").click()
        losses = learning.locator("tbody td:nth-child(3)").all_inner_texts()[1::2]
        assert losses == [f"{loss} ✓" for loss in run.losses]
    assert page.locator('[data-d2lconv="edges"] canvas').count() == 2
    assert page.locator('[data-d2lconv="receptive"] svg').count() == 3


def test_an_exercise_is_answered_on_the_page(visit, html):
    page = visit(html)
    place = page.locator('[data-d2lconv="exercises"][data-state*="2b"]')
    place.locator("textarea").fill("[[1, -2, 1]]")
    place.get_by_role("button", name="Check").click()
    place.get_by_text("Right.").wait_for()


def test_colours_are_the_systems_or_the_readers(visit, html):
    colour = "getComputedStyle(document.body).backgroundColor"
    for scheme, first in (("light", "rgb(255, 255, 255)"), ("dark", "rgb(15, 19, 25)")):
        page = visit(html, color_scheme=scheme)
        button = page.locator(".theme")
        assert (page.evaluate(colour), button.inner_text()) == (first, "◐")
        for sign, there in (("☀", "rgb(255, 255, 255)"), ("☾", "rgb(15, 19, 25)"), ("◐", first)):
            button.click()
            assert (page.evaluate(colour), button.inner_text()) == (there, sign)


def test_the_page_can_be_printed(visit, html):
    page = visit(html)
    page.emulate_media(media="print")
    assert not page.locator("header").is_visible()
    folded = page.locator("main details")
    assert folded.filter(visible=True).count() == 0  # a handout has no hints and no solutions
    assert page.pdf()[:5] == b"%PDF-"


@pytest.mark.parametrize(("form", "opened"), [("handout", False), ("solutions", True)])
def test_it_is_printed_as_a_handout_or_with_solutions(visit, html, form, opened):
    page = visit(html)
    page.evaluate(
        "window.print = () => { window.printed ="
        " [...document.querySelectorAll('main details')].map((one) => one.open) }"
    )
    page.locator("main details").first.evaluate("(one) => (one.open = true)")
    page.locator(f"[data-print={form}]").click()
    assert set(page.evaluate("printed")) == {opened}
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.locator("main details[open]").count() == 1


def test_what_a_question_asks_for_is_folded_until_asked_for(visit, html):
    page = visit(html)
    for title, spoiler in (
        ("Show what the kernel makes of it", "Nothing at all"),
        ("Show what happens", "PyTorch records assignments"),
        ("Show the matrix of the second way", "The matrix of the second way,"),
    ):
        assert not page.get_by_text(spoiler).filter(visible=True).count()
        page.get_by_text(title, exact=True).click()
        assert page.get_by_text(spoiler).filter(visible=True).count()


def test_solved_exercises_are_counted_also_after_a_reload(visit, html):
    page = visit(html)
    assert page.locator(".solved").inner_text() == "0 of 11 solved"
    place = page.locator('[data-d2lconv="exercises"][data-state*=\'"2b"\']')
    place.locator("textarea").fill("[[1, -2, 1]]")
    place.get_by_role("button", name="Check").click()
    assert page.locator(".solved").inner_text() == "1 of 11 solved"
    page.reload()
    assert page.locator(".solved").inner_text() == "1 of 11 solved"
    assert page.locator("h3.done").count() == 1


def test_headings_have_anchors(visit, html):
    page = visit(html)
    heading = page.locator("h3#on-its-side")
    heading.hover()
    heading.get_by_label("Link to this place").click()
    assert page.url.endswith("#on-its-side")


@pytest.mark.parametrize(("view", "scheme"), [("torch", "light"), ("together", "dark")])
def test_an_accessibility_audit_finds_nothing_serious(visit, html, view, scheme):
    axe = demand_extra("axe_playwright_python.sync_playwright", "browser")
    page = visit(html, color_scheme=scheme)
    choose(page, view)
    violations = axe.Axe().run(page).response["violations"]
    serious = [v for v in violations if v["impact"] in ("serious", "critical")]
    assert [(v["id"], [node["html"] for node in v["nodes"]][:3]) for v in serious] == []
