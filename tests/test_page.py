"""The lesson's page and slides show what is in the notebooks, all of that and nothing else."""

import json
import re
import shutil
import subprocess
import sys
from base64 import b64decode, b64encode
from html import unescape
from html.parser import HTMLParser

import pytest

import d2lconv as dc
from d2lconv import ArgumentError
from d2lconv.notebook import build, document, lesson, markup, page, slides

FOLDER = lesson.folder()
LESSONS = [each.name for each in lesson.lessons()]
FRAMEWORKS = ("numpy", "jax", "mxnet", "torch", "tf")  # the one order that they have everywhere
VIEWS = (*FRAMEWORKS, "together")


def d2lconv(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "d2lconv", *arguments],
        capture_output=True,
        text=True,
        cwd=FOLDER.parent,
        timeout=120,
    )


class Reader(HTMLParser):
    """What a page shows of the runs: texts and pictures, by the cell they say they are from."""

    def __init__(self, html):
        super().__init__()
        self.texts, self.pictures, self.sources, self.links = [], [], [], []
        self.cell = None
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.sources += [
            attributes[name] for name in ("src", "srcset", "data") if name in attributes
        ]
        if tag == "link":
            self.sources.append(attributes["href"])
        if tag == "a":
            self.links.append(attributes["href"])
        if tag == "img" and attributes.get("class") != "hero":
            self.pictures.append((attributes["data-cell"], attributes["src"], attributes["alt"]))
        elif "data-cell" in attributes and tag == "pre":
            self.cell = attributes["data-cell"]
            self.texts.append((self.cell, ""))

    def handle_endtag(self, tag):
        if tag == "pre":
            self.cell = None

    def handle_data(self, data):
        if self.cell:
            cell, text = self.texts.pop()
            self.texts.append((cell, text + data))


@pytest.fixture(scope="module", params=LESSONS)
def taught(request):
    """Each of the lessons with its notebooks."""
    return document.load(lesson.find(request.param))


@pytest.fixture(scope="module")
def html(taught):
    return page.page(taught)


@pytest.fixture(scope="module")
def shown(html):
    return Reader(html)


@pytest.fixture(scope="module")
def decks(taught):
    return {name: slides.slides(taught, name) for name in FRAMEWORKS}


def runs(taught, views=VIEWS):
    """The texts and the pictures of the notebooks' outputs, with their cells.

    Without the pictures of widgets, which are alive here.
    """
    texts, pictures = set(), set()
    for view in views:
        name = build.TOGETHER if view == "together" else view
        for cell in build.load(taught.lesson.folder / f"{name}.ipynb").cells:
            if "widget" in cell.metadata.get("d2lconv", {}):
                continue
            for output in cell.get("outputs", []):
                data = output.get("data", {})
                if "image/svg+xml" in data:
                    drawn = b64encode(data["image/svg+xml"].encode()).decode()
                    pictures.add((cell.id, drawn))
                elif "text/html" not in data:
                    text = output.text if output.output_type == "stream" else data["text/plain"]
                    texts.add((cell.id, text.rstrip("\n")))
    return texts, pictures


def test_the_views_are_the_frameworks_and_all_of_them_together(taught):
    assert [view.name for view in taught.views] == list(VIEWS)
    assert [view.title for view in taught.views][:2] == ["NumPy", "JAX"]


def test_every_output_on_the_page_is_one_of_a_run(taught, shown):
    texts, pictures = runs(taught)
    assert len(shown.texts) > 10
    assert set(shown.texts) <= texts
    prefix = "data:image/svg+xml;base64,"
    assert {(cell, source.removeprefix(prefix)) for cell, source, _ in shown.pictures} <= pictures
    assert all(alt for *_, alt in shown.pictures)


def test_every_output_of_a_run_is_on_the_page(taught, shown):
    """Equal ones of several frameworks are there once; who waits for an answer is a widget."""
    texts, pictures = runs(taught)
    there = {text for _, text in shown.texts}
    wanted = {text for _, text in texts} - {"Waiting for your answer."}
    assert wanted - there == set()
    drawn = {source.partition(",")[2] for _, source, _ in shown.pictures}
    assert {picture for _, picture in pictures} == drawn


def test_every_verdict_is_on_the_page(taught, html):
    notebook = build.load(taught.lesson.folder / "side_by_side.ipynb")
    verdicts = [v for cell in notebook.cells for o in cell.get("outputs", [])
                for v in document._said(o).items()]  # fmt: skip
    assert len(verdicts) >= 4
    for name, verdict in verdicts:
        assert f"<code>{name}</code>: {verdict}</p>" in html


def test_every_section_is_in_the_contents(taught, html):
    nav = html[html.index("<nav") : html.index("</nav>")]
    titles = re.findall(r'<a href="#([^"]*)">(\d)\.', nav)
    sections = [
        n for cell in taught.lesson.cells for n in re.findall(r"^## (\d)\.", cell.text, re.M)
    ]
    assert [number for _, number in titles] == sections
    assert sections == [str(n) for n in range(1, len(sections) + 1)]
    for id, _ in titles:
        assert html.count(f' id="{id}"') == 1


def test_no_id_is_there_twice(html):
    ids = re.findall(r'<\w+[^>]* id="([^"]*)"', html.partition("<script type")[0])
    assert len(ids) == len(set(ids))


def test_every_exercise_has_a_statement_a_place_to_work_a_hint_and_a_solution(taught, html, decks):
    names = taught.lesson.exercises
    assert names
    for text in (html, *decks.values()):
        states = re.findall(r'data-d2lconv="exercises" data-state="([^"]*)"', text)
        places = [json.loads(unescape(state))["id"] for state in states]
        assert places == names
        for name in names:
            assert f"Exercise {name}: " in text
        assert text.count("<summary>A hint</summary>") == len(names)


