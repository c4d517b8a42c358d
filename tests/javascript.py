"""The widgets' JavaScript, run by Node."""

import importlib.util
import json
import shutil
import subprocess
from importlib.resources import files
from pathlib import Path

import pytest

from d2lconv import widgets

NEEDED = {"exercises": {"id": "2b"}}  # the state that a widget cannot do without

# What a JSON reader gets of float32 numbers, exactly, minus zero included.
BITS = """
const bits = (values) => [...new Uint32Array(Float32Array.from(values).buffer)];
"""


def node():
    """Node, or the one that Playwright brings."""
    found = shutil.which("node")
    spec = importlib.util.find_spec("playwright")
    if found is None and spec is not None:
        found = shutil.which("node", path=Path(spec.origin).parent / "driver")
    if found is None:
        pytest.skip("neither Node nor Playwright, which brings one, is installed")
    return found


def script(module, code, **data):
    """Run code after a module of the widgets, with data as constants; what it returns."""
    constants = "".join(f"const {name} = {json.dumps(value)};\n" for name, value in data.items())
    program = f"{module}\n{BITS}\n{constants}\nconsole.log(JSON.stringify((() => {{{code}}})()));"
    command = [node(), "--input-type=module", "-"]
    done = subprocess.run(command, input=program, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def part(name):
    return files("d2lconv.widgets").joinpath(name).read_text(encoding="utf-8")


JUDGE = """
return texts.map((text) => {
  try {
    const { right, message } = check(id, parse(text), given);
    return [right, message];
  } catch (error) {
    return [error.constructor.name, error.message];
  }
});
"""


def judged(name, texts, **given):
    """The page's verdicts on what a reader types."""
    return script(widgets.module("exercises"), JUDGE, id=name, texts=texts, given=given)
