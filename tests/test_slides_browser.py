"""The decks in a real browser: from disk, without a network; every slide fits and prints."""

import pytest
from chosen import demand_extra

from d2lconv.notebook import document, lesson
from d2lconv.notebook.slides import slides

pytestmark = pytest.mark.slow(reason="it opens slides in a browser")

FRAMEWORKS = ("numpy", "jax", "mxnet", "torch", "tf")
OTHERS = [name for name in (each.name for each in lesson.lessons()) if name != "conv_layer"]
READABLE = 0.6  # of the size that the deck is made for
NEARLY_EMPTY = 0.28  # of a slide's height: a heading and two or three lines


@pytest.fixture(scope="module")
def decks():
    taught = document.load(lesson.find("conv_layer"))
    return {name: slides(taught, name) for name in FRAMEWORKS}


def where(page):
    """The current slide, and how its content fits: its scale, and what sticks out."""
    return page.evaluate("""(() => {
      const { h, v } = deck.getIndices();
      const slide = deck.getCurrentSlide();
      const box = slide.querySelector(".fitted");
      const [inner, outer] = [box, slide].map((e) => e.getBoundingClientRect());
      const wide = [...box.querySelectorAll("*")].filter(
        (e) => !e.closest("svg > *, math") && e.getBoundingClientRect().right > innerWidth + 0.5);
      const ends = (what) => [...slide.querySelectorAll(what)]
        .map((e) => e.getBoundingClientRect().bottom);
      const corners = [...document.querySelectorAll(".controls .enabled, .slide-number")]
        .map((e) => e.getBoundingClientRect())
        .filter((e) => e.height)
        .map((e) => e.top + 1);
      const code = [...slide.querySelectorAll("pre.code")]
        .filter((e) => !e.closest("details:not([open])"));
      const size = (e) => parseFloat(getComputedStyle(e).fontSize) * Number(box.style.zoom);
      return { small: code.filter((e) => size(e) < 20 - 0.01).length,
               cut: code.filter((e) => e.scrollWidth > e.clientWidth + 1).length,
               headed: Boolean(slide.querySelector("h1, h2, h3, .again")),
               used: Math.max(...ends(".fitted > *")) / outer.height,
               covered: Math.max(...ends(".fitted > *")) > Math.min(...corners),
               place: [h, v], zoom: Number(box.style.zoom), over: inner.height - outer.height,
               wide: wide.map((e) => e.outerHTML.slice(0, 200)) };
    })()""")


@pytest.mark.parametrize("name", FRAMEWORKS)
def test_every_slide_fits_and_can_be_read(visit, decks, name):
    assert len(fitting(visit(decks[name]))) > 35


@pytest.mark.parametrize("name", OTHERS)
def test_every_slide_of_another_lesson_fits_and_can_be_read(visit, name):
    """In the framework whose code is longest; the first lesson's test visits all."""
    taught = document.load(lesson.find(name))
    assert len(fitting(visit(max((slides(taught, one) for one in FRAMEWORKS), key=len)))) > 15


def fitting(page):
    """The places of all slides, after each has been seen to fit."""
    page.wait_for_function("deck.isReady()")
    page.evaluate("deck.configure({ fragments: false })")
    places = []
    for _ in range(page.evaluate("deck.getTotalSlides()")):
        found = where(page)
        places.append(tuple(found["place"]))
        assert found["zoom"] >= READABLE, found
        assert found["over"] <= 1, found
        assert found["wide"] == [], found
        assert (found["small"], found["cut"]) == (0, 0), found
        assert found["headed"], found
        assert found["used"] > NEARLY_EMPTY, found
        assert not found["covered"], found  # by the arrows, or by the number
        page.keyboard.press("ArrowRight")
    assert len(set(places)) == len(places)
    assert page.evaluate("deck.isLastSlide()")
    return places


def test_what_belongs_to_a_later_step_waits(visit, decks):
    page = visit(decks["torch"])
    page.keyboard.press("ArrowRight")
    waiting = page.locator("p", has_text="Two observations about pictures")
    assert waiting.evaluate("(e) => getComputedStyle(e.closest('.fragment')).opacity") == "0"
    page.keyboard.press("ArrowRight")
    page.locator(".present .fragment.visible").first.wait_for()
    assert page.evaluate("deck.getIndices().h") == 1


