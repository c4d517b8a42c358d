"""The site: all lessons, the reference and a search, from disk and without a network."""

import json
import os
import re
import subprocess
import sys
from hashlib import sha256
from html import unescape
from urllib.parse import unquote

import pytest
from chosen import demand_extra, demand_github
from markupsafe import escape

import d2lconv as dc
from d2lconv.notebook import lesson, site
from d2lconv.notebook.build import TOGETHER
from d2lconv.parity import gallery
from d2lconv.parity.defaults import PROBES
from d2lconv.parity.verdict import VERDICTS

LESSONS = [each.name for each in lesson.lessons()]
FRAMEWORKS = ("numpy", "jax", "mxnet", "torch", "tf")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    where = tmp_path_factory.mktemp("site") / "new"
    site.write(where)
    return where


@pytest.fixture(scope="module")
def index(folder):
    text = (folder / "index.html").read_text(encoding="utf-8")
    return json.loads(re.search(r"<script>const INDEX = (\[.*?\]);</script>", text, re.DOTALL)[1])


def test_every_lesson_has_its_page_its_decks_and_its_notebooks(folder):
    for name in LESSONS:
        assert (folder / f"{name}.html").is_file()
        decks = {path.stem for path in (folder / name / "slides").iterdir()}
        assert decks == set(FRAMEWORKS)
        notebooks = list(lesson.find(name).folder.glob("*.ipynb"))
        assert {path.stem for path in notebooks} == {*FRAMEWORKS, TOGETHER}
        for path in notebooks:
            copied = folder / name / "notebooks" / path.name
            assert copied.read_bytes() == path.read_bytes()


def test_no_link_is_broken(folder):
    texts = {path: path.read_text(encoding="utf-8") for path in folder.rglob("*.html")}
    shown = {path: re.sub(r"(?s)<(script|style)\b.*?</\1>", "", t) for path, t in texts.items()}
    ids = {path: set(re.findall(r'\sid="([^"]*)"', text)) for path, text in shown.items()}
    count = 0
    for path, text in shown.items():
        for link in map(unescape, re.findall(r'<a\b[^>]*?\shref="([^"]*)"', text)):
            if re.match("https?:", link):
                continue
            name, _, anchor = unquote(link).partition("#")
            target = (path.parent / name).resolve() if name else path
            assert target.is_file(), (path.name, link)
            if anchor and target in ids:
                assert anchor.removeprefix("/") in ids[target], (path.name, link)  # "/": a slide
            count += 1
    assert count > 300


def test_the_guides_are_pages_too(folder, index):
    sources = sorted((demand_github() / "guide").glob("*.md"))
    assert sources
    start = (folder / "index.html").read_text(encoding="utf-8")
    for source in sources:
        title = source.read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ")
        html = (folder / "guide" / f"{source.stem}.html").read_text(encoding="utf-8")
        assert f"<title>{escape(title)}: d2lconv</title>" in html
        assert f'href="guide/{source.stem}.html"' in start
        assert f"guide/{source.stem}.html" in {one["address"] for one in index}
        assert not re.search(r'src="(?!data:)', html)


def test_the_search_knows_every_heading_and_every_public_name(folder, index):
    found = {one["address"] for one in index}
    for name in LESSONS:
        text = (folder / f"{name}.html").read_text(encoding="utf-8")
        main = text[text.index("<main") : text.index("</main>")]
        ids = re.findall(r'<h[23] id="([^"]*)"', main)
        assert len(ids) > 5
        for id in ids:
            assert f"{name}.html#{id}" in found
        whole = [one["title"] for one in index if one["address"] == f"{name}.html"]
        assert whole == [lesson.find(name).title]  # once, not for each framework
    for name in ("corr2d", "pool2d", "learn_kernel", "Conv2D"):
        assert name in dc.__all__
        assert f"api/d2lconv.html#{name}" in found
    assert "api/d2lconv/kernels.html#sobel" in found
    assert "api/d2lconv/parity.html#compare" in found
    assert all(one["text"].strip() or one["where"] != "Reference" for one in index)


