"""CONTRIBUTING.md names what is there; what is slow says why."""

import re
from pathlib import Path

import pytest
from chosen import GITHUB, demand_github

ROOT = Path(__file__).parent.parent
GUIDE = GITHUB / "CONTRIBUTING.md"
LINK = re.compile(r"\]\((\.\./[^)]*)\)")
FILE = re.compile(r"`((?:[\w.*-]+/)*[\w.*-]+\.(?:py|md|ipynb|json|toml|ini|txt|yml|svg|cff))`")
SLOW = re.compile(r"mark\.slow\b(?!\(\s*reason=\")")


@pytest.fixture(scope="module")
def guide():
    demand_github()
    return GUIDE.read_text(encoding="utf-8")


def missing(text):
    """The files and links of a text that are not there."""
    links = [link for link in LINK.findall(text) if not (GUIDE.parent / link).exists()]
    named = [name for name in FILE.findall(text) if "NAME" not in name]
    inside = "", "backends/*/*/", "notebooks/*/"
    return links + [n for n in named if not any(list(ROOT.glob(at + n)) for at in inside)]


def test_every_file_that_is_named_is_there(guide):
    assert len(FILE.findall(guide)) > 30
    assert not missing(guide)
    assert missing("`d2lconv/cor.py`, [a link](../tests/nowhere.py)") == [
        "../tests/nowhere.py",
        "d2lconv/cor.py",
    ]


def test_every_environment_that_is_named_is_in_tox(guide):
    text = (ROOT / "tox.ini").read_text(encoding="utf-8")
    names = set(re.findall(r"tox -e ([\w-]+)", guide))
    assert names >= {"quick", "torch"}
    for name in names:
        assert re.search(rf"^\[testenv:{name}\]|^    [\w, -]*\b{name}\b", text, re.MULTILINE), name


def test_what_is_slow_says_why():
    for path in (ROOT / "tests").glob("test_*.py"):
        if path != Path(__file__):
            assert not SLOW.search(path.read_text(encoding="utf-8")), path.name
    assert SLOW.search("@pytest.mark.slow\ndef test(): ...")
    assert not SLOW.search('@pytest.mark.slow(reason="a build")')
