"""The widgets in a real browser: from disk, without a network, for mouse, keyboard and ears."""

import re

import numpy as np
import pytest
from chosen import demand_extra
from javascript import NEEDED

import d2lconv as dc
from d2lconv import published, widgets
from d2lconv.widgets.pages import TITLES

pytestmark = pytest.mark.slow(reason="it opens widgets in a browser")


def page_of(name):
    return widgets.page(name, **NEEDED.get(name, {}))


def shown(page, selector):
    """What the page says in one place, with plain minus signs."""
    return page.locator(selector).inner_text().replace("\N{MINUS SIGN}", "-")


def answers(page):
    return [
        text.replace("\N{MINUS SIGN}", "-") for text in page.locator(".answer").all_inner_texts()
    ]


def test_the_window_starts_with_the_figure(visit):
    page = visit(widgets.page("window"))
    assert shown(page, ".sum") == "0·0 + 1·1 + 3·2 + 4·3 = 0 + 1 + 6 + 12 = 19"
    assert answers(page) == ["19", "", "", ""]


def test_the_window_plays_to_the_end_and_starts_again(visit):
    page = visit(widgets.page("window"))
    page.get_by_role("button", name="Play").click()
    page.wait_for_function("document.querySelector('.total').textContent === '43'")
    page.get_by_role("button", name="Play").wait_for()  # it has stopped
    assert answers(page) == ["19", "25", "37", "43"]
    page.get_by_role("button", name="Start again").click()
    assert answers(page) == ["19", "", "", ""]


def test_keys_move_the_window_and_stop_at_the_border(visit):
    page = visit(widgets.page("window"))
    page.get_by_role("button", name="Window at row 1").focus()
    sums = []
    for key in ("ArrowRight", "ArrowRight", "ArrowDown", "ArrowLeft", "ArrowUp"):
        page.keyboard.press(key)
        sums.append(shown(page, ".total"))
    assert sums == ["25", "25", "43", "37", "19"]


def test_the_window_is_dragged_and_goes_where_the_output_is_clicked(visit):
    page = visit(widgets.page("window"), reduced_motion="reduce")
    box = page.locator(".frame").bounding_box()
    page.mouse.move(box["x"] + 20, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + 70, box["y"] + 66, steps=5)
    page.mouse.up()
    assert shown(page, ".total") == "43"
    page.locator(".answer").nth(2).click()
    assert shown(page, ".total") == "37"
    page.mouse.move(box["x"] + 20, box["y"] + 20)  # without a press, nothing moves
    assert shown(page, ".total") == "37"


def test_values_and_sizes_are_the_readers(visit):
    page = visit(widgets.page("window"))
    page.get_by_label("Input, row 1, column 2").fill("-1/2")
    assert shown(page, ".total") == "17.5"
    field = page.get_by_label("Kernel, row 2, column 2")
    field.fill("three")
    assert field.get_attribute("aria-invalid") == "true"
    assert shown(page, ".total") == "17.5"
    field.fill("0")
    assert field.get_attribute("aria-invalid") == "false"
    assert shown(page, ".total") == "5.5"
    page.get_by_label("Input columns").select_option("5")
    page.get_by_label("Kernel rows").select_option("1")
    assert len(answers(page)) == 12
    assert shown(page, ".total") == "1"


def test_the_edge_detector_sees_vertical_edges_only(visit):
    page = visit(widgets.page("edges"))
    assert shown(page, ".status") == "The output goes from -1 to 1."
    assert page.locator(".panel .name").all_inner_texts() == ["Image 6×8", "Output 6×7"]
    page.get_by_role("button", name="Turn the image").click()
    assert "0 everywhere" in shown(page, ".status")
    page.locator("select").first.select_option("Horizontal edges, 2×1")
    assert shown(page, ".status") == "The output goes from -1 to 1."


def test_the_edge_detector_takes_what_the_reader_draws(visit):
    image = np.ones((5, 5), np.float32)
    page = visit(widgets.page("edges", image=image))
    assert "0 everywhere" in shown(page, ".status")
    box = page.locator(".drawing").bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    assert shown(page, ".status") == "The output goes from -1 to 1."
    assert shown(page, ".readout") == "X[2, 2] = 0"
    page.get_by_label("Brush").select_option("1")
    page.locator(".drawing").focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    assert "0 everywhere" in shown(page, ".status")


