"""Why a framework that seems to be installed may not work here: found by looking, not importing."""

import os
import sys
from dataclasses import dataclass
from importlib.machinery import PathFinder
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from d2lconv.core.manifest import Manifest, Release
from d2lconv.extras import needed

with needed("cli"):
    from packaging.version import InvalidVersion, Version


@dataclass(frozen=True)
class Finding:
    """Something about an installation that a reader should know.

    Attributes:
        problem: What it is.
        remedy: What helps, if the framework does not work.
        harmless: Whether the framework works all the same, as far as was tested.
    """

    problem: str
    remedy: str
    harmless: bool = False


def findings(manifest: Manifest, path: list[str] | None = None) -> list[Finding]:
    """What stands between a backend and its framework, the most likely cause first.

    Args:
        manifest: The backend's.
        path: Where Python looks for modules; None is ``sys.path``.
    """
    path = sys.path if path is None else path
    found = [_shadow(manifest, module, path) for module in manifest.modules]
    found += [_release(release) for release in manifest.releases]
    return sorted(filter(None, found), key=lambda finding: finding.harmless)


def _shadow(manifest: Manifest, module: str, path: list[str]) -> Finding | None:
    """A module of the framework's name that is not the framework."""
    spec = PathFinder.find_spec(module, path)
    if spec is None or spec.origin is None:
        return None
    installed = _distribution(_distribution_of(manifest, module))
    if installed is not None:
        own = PathFinder.find_spec(module, [str(installed.locate_file(""))])
        if own is None or own.origin is None or os.path.samefile(own.origin, spec.origin):
            return None
    elif Path(spec.origin).resolve().parent not in {Path(p or ".").resolve() for p in path[:1]}:
        return None  # installed by other means
    place = Path(spec.origin)
    place = place.parent if place.name == "__init__.py" else place
    return Finding(
        f"{place} is imported instead of {manifest.framework}, because it has the same name",
        f"rename {place}",
    )


def _release(release: Release) -> Finding | None:
    """A distribution that is older or newer than those that the backend was tested with."""
    installed = _distribution(release.distribution)
    if installed is None:
        return None
    name, version = release.distribution, installed.version
    try:
        found = Version(version)
    except (InvalidVersion, TypeError):  # broken, or no version at all
        return Finding(f"{name} does not say which release it is", f"pip install {name}")
    if Version(found.base_version) < Version(release.oldest):
        return Finding(
            f"{name} {version} is too old; the backend needs {release.oldest} or newer",
            f'pip install --upgrade "{name}>={release.oldest}"',
        )
    newest = Version(release.newest).release
    if found.release[: len(newest)] > newest:
        text = f"{name} {version} is newer than {release.newest}"
        return Finding(
            f"{text}{release.beyond or ', the newest that the backend was tested with'}",
            f'pip install "{name}=={release.newest}.*"',
            harmless=True,
        )
    return None


def _distribution_of(manifest: Manifest, module: str) -> str:
    """The distribution that brings a module: one of the same name, but for the framework's own."""
    own = manifest.distribution
    return own if own is not None and module == manifest.modules[0] else module


def _distribution(name: str) -> Distribution | None:
    try:
        return distribution(name)
    except PackageNotFoundError:
        return None
