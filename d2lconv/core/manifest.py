"""What a backend says about itself before anything heavy is imported.

A backend is a package with a manifest in its ``__init__`` and five modules beside it: ``tensors``,
``autodiff``, ``methods``, ``layers`` and ``learning``, with what :mod:`d2lconv.core.protocols` asks
for. It is announced by an entry point of the group ``d2lconv.backends``:

    [project.entry-points."d2lconv.backends"]
    torch = "d2lconv_torch:manifest"

A module ``exercises`` is optional: see :mod:`d2lconv.exercise.gradients`; so is ``timing``, for
benchmarks.

The manifest's package must import no framework: it is read to list the backends, and the modules
are imported when one is used.
"""

import math
import os
from dataclasses import dataclass


@dataclass(frozen=True)
class Deviation:
    """Where a backend cannot keep what the parity cases claim, and why.

    The parity run holds a backend to its deviations too: one that is no longer true is reported
    as a bug.

    Attributes:
        cases: The parity cases that deviate: a name, the beginning of one, or a shell pattern.
        reason: Why.
        raises: A part of the error's message, if the case raises one. None if it gives a result,
            with other bits than the claim's, but within the bound of rounding and underflow.
    """

    cases: str
    reason: str
    raises: str | None = None


@dataclass(frozen=True)
class Release:
    """The releases of a distribution that a backend was tested with.

    Attributes:
        distribution: Its name on the package index.
        oldest: The oldest one that the backend works with.
        newest: The newest one that it was tested with.
        beyond: What to say of newer ones, if it is known.
    """

    distribution: str
    oldest: str
    newest: str
    beyond: str = ""


@dataclass(frozen=True)
class Cost:
    """How long a method takes in a framework: the constants of :mod:`d2lconv.core.costs`, in µs.

    Attributes:
        method: "exact", "native", "banded", "matmul" or "fft".
        fixed: For a call, whatever the sizes.
        step: For each step.
        output: For a million elements of the output.
        work: For a million multiplications.
        up_to: The shorter side of the kernel and the elements of the image up to which this holds;
            None if there is no end. For what lies beyond, another Cost of the method comes after.
    """

    method: str
    fixed: float
    step: float
    output: float
    work: float
    up_to: tuple[int, int] | None = None

    def holds(self, image: tuple[int, ...], kernel: tuple[int, ...]) -> bool:
        """Whether these shapes are within the end."""
        if self.up_to is None:
            return True
        side, elements = self.up_to
        return min(kernel) <= side and math.prod(image) <= elements


@dataclass(frozen=True)
class Manifest:
    """One backend's name and needs.

    Attributes:
        name: What users write in ``dc.use(name)``.
        framework: The framework's name as people write it, for messages and table heads.
        modules: Import names that must be present; the first one is the framework itself.
        aliases: Other names that users may write.
        type_roots: Root modules of the framework's tensor types. An argument whose type, or one
            of that type's bases, is defined under such a root is a native tensor.
        distribution: The framework's name on the package index, when it differs from the module's.
        extra: The extra of d2lconv that installs the framework, if there is one.
        hint: What to know when the framework cannot be installed.
        deviations: Where the backend cannot keep what the parity cases claim.
        releases: Which releases of the framework, and of what it needs, were tested.
        forks: Whether the framework works in a process that was forked after it was imported. If
            not, d2lconv refuses to use it there.
        costs: What each method costs that ``method="auto"`` may choose; without, it is "exact".
        quiet: Environment variables that stop the framework from logging, for processes of our
            own; never set behind a user's back.
        variables: How the names of environment variables begin that the framework reads. A value
            that it does not understand may end the process.
    """

    name: str
    framework: str
    modules: tuple[str, ...]
    aliases: tuple[str, ...] = ()
    type_roots: tuple[str, ...] = ()
    distribution: str | None = None
    extra: str | None = None
    hint: str = ""
    deviations: tuple[Deviation, ...] = ()
    costs: tuple[Cost, ...] = ()
    quiet: tuple[tuple[str, str], ...] = ()
    variables: tuple[str, ...] = ()
    releases: tuple[Release, ...] = ()
    forks: bool = True

    def __hash__(self) -> int:
        return hash(self.name)  # hashing every field would take longer than the look-up

    @property
    def install_command(self) -> str:
        """The shell command that installs the framework."""
        if self.extra is not None:
            return f'pip install "d2lconv[{self.extra}]"'
        return f"pip install {self.distribution or self.modules[0]}"

    @property
    def suspects(self) -> str:
        """The environment variables that are set and that the framework reads; "" if none is."""
        ours = dict(self.quiet)
        return ", ".join(
            f"{name}={value!r}"
            for name, value in sorted(os.environ.items())
            if name.startswith(self.variables) and value != ours.get(name)
        )

    @property
    def suspicion(self) -> str:
        """A sentence for an error of the framework, if such a variable may be why; else ""."""
        if not self.suspects:
            return ""
        return (
            f"{self.framework} reads environment variables that are set here, and one of them may "
            f"be why: {self.suspects}. Correct it, or unset it."
        )