def test_an_output_pixel_shows_its_window_and_its_products(visit):
    page = visit(widgets.page("edges"))
    readout = page.locator(".readout")
    assert "Point at an output pixel" in readout.inner_text()
    output = page.locator("canvas").nth(1).bounding_box()
    before = page.locator(".drawing").evaluate("(one) => one.toDataURL()")
    page.mouse.move(output["x"] + output["width"] * 1.5 / 7, output["y"] + 5)
    assert shown(page, ".readout") == "Y[0, 1] = 1·1 + 0·(-1) = 1"
    assert page.locator(".drawing").evaluate("(one) => one.toDataURL()") != before
    page.get_by_label("Kernel, row 1, column 1").fill("5")  # the readout is never out of date
    assert shown(page, ".readout") == "Y[0, 1] = 1·5 + 0·(-1) = 5"
    page.mouse.move(0, 0)
    assert "Point at an output pixel" in readout.inner_text()


def test_a_fast_stroke_leaves_no_gaps(visit):
    page = visit(widgets.page("edges", image=np.ones((9, 9)), kernel=[[1]]))
    box = page.locator(".drawing").bounding_box()
    unit = box["width"] / 9
    page.mouse.move(box["x"] + unit / 2, box["y"] + unit / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + unit * 8.5, box["y"] + unit * 8.5)  # one event, at the other end
    page.mouse.up()
    drawn = page.locator(".drawing").evaluate("""(canvas) => {
      const [side, unit] = [canvas.width, canvas.width / 9];
      const { data } = canvas.getContext("2d").getImageData(0, 0, side, side);
      return [...Array(9).keys()].map(
        (n) => data[4 * Math.round((n + 0.15) * unit) * (side + 1)]);
    }""")
    assert drawn == [0] * 9


@pytest.mark.parametrize("name", dc.photographs())
def test_the_edge_detector_has_photographs(visit, name):
    page = visit(widgets.page("edges"))
    page.get_by_role("button", name=f"Photograph: {name}").click()
    assert page.locator(".panel .name").all_inner_texts() == ["Image 64×64", "Output 64×63"]
    assert page.locator(".legend.signed").count() == 1


@pytest.mark.parametrize("width", [390, 1280])
def test_numbers_never_burst_a_cell(visit, width):
    page = visit(widgets.page("window", kernel=[[2480, 0.1111], [-1e30, 123.456]]), width=width)
    for _ in range(3):
        page.get_by_role("button", name="Step").click()
    burst = page.evaluate("""[...document.querySelectorAll(".cells :is(input, .answer)")]
    .filter((one) => {
      const context = document.createElement("canvas").getContext("2d");
      const style = getComputedStyle(one);
      context.font = `${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
      return context.measureText(one.value || one.textContent).width > one.clientWidth;
    }).map((one) => one.value || one.textContent)""")
    assert burst == []


def test_the_edge_detector_takes_the_readers_picture(visit, tmp_path):
    from PIL import Image

    pixels = np.zeros((40, 200), np.uint8)
    pixels[:, 100:] = 255
    Image.fromarray(pixels).save(tmp_path / "mine.png")
    page = visit(widgets.page("edges"))
    page.locator("input[type=file]").set_input_files(tmp_path / "mine.png")
    page.get_by_text("19×96").wait_for()  # the longer side becomes 96
    assert shown(page, ".status") == "The output goes from -1 to 0."


@pytest.mark.parametrize("run", published.runs(), ids=lambda run: run.id)
def test_the_learning_loop_ends_where_the_librarys_run_ends(visit, run):
    page = visit(widgets.page("learning"))
    page.get_by_label("Start from").select_option(run.id)
    for _ in range(published.EPOCHS):
        page.get_by_role("button", name="Step").click()
    assert page.get_by_role("button", name="Step").is_disabled()
    X = dc.edge_image()
    Y = dc.numpy.corr2d(X, published.KERNEL)
    library = dc.numpy.learn_kernel(X, Y, (1, 2), init=[run.initial])
    K = np.array(re.findall(r"-?[\d.]+", shown(page, ".status .kernel")), np.float32)
    assert K.tolist() == library.kernel.ravel().tolist()
    losses = page.locator("tbody td:nth-child(2)").all_inner_texts()
    assert losses[: published.EPOCHS] == [f"{loss:.3f}" for loss in library.losses]
    printed = page.locator("tbody td:nth-child(3)").all_inner_texts()[1::2]
    assert printed == [f"{loss} ✓" for loss in run.losses]


