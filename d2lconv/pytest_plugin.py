"""A pytest plugin: one test, every framework.

It is loaded by an entry point wherever d2lconv is installed, and does nothing until a test asks
for one of its fixtures:

- ``backend``: the name of each installed backend in turn. ``--d2lconv-backends torch,jax`` takes
  these only, and fails the tests of one that is not installed.
- ``d2l``: the API bound to that backend.
- ``parity``: a function that asserts that results agree across frameworks, as the same bits or
  within a bound, and says how they differ if they do not.
"""

import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from d2lconv.binding import BoundBackend

OPTION = "--d2lconv-backends"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that chooses backends."""
    parser.getgroup("d2lconv").addoption(
        OPTION,
        metavar="NAMES",
        help="The backends to test, separated by commas; a missing one fails. Default: all that "
        "are installed.",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Refuse a wrong option before anything is collected."""
    if config.getoption(OPTION) is not None:
        chosen(config)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that takes ``backend`` once for each one, or for those that it asks for itself."""
    marks = metafunc.definition.iter_markers("parametrize")
    asked = any("backend" in _names(*mark.args[:1], **mark.kwargs) for mark in marks)
    if "backend" in metafunc.fixturenames and _is_ours(metafunc) and not asked:
        metafunc.parametrize("backend", chosen(metafunc.config), indirect=True, scope="session")


@pytest.fixture(scope="session")
def backend(request: pytest.FixtureRequest) -> str:
    """The name of each backend in turn."""
    from d2lconv.core import registry

    name = registry.resolve(request.param)
    manifest, _ = registry.manifests()[name]
    if registry.missing(manifest):
        pytest.fail(
            f"{manifest.framework} is not installed, and {OPTION} or the test asks for it. "
            f"Run: {manifest.install_command}"
        )
    return name


@pytest.fixture
def d2l(backend: str) -> "BoundBackend":
    """The API of d2lconv, bound to each backend in turn."""
    from d2lconv.binding import bind

    return bind(backend)


@pytest.fixture(scope="session")
def parity() -> "Parity":
    """A function that asserts that results agree; see :class:`Parity`."""
    return Parity()


class Parity:
    """Asserts that results have the same bits, or differ by no more than rounding explains."""

    def __call__(
        self,
        actual: Any,
        expected: Any = None,
        *,
        precision: str = "honest",
        **of: Any,
    ) -> None:
        """Fail the test unless results agree.

        Where the bound is larger than the values, so that nothing can be told, it warns.

        Args:
            actual: A tensor of any framework, which is held against ``expected``; or several
                results by name, such as ``{"torch": a, "jax": b}``, all held against the first.
            expected: What one result is held against.
            precision: "any" accepts results that are within the worst case, but far from what
                honest arithmetic does; :func:`d2lconv.parity.compare` has others.
            of: What they are the results of, as :func:`d2lconv.parity.compare` takes it: ``X`` and
                ``K`` give the bound that differences may have, with ``bias``, ``stride``,
                ``padding``, ``dilation``, ``groups``, layouts, ``of`` and ``G`` for gradients,
                ``algorithm`` and ``accumulator``; or ``bound`` alone. Without any of them all bits
                must be the same.

        Raises:
            AssertionError: Results differ by more; the message names the verdict, the worst
                element, both values, and with X and K which of the two is wrong, and the mistake
                that explains it, if one does.
        """
        __tracebackhide__ = True
        from d2lconv.errors import ArgumentError
        from d2lconv.parity import compare

        if isinstance(actual, Mapping):
            if expected is not None or len(actual) < 2:
                raise ArgumentError(
                    "parity takes one result and what is expected, or a mapping of several results."
                )
            (first, reference), *others = actual.items()
            pairs = [(name, result, first, reference) for name, result in others]
        else:
            pairs = [("actual", actual, "expected", expected)]
        wrong = []
        for name, result, against, reference in pairs:
            found = compare(result, reference, precision=precision, **of)
            if found.verdict == "rounding" and found.blind > 1 / 2:
                warnings.warn(f"{name} against {against}: {found}", stacklevel=2)
            if found.verdict in ("bug", "imprecise"):
                reason = found.reason
                if isinstance(actual, Mapping):
                    reason = reason.replace("actual", name).replace("expected", against)
                ulp = "" if found.ulp is None else f" ({found.ulp:,} ulp)"
                wrong.append(f"{name} against {against}: {found.verdict}{ulp}: {reason}")
        if wrong:
            raise AssertionError("\n".join(wrong))


def chosen(config: pytest.Config) -> list[str]:
    """The names of the backends that the option names, or of all that are installed."""
    from d2lconv.core import registry
    from d2lconv.errors import UnknownBackend

    wanted = config.getoption(OPTION)
    if wanted is None:
        return [status.name for status in registry.backends() if status.installed]
    try:
        found = [registry.resolve(name.strip()) for name in wanted.split(",") if name.strip()]
    except UnknownBackend as error:
        raise pytest.UsageError(f"{OPTION}: {error}") from None
    if not found:
        raise pytest.UsageError(f"{OPTION} names no backend.")
    return list(dict.fromkeys(found))


def _names(argnames: str | Sequence[str] = (), **_: Any) -> list[str]:
    """The arguments that ``pytest.mark.parametrize`` names."""
    names = argnames.split(",") if isinstance(argnames, str) else argnames
    return [name.strip() for name in names]


def _is_ours(metafunc: pytest.Metafunc) -> bool:
    """Whether ``backend`` is this plugin's fixture, and not a project's own of that name."""
    definitions = metafunc._arg2fixturedefs.get("backend", ())
    return bool(definitions) and definitions[-1].func.__module__ == __name__