def test_exercises_are_listed_before_they_come(visit, decks):
    page = visit(decks["torch"])
    link = page.get_by_role("link", name="Exercise 2c: a blur")
    page.evaluate("""(() => {
      const { h, v } = deck.getIndices(document.querySelector(".contents").closest("section"));
      deck.slide(h, v);
    })()""")
    assert page.locator("section.present .contents li").count() == 8
    link.click()
    page.locator("section.present h3", has_text="Exercise 2c: a blur").wait_for()


def test_an_opened_solution_stays_clear_of_the_arrows(visit, decks):
    page = visit(decks["torch"])
    page.goto(f"{page.url}#/exercise-1c")
    page.locator("#exercise-1c summary", has_text="A solution").click()
    page.wait_for_function("document.querySelector('#exercise-1c .fitted').style.zoom < 1")
    assert not where(page)["covered"]


def test_widgets_on_slides_are_alive_and_keep_their_keys(visit, decks):
    page = visit(decks["jax"])
    page.evaluate("""(() => {
      const slide = document.querySelector('[data-d2lconv="window"]').closest("section");
      const { h, v } = deck.getIndices(slide);
      deck.slide(h, v);
    })()""")
    here = where(page)["place"]
    window = page.locator('[data-d2lconv="window"]')
    assert window.locator(".total").inner_text() == "19"
    window.get_by_role("button", name="Window at row 1").press("ArrowRight")
    assert window.locator(".total").inner_text() == "25"
    assert where(page)["place"] == here
    box = page.locator('[data-d2lconv="window"]').bounding_box()
    assert box["width"] > 500


def test_a_finger_on_a_widget_turns_no_slide(visit, decks):
    page = visit(decks["torch"], has_touch=True)
    page.evaluate("""(() => {
      const slide = document.querySelector('[data-d2lconv="edges"]').closest("section");
      const { h, v } = deck.getIndices(slide);
      deck.slide(h, v);
    })()""")
    here = where(page)["place"]
    box = page.locator('[data-d2lconv="edges"] .drawing').bounding_box()
    touch = page.context.new_cdp_session(page)
    for kind, places in (("Start", [0.1]), ("Move", [0.5]), ("Move", [0.9]), ("End", [])):
        points = [{"x": box["x"] + x * box["width"], "y": box["y"] + 9} for x in places]
        touch.send("Input.dispatchTouchEvent", {"type": f"touch{kind}", "touchPoints": points})
    page.get_by_text("X[0, 7] = 0").wait_for()  # the stroke has come to the last column
    assert where(page)["place"] == here


def test_the_speaker_has_notes(visit, decks):
    page = visit(decks["torch"])
    with page.expect_popup() as opened:
        page.keyboard.press("s")
    notes = opened.value.locator(".speaker-controls-notes .value")
    notes.get_by_text("Ask the room before the first code").wait_for()


def test_a_deck_can_be_printed_a_page_for_each_slide(visit, decks):
    page = visit(decks["torch"])
    count = page.evaluate("deck.getTotalSlides()")
    page.goto(f"{page.url.partition('#')[0]}?print-pdf")
    page.wait_for_function("document.querySelectorAll('.pdf-page').length > 0")
    assert page.locator(".pdf-page").count() == count
    over = page.evaluate(
        "[...document.querySelectorAll('.pdf-page')].filter((e) => {"
        "  const [box, sheet] = [e.querySelector('.fitted'), e];"
        "  return box.getBoundingClientRect().bottom > sheet.getBoundingClientRect().bottom + 1;"
        "}).map((e) => e.innerText.slice(0, 80))"
    )
    assert over == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_an_accessibility_audit_finds_nothing_serious(visit, decks, scheme):
    axe = demand_extra("axe_playwright_python.sync_playwright", "browser")
    page = visit(decks["tf"], color_scheme=scheme)
    page.evaluate("deck.configure({ fragments: false })")
    for h in (0, 2, 3, 6, 15):
        page.evaluate(f"deck.slide({h})")
        violations = axe.Axe().run(page).response["violations"]
        serious = [v for v in violations if v["impact"] in ("serious", "critical")]
        assert [(h, v["id"], [n["html"] for n in v["nodes"]][:3]) for v in serious] == []