def test_learning_plays_and_starts_where_the_reader_wants(visit):
    page = visit(widgets.page("learning", epochs=3))
    page.get_by_role("button", name="Play").click()
    page.get_by_text("After all 3 epochs").wait_for()
    box = page.locator(".plate").bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    assert shown(page, ".status") == "At the start, K = [1, -1]."
    assert page.get_by_label("Start from").input_value() == ""
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowUp")
    assert shown(page, ".status") == "At the start, K = [0.95, -0.95]."


def test_too_large_a_learning_rate_is_reported(visit):
    page = visit(widgets.page("learning", lr=0.04))
    for _ in range(3):
        page.get_by_role("button", name="Step").click()
    assert "The loss grows" in shown(page, ".status")
    page.get_by_role("slider").press("Home")
    assert "The loss grows" not in shown(page, ".status")


def test_the_receptive_field_starts_with_the_lesson_and_grows(visit):
    page = visit(widgets.page("receptive"))
    assert "sees 9 of 9" in shown(page, ".status")
    page.get_by_label("Input size").select_option("7")
    page.get_by_role("button", name="Add a layer").click()
    assert "After layer 3, element [1, 1] sees 16 of 49" in shown(page, ".status")
    page.get_by_role("button", name="Remove layer 1").click()
    assert "sees 9 of 49" in shown(page, ".status")
    page.get_by_label("Kernel of layer 1").select_option("5")
    page.get_by_label("Dilation of layer 1").select_option("4")
    assert "Layer 1 does not fit" in shown(page, ".status")


def test_the_receptive_field_of_every_element_is_the_librarys(visit):
    layers = [{"kernel_size": 3, "stride": 2, "padding": 1}, {"kernel_size": 2, "dilation": 3}]
    page = visit(widgets.page("receptive", size=9, layers=layers))
    maps = page.locator("svg.map")
    box = maps.last.bounding_box()
    side = dc.receptive_field(layers, input_shape=(9, 9)).output_shape[0]
    assert side == 2
    for i in range(side):
        for j in range(side):
            page.mouse.move(
                box["x"] + (j + 0.5) * box["width"] / side,
                box["y"] + (i + 0.5) * box["height"] / side,
            )
            marked = page.evaluate(
                "[...document.querySelector('svg.map').querySelectorAll('.squares rect')].flatMap("
                "(square, n) => square.matches('.seen') ? [[Math.floor(n / 9), n % 9]] : [])"
            )
            field = dc.receptive_field(layers, (i, j), input_shape=(9, 9))
            assert {tuple(place) for place in marked} == field.elements
            assert f"sees {len(field.elements)} of 81" in shown(page, ".status")


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("name", TITLES)
def test_nothing_is_wider_than_the_screen(visit, name, width):
    page = visit(page_of(name), width=width)
    fits(page, width)


@pytest.mark.parametrize("width", [320, 390])
@pytest.mark.parametrize("name", TITLES)
def test_nothing_is_wider_than_the_screen_whatever_is_chosen(visit, name, width):
    page = visit(page_of(name), width=width)
    for n in range(page.locator("select").count()):
        for value in page.locator("select").nth(n).locator("option").all():
            text = value.get_attribute("value") or value.inner_text()
            page.locator("select").nth(n).select_option(text)
            fits(page, width)


def fits(page, width):
    wide = page.evaluate(
        "[...document.querySelectorAll('.d2lconv, .d2lconv *')].filter((e) => !e.closest('svg > *')"
        " && e.getBoundingClientRect().right > Math.min(innerWidth,"
        " e.closest('.d2lconv').getBoundingClientRect().right) + 0.5).map((e) => e.outerHTML)"
    )
    assert wide == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize(
    ("preferred", "theme", "dark"),
    [
        ("dark", None, True),
        ("light", None, False),
        ("light", "dark", True),
        ("dark", "light", False),
    ],
)
def test_dark_and_light_are_the_readers_or_the_pages(visit, preferred, theme, dark):
    html = widgets.page("window")
    if theme:
        html = html.replace("<html ", f'<html data-theme="{theme}" ', 1)
    page = visit(html, color_scheme=preferred)
    colours = "(({ backgroundColor, color }) => [backgroundColor, color])"
    paper, ink = page.evaluate(f"{colours}(getComputedStyle(document.querySelector('.d2lconv')))")
    light = [sum(map(int, re.findall(r"\d+", colour)[:3])) / 765 for colour in (paper, ink)]
    assert (light[0] < 0.2 and light[1] > 0.7) if dark else (light[0] > 0.9 and light[1] < 0.3)


