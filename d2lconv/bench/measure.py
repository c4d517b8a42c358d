"""Measuring time and memory, in the process that is asked.

Calls that are to be compared are timed in turns, so that whatever slows the machine down for a
while slows all of them down. What is reported of two calls is the median of the turns' ratios.
The clock and the facts about the machine are pyperf's.
"""

import gc
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random
from statistics import quantiles

from d2lconv.extras import needed

with needed("cli"):
    import pyperf

Call = Callable[[], object]

SAMPLE = 1e-3  # seconds that a sample takes at least: so many calls are timed together
TURNS = (5, 60)  # at least and at most so many samples of each call
SLOW = 4.0  # seconds; what takes longer is called less often
ROUNDS = 3  # so many times as many turns at most, where the times are spread too widely

# Variables under which memory that is given back leaves the process, as glibc reads them: large
# blocks come from the system one by one. Without, what was freed before would hide what is used.
RETURN_MEMORY = {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "65536"}


FACTS = ("cpu_model_name", "cpu_freq", "platform", "python_version", "load_avg_1min")


@dataclass(frozen=True)
class Spread:
    """The median of some values, and the quartiles around it."""

    median: float
    low: float
    high: float

    @property
    def half(self) -> float:
        """Half the distance of the quartiles, as a share of the median."""
        return (self.high - self.low) / 2 / self.median

    @property
    def is_wide(self) -> bool:
        """Whether the machine was too busy to tell: half the quartiles' distance is half of it."""
        return self.half > 0.5


@dataclass(frozen=True)
class Times:
    """What one call took.

    Attributes:
        start: Seconds that the calls before the steady state took longer than those in it do:
            compiling, mostly.
        samples: Seconds per call, one sample for each turn.
    """

    start: float
    samples: tuple[float, ...]


def spread(values: Sequence[float]) -> Spread:
    """The median and the quartiles.

    Example:
        >>> spread([1.0, 2.0, 3.0])
        Spread(median=2.0, low=1.5, high=2.5)
    """
    if len(values) == 1:
        return Spread(values[0], values[0], values[0])
    low, median, high = quantiles(values, n=4, method="inclusive")
    return Spread(median, low, high)


def ratios(slow: Sequence[float], fast: Sequence[float]) -> Spread:
    """How many times faster one call is than another that was timed in the same turns."""
    return spread([s / f for s, f in zip(slow, fast, strict=True)])


def interleaved(calls: Mapping[str, Call], seconds: float) -> dict[str, Times]:
    """Time some calls in turns, for about so many seconds each, after warming up as long.

    Where the times are spread too widely to tell, as on a busy machine, up to three times as long.
    """
    names, random = list(calls), Random(0)
    collecting = gc.isenabled()
    gc.disable()
    try:
        warm = {name: _warm_up(calls[name], seconds) for name in names}
        steady = {name: spread(times[len(times) // 2 :]).median for name, times in warm.items()}
        loops = {name: max(1, round(SAMPLE / steady[name])) for name in names}
        turn = sum(loops[name] * steady[name] for name in names)
        samples: dict[str, list[float]] = {name: [] for name in names}
        least = TURNS[0] if turn < SLOW else 2
        turns = min(max(least, round(seconds * len(names) / turn)), TURNS[1])
        for _ in range(ROUNDS):
            for _ in range(turns):
                random.shuffle(names)  # whose turn comes after whose may matter
                for name in names:
                    samples[name].append(_time(calls[name], loops[name]))
            if not any(spread(taken).is_wide for taken in samples.values()):
                break
    finally:
        if collecting:
            gc.enable()
    return {
        name: Times(
            sum(max(0.0, time - spread(samples[name]).median) for time in warm[name]),
            tuple(samples[name]),
        )
        for name in calls
    }


def _warm_up(call: Call, seconds: float) -> list[float]:
    """Call three times, and on for that long: some compile only what comes back.

    The slowest call, in which that may have happened, does not count.
    """
    times: list[float] = []
    while sum(times) < SLOW and (
        len(times) < 3 or (sum(times) - max(times) < seconds and len(times) < 300)
    ):
        times.append(_time(call, 1))
    return times


def _time(call: Call, loops: int) -> float:
    start = pyperf.perf_counter()
    for _ in range(loops):
        call()
    return float(pyperf.perf_counter() - start) / loops


def peak(call: Call) -> int:
    """The bytes of memory that a call takes at its height, over those in use before.

    The system keeps the highest mark, which Linux resets on request; elsewhere a call that stays
    below an earlier mark seems to take nothing.
    """
    call()  # what is compiled, loaded and cached once is not the call's
    gc.collect()
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")
    before = highest()
    call()
    return max(0, highest() - before)


def highest() -> int:
    """The largest number of bytes that were in memory since the mark was reset."""
    with suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    import resource  # here, because Windows has none

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def machine() -> dict[str, object]:
    """What runs here, as far as it bears on speed."""
    facts = pyperf.Run([1.0], collect_metadata=True).get_metadata()
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {**{name: facts[name] for name in FACTS if name in facts}, "cores": usable}
