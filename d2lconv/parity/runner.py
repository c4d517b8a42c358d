"""A parity run: the cases in every backend, judged."""

from collections.abc import Callable, Iterable, Mapping

from d2lconv.core import checks, registry
from d2lconv.errors import ArgumentError
from d2lconv.parity.cases import choose
from d2lconv.parity.report import Cell, Judge, ParityReport
from d2lconv.parity.workers import Outcome, work

SECONDS = 300.0  # how long a worker may be silent; loading a framework is the longest silence

Watcher = Callable[[str, str, Cell], None]


def run(
    backends: Iterable[str] | None = None,
    cases: Iterable[str] | None = None,
    *,
    at: Mapping[str, str] | None = None,
    seconds: float = SECONDS,
    watch: Watcher | None = None,
) -> ParityReport:
    """Run the parity cases, each backend in a process of its own, and judge the results.

    Args:
        backends: Names of backends; None takes all that are installed, and those in ``at``.
        cases: Names of cases, beginnings of names, or shell patterns; None takes all.
        at: For a backend, the place where it runs instead of here: the path of another Python
            interpreter with d2lconv and the framework, or an execnet specification such as
            "ssh=host//python=python3.11".
        seconds: How long a worker may be silent before it is stopped, its case being a bug.
        watch: Called with backend, case and cell as soon as a cell is known.

    Returns:
        The :class:`ParityReport`; its ``ok`` is False if there is any bug, a crash being one.

    Raises:
        UnknownBackend: There is no such backend.
        ArgumentError: No case matches, or nothing is left to run.

    Example:
        >>> import d2lconv as dc
        >>> report = dc.parity.run(["numpy"], ["lesson"])
        >>> report.ok, report.totals["identical"]
        (True, 4)
    """
    patterns = None if cases is None else checks.names("cases", cases)
    places = where(backends, at)
    if not places:
        raise ArgumentError("no backend is left to run: name one that is installed.")
    if not seconds > 0:
        raise ArgumentError(f"seconds is {seconds!r}; it must be greater than 0.")
    chosen = choose(patterns)
    by_name = {case.name: case for case in chosen}
    manifests = registry.manifests()
    columns = {
        name: {"backend": name, "framework": manifests[name][0].framework} for name in places
    }
    report = ParityReport(chosen, columns)
    judge = Judge()

    def take(name: str, case: str | None, news: Outcome | dict[str, str]) -> None:
        if isinstance(news, dict):
            report.backends[name] = {"backend": name, **news, "place": places[name] or ""}
        elif case is not None:
            cell = judge(by_name[case], name, news)
            report.outcomes[case, name] = news
            report.cells[case, name] = cell
            if watch is not None:
                watch(name, case, cell)

    work(places, list(by_name), seconds, take)
    return report


def where(
    backends: Iterable[str] | None = None, at: Mapping[str, str] | None = None
) -> dict[str, str | None]:
    """The backends that :func:`run` would run, each with its place; None is this interpreter.

    Example:
        >>> where(["np"], {"torch": "/opt/torch/bin/python"})
        {'numpy': None}
    """
    places = {registry.resolve(name): place for name, place in (at or {}).items()}
    if backends is None:
        here = [status.name for status in registry.backends() if status.installed]
        names = [name for name in registry.manifests() if name in here or name in places]
    else:
        names = [registry.resolve(name) for name in checks.names("backends", backends)]
    return {name: places.get(name) for name in names}