def test_who_wants_no_motion_gets_none(visit):
    for wish, seconds in (("reduce", {"0s"}), ("no-preference", {"0.2s"})):
        page = visit(widgets.page("window"), reduced_motion=wish)
        durations = page.evaluate(
            "getComputedStyle(document.querySelector('.frame')).transitionDuration"
        )
        assert set(durations.split(", ")) == seconds


def test_one_page_holds_them_all_and_two_of_a_kind(visit):
    kinds = [*TITLES, "window"]
    parts = [widgets.html(name, **NEEDED.get(name, {})) for name in TITLES]
    parts.append(widgets.html("window", kernel=[[2]]))
    page = visit(f"<!DOCTYPE html><title>All</title>{''.join(parts)}")
    assert page.locator(".d2lconv").count() == len(kinds)
    assert page.locator(".total").all_inner_texts() == ["19", "0"]


def test_a_notebook_and_its_widget_tell_each_other(visit):
    """With a stand-in for the model through which a notebook's Python talks to the page."""
    page = visit(f"""<!DOCTYPE html><title>A notebook</title><div id="cell"></div>
<script type="module">
{widgets.module("window")}
class Model extends EventTarget {{
  values = {{ input: null, kernel: [[1, -1]], position: null }};
  saved = 0;
  get(name) {{ return this.values[name]; }}
  set(name, value) {{
    this.values[name] = value;
    this.dispatchEvent(new Event(`change:${{name}}`));
  }}
  save_changes() {{ this.saved += 1; }}
  on(name, what) {{ this.addEventListener(name, what); }}
  off(name, what) {{ this.removeEventListener(name, what); }}
}}
window.model = new Model();
window.heard = [];
document.addEventListener("keydown", (event) => heard.push(event.key));
window.stop = render({{ model, el: document.querySelector("#cell") }});
</script>""")
    assert shown(page, ".total") == "-1"
    page.keyboard.press("Tab")
    page.get_by_label("Window at").press("ArrowDown")
    assert page.evaluate("[model.get('position'), model.saved]") == [[1, 0], 1]
    page.get_by_label("Input, row 1, column 1").press("ArrowUp")
    page.get_by_role("button", name="Play").press("Escape")
    assert page.evaluate("heard") == ["Tab", "Escape"]  # others do not turn the slide
    page.evaluate("model.set('kernel', [[0, 1], [2, 3]])")
    assert page.locator(".d2lconv").count() == 1
    assert shown(page, ".total") == "37"
    page.evaluate("window.stop(); model.set('position', [0, 0])")
    assert shown(page, ".total") == "37"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", TITLES)
def test_an_accessibility_audit_finds_nothing_serious(visit, name, scheme):
    audit(visit(page_of(name), color_scheme=scheme))


def audit(page):
    axe = demand_extra("axe_playwright_python.sync_playwright", "browser")
    violations = axe.Axe().run(page).response["violations"]
    serious = [v for v in violations if v["impact"] in ("serious", "critical")]
    assert [(v["id"], [node["html"] for node in v["nodes"]]) for v in serious] == []


def answer(page, text):
    """Type an answer and have it checked; what the page says of it, with its sign."""
    page.get_by_role("textbox").fill(text)
    page.get_by_role("textbox").press("Control+Enter")
    return " ".join(shown(page, ".verdict").split())


@pytest.mark.parametrize(
    ("name", "text", "sign"),
    [
        ("1a", "answer = d2l.diagonal_image(4)", "✓"),
        ("2b", "{'kernel': [[1, -2, 1]],\n 'size': 3}", "✓"),
        ("2c", "[[1, 2, 1], [2, 4, 2], [1, 2, 1]]", "✗"),
        ("2d", "[2, 3, 5]", "✗"),
    ],
)
def test_an_answer_is_judged_as_in_python(visit, name, text, sign):
    page = visit(widgets.page("exercises", id=name))
    space = {"d2l": dc.numpy}
    exec(text if text.startswith("answer") else f"answer = {text}", space)
    verdict = dc.check(name, space["answer"])
    assert answer(page, text) == f"{sign} {verdict}"
    assert bool(verdict) == (sign == "✓")
    page.get_by_role("textbox").fill("")
    page.get_by_role("button", name="Check").click()
    assert "here is the place for your answer" in shown(page, ".verdict")


