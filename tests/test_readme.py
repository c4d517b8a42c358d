"""What the README and the guides show runs, as it stands there; their links lead somewhere."""

import re
from pathlib import Path

import pytest
from children import python
from chosen import GITHUB, demand, demand_github

ROOT = Path(__file__).parent.parent
GUIDES = sorted((GITHUB / "guide").glob("*.md"))  # an sdist has none
TEXTS = {path: path.read_text(encoding="utf-8") for path in [ROOT / "README.md", *GUIDES]}
BLOCKS = [
    block
    for block in re.findall(r"```python\n(.*?)```", "\n".join(TEXTS.values()), re.S)
    if not block.startswith("# test_port.py")  # test_pytest_plugin.py runs that one
]


def test_there_are_examples_for_each_way_of_choosing_a_backend():
    assert len(BLOCKS) == (8 if GUIDES else 1)


def test_the_readme_leads_to_every_guide_and_no_link_is_broken():
    demand_github()
    assert GUIDES
    for path, text in TEXTS.items():
        links = re.findall(r"\]\((?!https?:)([^)#]+)\)", text)
        assert [link for link in links if not (path.parent / link).exists()] == []
    assert {f".github/guide/{path.name}" for path in GUIDES} <= set(
        re.findall(r"\]\(([^)]*)\)", TEXTS[ROOT / "README.md"])
    )


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.split("\n")[0][:40])
@pytest.mark.together
def test_an_example_runs_as_it_stands(block, tmp_path):
    for name in ("torch", "tf", "jax"):
        demand(name)
    lines = [line for line in block.splitlines() if "holiday.jpg" not in line]
    code = "import os, d2lconv as dc\nos.chdir({!r})\n{}\n".format(str(tmp_path), "\n".join(lines))
    python(code)


def test_the_values_in_the_comments_are_what_comes_out():
    demand("torch")
    child = python(
        BLOCKS[0] + "\nprint(Y[0].tolist(), type(layer).__mro__[1].__module__, len(learned.losses))"
    )
    assert "[0.0, 1.0, 0.0, 0.0, 0.0, -1.0, 0.0] torch.nn.modules.module 10" in child.stdout