def test_public_questions_and_conventions_have_a_page_that_is_found(folder, index):
    text = (folder / "gallery.html").read_text(encoding="utf-8")
    rows = re.findall(r'<tr><th scope="row">(.*?)</tr>', text, re.DOTALL)
    reports = gallery.reports()
    assert reports
    assert len(rows) == len(reports) + len(PROBES)
    for report in reports:
        (row,) = [row for row in map(unescape, rows) if f"{report.number}<" in row]
        assert report.question in row
        assert report.cause is None or report.cause in row
        assert report.link is None or f'href="{report.link}"' in row
    for probe in PROBES:
        (row,) = [r for r in map(unescape, rows) if r.startswith(probe.question + "<") and
                  f">{probe.why}</td>" in r][:1]  # fmt: skip
        assert row.count("<td ") == 5
    assert not re.search(r'<(script|link|img)\b[^>]*(src|href)="https?:', text)
    found = {one["address"]: one["text"] for one in index if "gallery.html" in one["address"]}
    assert {f"gallery.html#{verdict}" for verdict in VERDICTS} < set(found)
    for report in reports:
        assert report.question in unescape(found[f"gallery.html#{report.verdict}"])
    assert "pooling" in found["gallery.html#conventions"]
    assert 'href="gallery.html"' in (folder / "index.html").read_text(encoding="utf-8")


def test_minisearch_is_the_packages_own():
    """dist/umd/index.js of minisearch 7.2.0 on npm, where none is minified, byte by byte."""
    text = str(site.resource("minisearch/minisearch.js"))
    digest = "03c27931eb603af1d3358579e9885eafdb6a2f5fa9929557b3e77d7e99d06d03"
    assert sha256(text.encode()).hexdigest() == digest


def test_lessons_follow_each_other(folder):
    for name, after in zip(LESSONS, [*LESSONS[1:], None], strict=True):
        text = (folder / f"{name}.html").read_text(encoding="utf-8")
        following = re.findall(r'<a rel="next" href="([^"]*)"', text)
        assert following == ([f"{after}.html"] if after else [])


def test_the_reference_is_ours_and_offline(folder):
    pages = list((folder / "api").rglob("*.html"))
    assert {"index.html", "d2lconv.html", "kernels.html"} <= {path.name for path in pages}
    for path in pages:
        text = path.read_text(encoding="utf-8")
        assert not re.search(r'<(script|link|img)\b[^>]*(src|href)="https?:', text)
        if path.name != "index.html":
            assert "All lessons, and search" in text
            assert "--paper" not in text
            assert "light-dark(#fff, #0f1319)" in text
            links = re.findall(r'href="([^"#]*)"', text)
            linked = {(path.parent / link).resolve() for link in links if ":" not in link}
            assert {each.resolve() for each in pages if each.name != "index.html"} <= linked
        assert "ag_pass_through" not in text  # for a compiler, and for no reader
        words = re.sub(r"<(style|script|pre)\b.*?</\1>|<[^>]*>", "", text, flags=re.DOTALL)
        assert not re.search(r"\w::", words)  # another markup's sign for a block of code
    assert 'id="Diverged.largest"' in (folder / "api" / "d2lconv.html").read_text(encoding="utf-8")


def d2lconv(*arguments, **variables):
    return subprocess.run(
        [sys.executable, "-m", "d2lconv", "lesson", *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, **variables},
        timeout=300,
    )