def test_the_matrices_of_an_answer_are_painted(visit):
    page = visit(widgets.page("exercises", id="2b"))
    answer(page, "{'kernel': [[1, -2, 1]], 'structure': [[0, 1, 0]] }")
    labels = page.get_by_role("img").evaluate_all("all => all.map((one) => one.ariaLabel)")
    assert labels == [
        "Your kernel, 1 by 3, from −2 to 1",
        "Your structure, 1 by 3, from 0 to 1",
    ]
    answer(page, "3")
    assert page.get_by_role("img").count() == 0


def test_a_slip_is_pointed_at_and_nothing_is_lost(visit):
    page = visit(widgets.page("exercises", id="2b"))
    text = "[[1, -2, 1]\n [0, 0, 0]]"
    assert "! Not readable yet. Line 2, column 2: a comma" in answer(page, text)
    field = page.get_by_role("textbox")
    assert (field.input_value(), field.get_attribute("aria-invalid")) == (text, "true")
    assert page.evaluate("document.activeElement.selectionStart") == text.index("\n") + 2
    assert shown(page, "mark") == "["
    field.press("ArrowRight")
    field.type(" ")
    assert page.locator(".verdict.old").count() == 1
    assert answer(page, "[1, -2, 1]").startswith("✓ Right.")
    assert field.get_attribute("aria-invalid") == "false"


def test_an_answer_is_there_again_until_it_is_cleared(visit):
    page = visit(widgets.page("exercises", id="2d"))
    field = page.get_by_role("textbox")
    assert answer(page, "[2, 3,\n\n\n 4]").startswith("✓")
    page.reload()
    assert field.input_value() == "[2, 3,\n\n\n 4]"
    assert shown(page, ".verdict").startswith("✓")
    height = field.bounding_box()["height"]
    page.get_by_role("button", name="Clear").click()
    assert field.input_value() == ""
    assert field.bounding_box()["height"] < height
    page.keyboard.press("Control+z")
    assert field.input_value() == "[2, 3,\n\n\n 4]"
    page.get_by_role("button", name="Clear").click()
    page.reload()
    assert (field.input_value(), shown(page, ".verdict")) == ("", "")


