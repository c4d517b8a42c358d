"""What a release says of itself: one version and one date, in every place that has them."""

import re
from datetime import date
from itertools import pairwise
from pathlib import Path

import pytest
import yaml

import d2lconv as dc

ROOT = Path(__file__).parent.parent
CHANGELOG = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
KINDS = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def releases(text):
    """The versions and dates of a changelog; ValueError where it has not the form."""
    headings = re.findall(r"^## (.*)$", text, re.MULTILINE)
    if headings[:1] != ["[Unreleased]"]:
        raise ValueError(f"it begins with {headings[:1]}, not with [Unreleased]")
    found = []
    for heading in headings[1:]:
        parts = re.fullmatch(r"\[(\d+)\.(\d+)\.(\d+)\] - (\d{4}-\d{2}-\d{2})", heading)
        if parts is None:
            raise ValueError(f"{heading!r} is not like [1.2.3] - 2026-01-31")
        *numbers, day = parts.groups()
        found.append((tuple(map(int, numbers)), date.fromisoformat(day)))
    for (newer, later), (older, earlier) in pairwise(found):
        if newer <= older or later < earlier:
            raise ValueError(f"{older} of {earlier} is below {newer} of {later}")
    kinds = re.findall(r"^### (.*)$", text, re.MULTILINE)
    if not set(kinds) <= KINDS:
        raise ValueError(f"{set(kinds) - KINDS} are no kinds of changes")
    return found


def test_the_changelog_has_the_form_and_its_newest_release_is_this_version():
    version, _ = releases(CHANGELOG)[0]
    assert ".".join(map(str, version)) == dc.__version__


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("## [Unreleased]\n", ""),
        ("## [0.1.0] - ", "## 0.1.0 "),
        ("## [0.1.0]", "## [0.3.0]"),
        ("## [0.1.0] - 2026", "## [0.1.0] - 2027"),
        ("### Fixed", "### Mended"),
    ],
)
def test_a_changelog_of_another_form_is_refused(old, new):
    assert old in CHANGELOG
    with pytest.raises(ValueError, match=r"it begins with|is not like|is below|are no kinds"):
        releases(CHANGELOG.replace(old, new))


def test_the_citation_is_of_this_release():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    _, day = releases(CHANGELOG)[0]
    assert citation["version"] == dc.__version__
    assert date.fromisoformat(citation["date-released"]) == day
    assert {"cff-version", "message", "title", "authors"} <= set(citation)  # what the format asks
    assert [book["title"] for book in citation["references"]] == ["Dive into Deep Learning"]
