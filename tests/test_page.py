"""The lesson's page and slides show what is in the notebooks, all of that and nothing else."""

import json
import re
import shutil
import subprocess
import sys
from html import unescape
from html.parser import HTMLParser

import pytest

import d2lconv as dc
from d2lconv import ArgumentError
from d2lconv.notebook import build, document, lesson, page, slides

FOLDER = lesson.folder()
DOCUMENT = document.load()
FRAMEWORKS = ("torch", "mxnet", "tf", "jax", "numpy")
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
        if tag == "img":
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


@pytest.fixture(scope="module")
def html():
    return page.page(DOCUMENT)


@pytest.fixture(scope="module")
def shown(html):
    return Reader(html)


@pytest.fixture(scope="module")
def decks():
    return {name: slides.slides(DOCUMENT, name) for name in FRAMEWORKS}


def runs(views=VIEWS):
    """The texts and the pictures of the notebooks' outputs, with their cells."""
    texts, pictures = set(), set()
    for view in views:
        name = build.TOGETHER if view == "together" else view
        for cell in build.load(FOLDER / f"{name}.ipynb").cells:
            for output in cell.get("outputs", []):
                data = output.get("data", {})
                if "image/png" in data:
                    pictures.add((cell.id, data["image/png"]))
                elif "text/html" not in data:
                    text = output.text if output.output_type == "stream" else data["text/plain"]
                    texts.add((cell.id, text.rstrip("\n")))
    return texts, pictures


def test_the_views_are_the_frameworks_and_all_of_them_together():
    assert [view.name for view in DOCUMENT.views] == list(VIEWS)
    assert [view.title for view in DOCUMENT.views][:2] == ["PyTorch", "MXNet"]


def test_every_output_on_the_page_is_one_of_a_run(shown):
    texts, pictures = runs()
    assert len(shown.texts) > 60
    assert set(shown.texts) <= texts
    prefix = "data:image/png;base64,"
    assert {(cell, source.removeprefix(prefix)) for cell, source, _ in shown.pictures} <= pictures
    assert all(alt for *_, alt in shown.pictures)


def test_every_output_of_a_run_is_on_the_page(shown):
    """Equal ones of several frameworks are there once; who waits for an answer is a widget."""
    texts, pictures = runs()
    there = {text for _, text in shown.texts}
    wanted = {text for _, text in texts} - {"Waiting for your answer."}
    assert wanted - there == set()
    drawn = {source.partition(",")[2] for _, source, _ in shown.pictures}
    assert {png for _, png in pictures} == drawn


def test_every_verdict_is_on_the_page(html):
    notebook = build.load(FOLDER / "side_by_side.ipynb")
    verdicts = [v for cell in notebook.cells for o in cell.get("outputs", [])
                for v in document._said(o).items()]  # fmt: skip
    assert len(verdicts) == 19
    for name, verdict in verdicts:
        assert f"<code>{name}</code>: {verdict}</p>" in html


def test_every_section_is_in_the_contents(html):
    nav = html[html.index("<nav") : html.index("</nav>")]
    titles = re.findall(r'<a href="#([^"]*)">(\d)\.', nav)
    assert [number for _, number in titles] == list("123456789")
    for id, _ in titles:
        assert html.count(f' id="{id}"') == 1


def test_no_id_is_there_twice(html):
    ids = re.findall(r'<\w+[^>]* id="([^"]*)"', html.partition("<script type")[0])
    assert len(ids) == len(set(ids))


def test_every_exercise_has_a_statement_a_place_to_work_a_hint_and_a_solution(html, decks):
    for text in (html, *decks.values()):
        states = re.findall(r'data-d2lconv="exercises" data-state="([^"]*)"', text)
        places = [json.loads(unescape(state))["id"] for state in states]
        assert sorted(places) == sorted(dc.exercises)
        for item in dc.exercises.values():
            assert f"Exercise {item.id}: " in text
        assert text.count("<summary>A hint</summary>") == len(dc.exercises)