PROGRAMS = {
    "1a": ("def answer(): ...", ["[[0, 1], [1, 0]]"], ["[[0, 1], [0, 1]]"]),
    "1b": ("lambda X: ...", ["[[1, 0], [-1, 1], [0, -1]]"], ["[[0, 1], [1, 1], [0, 1]]"]),
    "1c": ("lambda X: ...", ["[[1, 0], [-1, 1], [0, -1]]"], ["[[0, 0, 0]]"]),
    "1d": ("lambda X: ...", ["[[1, -1, 0], [0, 1, -1]]"], ["[[1, 0], [-1, 1], [0, -1]]"]),
    "2a": (
        "lambda v: d2l.tensor([[0, -v[0], 0], [-v[1], 0, v[1]], [0, v[0], 0]])",
        ["[[1], [-1]]", "[[1, -1]]", "[[1, 0], [0, -1]]", "[[0, 1, 0], [-2, 0, 2], [0, -1, 0]]"],
        ["[[1, -1]]", "[[1], [-1]]", "[[1, 0], [0, -1]]", "[[0, 1, 0], [-2, 0, 2], [0, -1, 0]]"],
    ),
    "2b": ("lambda: k", ["[[1, -2, 1]]"], ["[[1, -1]]"]),
    "2c": ("np.full((2, 2), 1 / 4)", ["[[1/4, 1/4], [1/4, 1/4]]"], ["[[1, 1], [1, 1]]"]),
    "2d": ("def answer(d):\n    return d + 1", ["2", "3", "4", "5"], ["1", "2", "3", "4"]),
    "3": ("lambda X, K: ...", ["'error'"], ["'gradient'"]),
    "4a": (
        "def answer(X, kernel_size):\n    return d2l.im2col(X, kernel_size)",
        ["[[0, 1, 3, 4], [1, 2, 4, 5], [3, 4, 6, 7], [4, 5, 7, 8]]"],
        ["[[0, 1], [3, 4]]"],
    ),
    "4b": (
        "def answer(K, input_shape):\n    return d2l.toeplitz(K, input_shape)",
        [
            "[[0, 1, 0, 2, 3, 0, 0, 0, 0], [0, 0, 1, 0, 2, 3, 0, 0, 0],"
            " [0, 0, 0, 0, 1, 0, 2, 3, 0], [0, 0, 0, 0, 0, 1, 0, 2, 3]]"
        ],
        ["[[0] * 9] * 4"],
    ),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_is_checked_by_what_it_gives_for_samples(visit, name):
    program, right, wrong = PROGRAMS[name]
    page = visit(widgets.page("exercises", id=name))
    assert "→ What does it give?" in answer(page, program)
    for values, mark in ((wrong, "✗"), (right, "✓")):
        fields = page.locator(".samples textarea")
        assert fields.count() == len(values)
        for field, value in zip(fields.all(), values, strict=True):
            field.fill(value)
        page.get_by_role("button", name="Check these values").click()
        assert shown(page, ".verdict").startswith(mark)
        if mark == "✗":
            page.get_by_text("Show me the hint").click()
            assert page.get_by_text(dc.exercises[name].hint).is_visible()
    page.reload()
    page.locator(".verdict", has_text="✓").wait_for()


def test_a_sample_that_cannot_be_read_is_named(visit):
    page = visit(widgets.page("exercises", id="2d"))
    answer(page, "lambda d: d + 1")
    page.get_by_role("button", name="Check these values").click()
    assert "Not readable yet, for d = 1: Line 1, column 1" in shown(page, ".verdict")


def test_a_browser_that_keeps_nothing_is_no_trouble(visit):
    refuses = "Object.defineProperty(window, 'localStorage', { get() { throw new Error(); } });"
    html = widgets.page("exercises", id="2d").replace("<main>", f"<script>{refuses}</script><main>")
    page = visit(html)
    assert answer(page, "[2, 3]").startswith("✓")


@pytest.mark.parametrize("writing", [["clipboard-write"], []])
def test_a_program_is_handed_to_python_too(visit, writing):
    page = visit(widgets.page("exercises", id="2d"), permissions=["clipboard-read", *writing])
    assert "→ What does it give?" in answer(page, "answer = lambda d: d + 1")
    page.get_by_text("Or have Python check").click()
    line = 'dc.check("2d", lambda d: d + 1)'
    assert shown(page, "pre") == line
    assert "d2lconv exercise check 2d mine.py" in shown(page, ".more")
    page.get_by_role("button", name="Copy").click()
    page.get_by_role("button", name="Copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()").strip() == line
    assert eval(line, {"dc": dc})


def test_exercise_3_is_about_the_framework_that_the_page_shows(visit):
    page = visit(widgets.page("exercises", id=3, framework="torch"))

    def view(name):
        detail = f"new CustomEvent('d2lconv:view', {{ detail: '{name}' }})"
        page.evaluate(f"document.dispatchEvent({detail})")
        assert shown(page, ".verdict") == ""

    assert "for PyTorch" in shown(page, "label")
    assert answer(page, "'gradient'").startswith("✓ Right.")
    view("tf")
    assert "for TensorFlow" in shown(page, "label")
    assert answer(page, "'gradient'").startswith("✗ Wrong. In TensorFlow the outcome is 'none'")
    view("together")
    assert "for each framework" in shown(page, "label")
    assert "answer for each: {'numpy': ..., 'jax': ...," in answer(page, "'gradient'")
    known = "{'torch': 'gradient', 'jax': 'gradient', 'tensorflow': None, 'mxnet': 'error'}"
    assert answer(page, known).startswith("✓ Right.")
    assert answer(page, "{'torhc': None}").startswith("! Not checked: unknown backend 'torhc'.")
    view("mxnet")
    answer(page, "lambda X, K: d2l.corr2d(X, K)")
    page.get_by_text("Or have Python check").click()
    assert shown(page, "pre").startswith("from d2lconv import mxnet as d2l\ndc.check(")
    assert "check 3 mine.py --backend mxnet" in shown(page, ".more")


LONG = "[" + ", ".join(["[1, 2, 3, 4, 5, 6, 7, 8, 9]"] * 9) + "]"


@pytest.mark.parametrize(("width", "scheme"), [(390, "light"), (1280, "dark")])
@pytest.mark.parametrize("text", ["[[1, -2, 1]]", LONG, "[1, 2" + "1" * 99, "lambda: " + "x" * 99])
def test_every_kind_of_verdict_fits_and_can_be_read(visit, text, width, scheme):
    page = visit(widgets.page("exercises", id="2b"), width=width, color_scheme=scheme)
    answer(page, text)
    fits(page, width)
    audit(page)
    page.get_by_role("textbox").first.type(" ")
    audit(page)