def test_every_exercise_is_in_a_lesson():
    taught = [name for each in lesson.lessons() for name in each.exercises]
    assert sorted(taught) == sorted(dc.exercises)


def test_nothing_is_asked_of_the_network(taught, html, decks):
    for text in (html, *decks.values()):
        reader = Reader(text)
        assert all(source.startswith("data:") for source in reader.sources)
        assert not re.search(r"@import\s+[\"'u]|url\(\s*[\"']?https?:", text)
        assert {link for link in reader.links if link[0] != "#"} <= {taught.lesson.address}


def test_the_page_and_the_decks_open_with_what_one_will_be_able_to_do(taught, html, decks):
    path = taught.lesson.folder / "hero.svg"
    for text in (html, *decks.values()):
        heroes = re.findall(r'<img class="hero" alt="([^"]*)" src="[^,]*,([^"]*)">', text)
        if path.is_file():
            ((words, drawn),) = heroes
            assert b64decode(drawn) == path.read_bytes()
            assert len(words) > 40
            assert text.index('class="hero"') < text.index("<pre")
        else:
            assert not heroes


def test_the_page_says_how_to_run_it(taught, html):
    text = re.sub(r"<[^>]*>", "", html)
    for name in (*FRAMEWORKS, "side_by_side"):
        assert f"jupyter lab notebooks/{taught.lesson.name}/{name}.ipynb" in text


def test_code_goes_on_indented_where_its_line_is_broken():
    source = 'def f():\n    return """a\n  b"""'
    made = str(markup.code(source))
    assert re.findall(r"--indent: (\d+)", made) == ["0", "4", "2"]
    assert re.sub(r"<[^>]*>", "", unescape(made)) == source


def test_mathematics_is_mathml(html):
    assert html.count("<math ") > 0
    main = html[html.index("<main") : html.index("</main>")]
    prose = re.sub(r"<(pre|math)\b.*?</\1>|<[^>]*>", "", main, flags=re.DOTALL)
    assert "$" not in prose
    assert "\\" not in prose


def test_a_deck_shows_its_framework_only(taught, decks):
    for name, deck in decks.items():
        texts, pictures = runs(taught, [name])
        shown = Reader(deck)
        assert len(shown.texts) > 5
        assert set(shown.texts) <= texts
        assert {(cell, source.partition(",")[2]) for cell, source, _ in shown.pictures} == pictures


def test_a_deck_has_the_speakers_notes(taught, decks):
    notes = [cell for cell in taught.lesson.cells if "notes" in cell.places]
    first = " ".join(notes[0].text.split()[:4])
    for deck in decks.values():
        asides = re.findall(r'<aside class="notes">(.*?)</aside>', deck, re.DOTALL)
        assert first in asides[0]
        assert len(asides) >= len(notes) - 1 >= 5
        visible = re.sub(r"<aside.*?</aside>", "", deck, flags=re.DOTALL)
        assert first not in visible


def test_a_deck_carries_the_licence_of_reveal(decks):
    licence = (FOLDER.parent / "d2lconv" / "notebook" / "reveal" / "LICENSE").read_text()
    assert "Copyright (C) 2011" in licence
    for deck in decks.values():
        assert licence in deck


def test_building_twice_gives_the_same_bytes(taught, html, decks):
    again = document.load(lesson.find(taught.lesson.name))
    assert page.page(again) == html
    assert slides.slides(again, "jax") == decks["jax"]


def test_notebooks_that_are_not_what_the_source_makes_are_reported(tmp_path):
    copy = tmp_path / "conv_layer"
    shutil.copytree(FOLDER / "conv_layer", copy)
    source = copy / lesson.SOURCE
    text = source.read_text(encoding="utf-8")
    source.write_text(text.replace("One small window", "A small window"), encoding="utf-8")
    with pytest.raises(
        ArgumentError, match=r"numpy\.ipynb: the cells differ(.|\n)*conv_layer -b numpy"
    ):
        document.load(lesson.read(copy))
    source.write_text(text, encoding="utf-8")
    (copy / "jax.ipynb").unlink()
    with pytest.raises(ArgumentError, match=r"no jax\.ipynb in .*lesson build conv_layer -b jax"):
        document.load(lesson.read(copy))


def test_the_commands_write_the_page_and_the_decks(tmp_path, taught, html, decks):
    name, target = taught.lesson.name, tmp_path / "page.html"
    done = d2lconv("lesson", "page", name, str(target))
    assert (done.returncode, done.stdout) == (0, f"{target}: written\n")
    assert target.read_text(encoding="utf-8") == html
    folder = str(tmp_path / "new" / "decks")
    done = d2lconv("lesson", "slides", name, folder, "-b", "jax", "-b", "pytorch")
    assert done.returncode == 0
    written = {path.name: path.read_text(encoding="utf-8") for path in tmp_path.glob("new/decks/*")}
    assert written == {"jax.html": decks["jax"], "torch.html": decks["torch"]}


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (("page", "conv_layer", "{}/nowhere/page.html"), "there is no folder {}/nowhere"),
        (("page", "conv_layer", "{}"), "{} is a folder"),
        (("page", "conv_layers"), "did you mean 'conv_layer'"),
        (("slides", "conv_layer", "{}", "-b", "tensorflw"), "did you mean 'tensorflow'"),
        (
            ("slides", "conv_layer", "{}/file/decks"),
            "the folder {}/file/decks cannot be made: Not a directory",
        ),
    ],
)
def test_what_cannot_be_written_is_reported_and_nothing_is(tmp_path, command, words):
    (tmp_path / "file").write_text("")
    done = d2lconv("lesson", *(part.format(tmp_path) for part in command))
    assert done.returncode == 2
    assert words.format(tmp_path) in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