def test_nothing_is_asked_of_the_network(shown, html, decks):
    for text in (html, *decks.values()):
        reader = Reader(text)
        assert all(source.startswith("data:") for source in reader.sources)
        assert not re.search(r"@import\s+[\"'u]|url\(\s*[\"']?https?:", text)
        assert set(reader.links) <= {link for link in reader.links if link[0] == "#"} | {
            "https://d2l.ai/chapter_convolutional-neural-networks/conv-layer.html"
        }


def test_mathematics_is_mathml(html):
    assert html.count("<math ") > 10
    main = html[html.index("<main") : html.index("</main>")]
    prose = re.sub(r"<(pre|math)\b.*?</\1>|<[^>]*>", "", main, flags=re.DOTALL)
    assert "$" not in prose
    assert "\\" not in prose


def test_a_deck_shows_its_framework_only(decks):
    for name, deck in decks.items():
        texts, pictures = runs([name])
        shown = Reader(deck)
        assert len(shown.texts) > 15
        assert set(shown.texts) <= texts
        assert {(cell, source.partition(",")[2]) for cell, source, _ in shown.pictures} == pictures


def test_a_deck_has_the_speakers_notes(decks):
    notes = [cell for cell in DOCUMENT.lesson if "notes" in cell.places]
    assert len(notes) >= 16
    for deck in decks.values():
        asides = re.findall(r'<aside class="notes">(.*?)</aside>', deck, re.DOTALL)
        assert "Ask the room before the first code" in asides[0]
        assert len(asides) >= 15
        visible = re.sub(r"<aside.*?</aside>", "", deck, flags=re.DOTALL)
        assert "Ask the room" not in visible


def test_a_deck_carries_the_licence_of_reveal(decks):
    licence = (FOLDER.parent / "d2lconv" / "notebook" / "reveal" / "LICENSE").read_text()
    assert "Copyright (C) 2011" in licence
    for deck in decks.values():
        assert licence in deck


def test_building_twice_gives_the_same_bytes(html, decks):
    again = document.load()
    assert page.page(again) == html
    assert slides.slides(again, "jax") == decks["jax"]


def test_notebooks_that_are_not_what_the_source_makes_are_told(tmp_path):
    copy = tmp_path / "notebooks"
    shutil.copytree(FOLDER, copy)
    source = copy / lesson.SOURCE
    text = source.read_text(encoding="utf-8")
    source.write_text(text.replace("One small window", "A small window"), encoding="utf-8")
    with pytest.raises(ArgumentError, match=r"torch\.ipynb: the cells differ(.|\n)*build -b torch"):
        document.load(copy)
    source.write_text(text, encoding="utf-8")
    (copy / "jax.ipynb").unlink()
    with pytest.raises(ArgumentError, match=r"no jax\.ipynb in .*d2lconv lesson build -b jax"):
        document.load(copy)


def test_the_commands_write_the_page_and_the_decks(tmp_path, html, decks):
    target = tmp_path / "page.html"
    done = d2lconv("lesson", "page", str(target))
    assert (done.returncode, done.stdout) == (0, f"{target}: written\n")
    assert target.read_text(encoding="utf-8") == html
    done = d2lconv(
        "lesson", "slides", str(tmp_path / "new" / "decks"), "-b", "jax", "-b", "pytorch"
    )
    assert done.returncode == 0
    written = {path.name: path.read_text(encoding="utf-8") for path in tmp_path.glob("new/decks/*")}
    assert written == {"jax.html": decks["jax"], "torch.html": decks["torch"]}


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (("page", "{}/nowhere/page.html"), "there is no folder {}/nowhere"),
        (("page", "{}"), "{} is a folder"),
        (("slides", "{}", "-b", "tensorflw"), "did you mean 'tensorflow'"),
        (("slides", "{}/file/decks"), "the folder {}/file/decks cannot be made: Not a directory"),
    ],
)
def test_what_cannot_be_written_is_told_and_nothing_is(tmp_path, command, words):
    (tmp_path / "file").write_text("")
    done = d2lconv("lesson", *(part.format(tmp_path) for part in command))
    assert done.returncode == 2
    assert words.format(tmp_path) in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
