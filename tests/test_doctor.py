"""Half-broken installs: each is built, and the doctor recognises it and says what helps."""

import os
import re
from pathlib import Path

import numpy as np
import pytest
from chosen import STATUS, demand
from environments import Environment, examine, main_distribution

from d2lconv.core import registry

ROOT = Path(__file__).parent.parent
posix = pytest.mark.skipif(os.name != "posix", reason="environments are built as on POSIX")


@posix
def test_a_framework_that_is_missing(tmp_path, framework):
    environment = Environment(tmp_path, without=[main_distribution(framework)])
    status, found = examine(environment, framework)
    assert (status, found["state"]) == (0, "not installed")
    assert f"there is no module {main_distribution(framework)}" in found["problem"]
    assert found["remedy"] == STATUS[framework].install


FINDINGS = """
from d2lconv.core import registry
from d2lconv.diagnosis import findings
import sys
for found in findings(registry.manifests()[sys.argv[1]][0]):
    print(found.harmless, found.problem, found.remedy, sep="|")
"""


@posix
@pytest.mark.parametrize("version", ["0.4.1", "99.0"], ids=["too old", "too new"])
def test_a_framework_that_is_of_another_release(tmp_path, framework, version):
    name = main_distribution(framework)
    release, *_ = registry.manifests()[framework][0].releases
    environment = Environment(tmp_path, versions={name: version})
    told = environment.python_runs(FINDINGS, framework).stdout.splitlines()
    old = f"False|{name} 0.4.1 is too old; the backend needs {release.oldest} or newer"
    new = f"True|{name} 99.0 is newer than {release.newest}, the newest that the backend was tested"
    if version == "0.4.1":
        assert f'{old}|pip install --upgrade "{name}>={release.oldest}"' in told
    else:
        assert f'{new} with|pip install "{name}=={release.newest}.*"' in told


@posix
def test_a_file_that_has_the_frameworks_name(tmp_path, framework):
    name = main_distribution(framework)
    environment = Environment(tmp_path)
    file = environment.work / f"{name}.py"
    file.write_text("print('my first network')\n")
    status, found = examine(environment, framework)
    assert (status, found["state"]) == (1, "broken")
    assert f"{file} is imported instead of {STATUS[framework].framework}" in found["problem"]
    assert found["remedy"] == f"rename {file}"
    assert "Error: " in found["problem"]  # and what Python said
    # The library says so too, wherever it is asked first.
    child = environment.d2lconv("run", "-q", "-b", framework)
    assert child.returncode == 1
    assert f"rename {file}" in child.stderr


@posix
def test_mxnet_on_numpy_2(tmp_path):
    demand("mxnet")
    status, found = examine(Environment(tmp_path), "mxnet")
    assert (status, found["state"], found["remedy"]) == (0, "works", "")
    words = f"numpy {np.__version__} is newer than 1.26; d2lconv gives MXNet a view of it"
    assert (words in found["problem"]) == (int(np.__version__.partition(".")[0]) >= 2)


@posix
def test_tensorflow_without_keras(tmp_path):
    demand("tf")
    status, found = examine(Environment(tmp_path, without=["keras"]), "tf")
    assert (status, found["state"]) == (0, "not installed")
    assert "there is no module keras" in found["problem"]
    assert found["remedy"] == 'pip install "d2lconv[tf]"'


@posix
def test_tensorflow_with_keras_2(tmp_path):
    demand("tf")
    environment = Environment(tmp_path, versions={"keras": "2.15.0"})
    told = environment.python_runs(FINDINGS, "tf").stdout
    words = "False|keras 2.15.0 is too old; the backend needs 3 or newer|"
    assert words + 'pip install --upgrade "keras>=3"' in told


def test_what_manifests_say_of_releases_is_what_is_installed_and_tested():
    tomllib = pytest.importorskip("tomllib", reason="it comes with Python 3.11")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = [line for extra in project["optional-dependencies"].values() for line in extra]
    ranges = dict(
        re.findall(r"^([a-z]+)>=([\d.]+)", "\n".join(lines + project["dependencies"]), re.M)
    )
    pinned = {}
    for file in ("constraints.txt", "constraints-newest.txt"):
        pinned.update(re.findall(r"^([a-z]+)==(\S+)", (ROOT / file).read_text(), re.M))
    checked = 0
    for manifest, package in registry.manifests().values():
        for release in manifest.releases:
            if release.beyond or not package.startswith("d2lconv_"):
                continue
            checked += 1
            assert release.oldest == ranges.get(release.distribution, release.oldest)
            assert f"{pinned[release.distribution]}.".startswith(f"{release.newest}.")
    assert checked >= 7
