"""The widgets in a real browser: from disk, without a network, for mouse, keyboard and ears."""

import re

import numpy as np
import pytest

import d2lconv as dc
from d2lconv import published, widgets
from d2lconv.widgets.pages import TITLES


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


def test_too_large_a_learning_rate_is_told(visit):
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
    page = visit(widgets.page(name), width=width)
    wide = page.evaluate(
        "[...document.querySelectorAll('.d2lconv, .d2lconv *')].filter((e) => !e.closest('svg > *')"
        " && e.getBoundingClientRect().right > innerWidth + 0.5).map((e) => e.outerHTML)"
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
    parts = [widgets.html(name) for name in kinds[:-1]] + [widgets.html("window", kernel=[[2]])]
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
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="no axe-core here")
    page = visit(widgets.page(name), color_scheme=scheme)
    violations = axe.Axe().run(page).response["violations"]
    serious = [v for v in violations if v["impact"] in ("serious", "critical")]
    assert [(v["id"], [node["html"] for node in v["nodes"]]) for v in serious] == []