def test_the_commands_write_the_site(tmp_path, folder):
    done = d2lconv("site", str(tmp_path / "there"))
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"{tmp_path}/there/index.html: written")
    names = {path.relative_to(folder) for path in folder.rglob("*.*")}
    assert {
        path.relative_to(tmp_path / "there") for path in tmp_path.rglob("there/**/*.*")
    } == names
    for name in ("index.html", f"{LESSONS[0]}.html"):
        assert (tmp_path / "there" / name).read_bytes() == (folder / name).read_bytes()
    done = d2lconv("open", "pooling", BROWSER="true %s", TMPDIR=str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(rf"{tmp_path}/d2lconv-\w+/pooling.html: written\n", done.stdout)
    assert d2lconv("open", "nowhere").returncode == 2


def test_without_pdoc_it_says_what_to_install(tmp_path):
    (tmp_path / "pdoc.py").write_text("raise ModuleNotFoundError(name='pdoc')")
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    done = d2lconv("site", str(tmp_path / "site"), PYTHONPATH=path)
    assert done.returncode == 2
    assert 'pip install "d2lconv[site]"' in done.stderr
    assert not (tmp_path / "site").exists()


# In a browser.


def serious(page):
    axe = demand_extra("axe_playwright_python.sync_playwright", "browser")
    violations = axe.Axe().run(page).response["violations"]
    return [
        (v["id"], [node["html"] for node in v["nodes"]][:3])
        for v in violations
        if v["impact"] in ("serious", "critical")
    ]


def sticking_out(page):
    return page.evaluate(
        "[...document.querySelectorAll('main *')]"
        ".filter((e) => !e.closest('pre, svg > *, math, .table, .picture > *')"
        " && e.getBoundingClientRect().right > innerWidth + 0.5).map((e) => e.outerHTML)"
    )


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_the_page_of_public_questions_fits(visit, folder, width, scheme):
    page = visit(folder / "gallery.html", width=width, color_scheme=scheme)
    assert sticking_out(page) == []
    assert serious(page) == []
    page.get_by_text("All lessons, and search").click()
    page.wait_for_url("**/index.html")


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_the_start_page_fits_and_finds(visit, folder, width, scheme):
    page = visit(folder / "index.html", width=width, color_scheme=scheme)
    assert sticking_out(page) == []
    assert page.locator(".cards article").count() == len(LESSONS)
    for asked, address in (
        ("padding", "padding_strides.html"),
        ("corr2d multi", "channels.html"),
        ("learn_kernel", "api/d2lconv.html#learn_kernel"),
        ("poling", "pooling.html"),  # a slip of the finger
        ("why is my mean wrong", "pooling.html"),  # the field's own example, in no place as a whole
    ):
        page.get_by_label("Search lessons").fill(asked)
        links = page.locator("#found a").evaluate_all(
            "(all) => all.map((one) => one.getAttribute('href'))"
        )
        assert any(link.startswith(address) for link in links), (asked, links)
        assert asked != "padding" or links[0] == address
    page.get_by_label("Search lessons").fill("xylophone")
    assert "Nothing" in page.locator("#found").inner_text()
    page.get_by_label("Search lessons").fill("padding")
    assert serious(page) == []
    page.locator("#found a").first.click()
    page.wait_for_url("**/*.html*")
    assert "index.html" not in page.url


def test_a_guide_fits_and_leads_back(visit, folder):
    demand_github()
    guides = sorted((folder / "guide").glob("*.html"))
    assert guides
    for path in guides:
        page = visit(path, width=390, color_scheme="dark")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        assert sticking_out(page) == []
        assert serious(page) == []
        page.get_by_text("All lessons, and search").click()
        page.wait_for_url("**/index.html")


def test_lessons_share_the_framework_and_the_search(visit, folder):
    page = visit(folder / f"{LESSONS[0]}.html")
    page.locator(".views").get_by_text("JAX", exact=True).click()
    page.locator("a[rel=next]").click()
    page.wait_for_url(f"**/{LESSONS[1]}.html")
    assert page.get_by_role("radio", name="JAX").is_checked()
    page.get_by_label("Search all lessons").fill("channels")
    page.get_by_label("Search all lessons").press("Enter")
    page.wait_for_url("**/index.html?q=channels")
    assert page.locator("#found a").count() > 3
    page.go_back()
    page.get_by_label("All lessons, and search").click()
    page.wait_for_url("**/index.html")


def test_the_reference_opens_in_the_readers_colours(visit, folder):
    page = visit(folder / "api" / "d2lconv.html", color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(15, 19, 25)"
    page.get_by_text("All lessons, and search").click()
    page.wait_for_url("**/index.html")


@pytest.mark.parametrize("name", [name for name in LESSONS if name != "conv_layer"])
def test_a_lessons_page_is_looked_at(visit, folder, name):
    """One visit a lesson: both widths, an audit, exercises of both kinds, its widgets."""
    page = visit(folder / f"{name}.html", width=390, color_scheme="dark")
    for view in ("PyTorch", "Side by side"):
        page.locator(".views").get_by_text(view, exact=True).click()
        for width in (390, 1280):
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            assert sticking_out(page) == []
        assert serious(page) == []
    names = lesson.find(name).exercises
    assert names
    for exercise in names:
        place = page.locator(f'[data-d2lconv="exercises"][data-state*=\'"{exercise}"\']')
        asked = dc.exercises[exercise]
        if asked.points:
            place.locator("textarea").fill("Because it is so.")
            place.get_by_role("button", name="Compare").click()
            boxes = place.get_by_role("checkbox").all()
            assert len(boxes) == len(asked.points)
            for box in boxes:
                box.check()
        else:
            for answer, mark in ((asked.page["slips"][0][0], "✗"), (asked.page["expected"], "✓")):
                place.locator("textarea").first.fill(str(answer))
                place.get_by_role("button", name="Check").click()
                assert place.locator(".verdict").inner_text().startswith(mark)
    assert page.locator(".solved").inner_text() == f"{len(names)} of {len(names)} solved"
    page.reload()
    assert page.locator(".solved").inner_text() == f"{len(names)} of {len(names)} solved"
    widgets = page.locator("[data-d2lconv]:not([data-d2lconv=exercises])").all()
    assert widgets
    assert all(one.locator(".d2lconv").count() == 1 for one in widgets)
    assert page.pdf()[:5] == b"%PDF-"
