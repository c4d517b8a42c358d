"""Exercise 3: what happens if the from-scratch cross-correlation is differentiated.

What happens depends on the framework, so each backend may have a module ``exercises`` with

- ``gradient(function, X, K)``: the gradient of the sum of ``function(X, K)`` with respect to K, by
  the framework's own means, whatever happens on the way, and
- ``REASON``: why it happens, in a sentence or two.
"""

import importlib
import inspect
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import ModuleType
from typing import Any

import numpy as np

from d2lconv.core import ownership, registry, selection
from d2lconv.core.data import detached
from d2lconv.errors import ArgumentError, D2LConvError
from d2lconv.exercise.answers import show
from d2lconv.exercise.model import Exercise, Wrong

X = np.array([[0, 1, 2], [3, 4, 5], [6, 7, 8]], np.float32)
K = np.array([[0, 1], [2, 3]], np.float32)
GRADIENT = np.array([[8, 12], [20, 24]], np.float32)  # the sums of the windows X[a:a+2, b:b+2]

# What the words of an answer begin with. An exception's name, such as MXNetError, is an error too.
NOTHING = r"\b(none|nothing|no gradient)"
GRADIENTS = r"\b(gradient|no error|works|fine|ok\b)"
ERRORS = "error|exception|raise|fail|crash|place"


@dataclass(frozen=True)
class Outcome:
    """What differentiating a function in a framework came to.

    Attributes:
        backend: The backend's name.
        kind: "gradient", "none" if the framework gave None for it, or "error".
        text: The gradient, or the error's type and last line.
        reason: Why the from-scratch code has that outcome in this framework.
    """

    backend: str
    kind: str
    text: str
    reason: str


def differentiate(name: str, function: Callable[[Any, Any], Any] | None = None) -> Outcome:
    """Differentiate a function of (X, K) in a framework; by default, the from-scratch corr2d."""
    backend = registry.load(registry.resolve(name))
    module = _module(backend.name)
    operands = [backend.tensors.tensor(each) for each in (X, K)]
    try:
        found = module.gradient(function or module.corr2d, *operands)
    except Exception as error:  # which one is what the exercise asks
        last = str(error).strip().rpartition("\n")[2]  # MXNet's traceback comes before
        return Outcome(backend.name, "error", f"{type(error).__name__}: {last}", module.REASON)
    if found is None:
        return Outcome(backend.name, "none", "None", module.REASON)
    return Outcome(backend.name, "gradient", show(detached(found)), module.REASON)


@cache
def recorded() -> Mapping[str, Outcome]:
    """What the from-scratch corr2d came to in each framework when it was last tried.

    For pages, which have to know without the frameworks. The tests differentiate it again, in every
    framework that they have, and compare.
    """
    text = files("d2lconv.exercise").joinpath("outcomes.json").read_text(encoding="utf-8")
    return {name: Outcome(name, **outcome) for name, outcome in json.loads(text).items()}


def _module(name: str) -> ModuleType:
    manifest, package = registry.manifests()[name]
    try:
        return importlib.import_module(f"{package}.exercises")
    except ModuleNotFoundError as error:
        if error.name != f"{package}.exercises":
            raise
        raise ArgumentError(
            f"the backend {name!r} has no module {error.name}, so exercise 3 cannot be tried in "
            f"{manifest.framework}; take another backend."
        ) from None


def check_gradient(answer: Any) -> str:
    """Whether outcomes are those that the frameworks show, or a function can be differentiated."""
    if callable(answer) and not (isinstance(answer, type) and issubclass(answer, BaseException)):
        return _check_function(answer)
    current = selection.current_backend()
    claims = answer if isinstance(answer, Mapping) and answer else {current: answer}
    frameworks = []
    for name, claim in claims.items():
        said, seen = _kind(claim), differentiate(str(name).lower())
        framework = registry.manifests()[seen.backend][0].framework
        frameworks.append(framework)
        if said != seen.kind:
            raise Wrong(
                f"In {framework} the outcome is {seen.kind!r}, not {said!r}: differentiating gives "
                f"{seen.text}. {seen.reason}",
                backend=seen.backend,
                found=seen.text,
            )
    return f"That is what happens in {', '.join(dict.fromkeys(frameworks))}."


def _kind(claim: Any) -> str:
    """An outcome in words, or as the thing itself, as one of the three kinds."""
    if claim is None:
        return "none"
    if isinstance(claim, BaseException) or (
        isinstance(claim, type) and issubclass(claim, BaseException)
    ):
        return "error"
    if isinstance(claim, str):
        text = claim.lower()
        for kind, words in (("none", NOTHING), ("gradient", GRADIENTS), ("error", ERRORS)):
            if re.search(words, text):
                return kind
    elif claim is True or ownership.backend_of(claim) is not None or hasattr(claim, "__array__"):
        return "gradient"
    raise Wrong(
        f"{claim!r} is not one of the outcomes: 'gradient', 'none' or 'error'. Answer with a "
        "dictionary of outcomes by framework, with one for the framework in force, or with a "
        "function of X and K that can be differentiated."
    )


def _check_function(function: Callable[[Any, Any], Any]) -> str:
    wanted = f"instead of {show(GRADIENT)}"
    problems = []
    for name in _differentiating():
        framework = registry.manifests()[name][0].framework
        outcome = differentiate(name, function)
        if outcome.text == show(GRADIENT):
            tensor = registry.load(name).tensors.tensor
            Y = detached(function(tensor(X), tensor(K)))
            if np.array_equal(Y, [[19, 25], [37, 43]]):
                return f"{framework} differentiates it."
            outcome = Outcome(name, "value", f"the value {show(Y)}", "")
            wanted = "instead of [[19, 25], [37, 43]]"
        problems.append(f"{framework} gives {outcome.text}")
    raise Wrong(
        f"For X = {show(X)} and K = {show(K)}, {'; '.join(problems)}, {wanted}.",
        X=X,
        K=K,
        expected=GRADIENT,
    )


def _differentiating() -> list[str]:
    """The backend in force if it differentiates, else every one that is installed and does."""

    def differentiates(name: str) -> bool:
        try:
            # A function that every framework with gradients can differentiate.
            return differentiate(name, lambda X, K: K * K).kind == "gradient"
        except D2LConvError:
            return False

    current = selection.current_backend()
    if differentiates(current):
        return [current]
    names = [s.name for s in registry.backends() if s.installed and differentiates(s.name)]
    if not names:
        raise ArgumentError(
            "no framework that differentiates is installed, so the function cannot be tried; "
            "`d2lconv doctor` has the commands that install one."
        )
    return names


def _live(name: str) -> str:
    """What happens in a backend's framework, and the code that shows it."""
    outcome = differentiate(name)
    return (
        f"# Here, differentiating the from-scratch corr2d gives {outcome.text}\n\n"
        + inspect.getsource(_module(name))
    )


EXERCISES = (
    Exercise(
        "3",
        "Differentiating the layer from scratch",
        "What happens in your framework if you ask for the gradient with respect to the kernel? "
        "The from-scratch corr2d computes element by element, and puts each into an array of "
        "zeros.\n\n"
        "Answer with `'gradient'`, `'none'` or `'error'` for the framework in force, or with a "
        "dictionary such as `{'torch': 'none', ...}`; or with a function of X (h, w) and K "
        "(kh, kw) that computes the cross-correlation and that your framework differentiates.",
        "Which operations does a framework record, in order to go back through them?",
        "It depends on what a framework makes of an assignment into an array: PyTorch records it, "
        "JAX has none and gives a new array instead, MXNet raises an error, and TensorFlow forgets "
        "where the values came from and gives None. Without assignments it works everywhere: add "
        "up shifted images, each times one element of the kernel.",
        """
        def from_scratch(X, K):
            return d2l.corr2d(X, K, method="loop")


        def answer(X, K):
            (h, w), (kh, kw) = X.shape, K.shape
            H, W = h - kh + 1, w - kw + 1
            return sum(X[a : a + H, b : b + W] * K[a, b] for a in range(kh) for b in range(kw))


        X, K = d2l.tensor([[0, 1, 2], [3, 4, 5], [6, 7, 8]]), d2l.tensor([[0, 1], [2, 3]])
        for function in (from_scratch, answer):
            try:
                print(function.__name__, gradient(function, X, K))
            except Exception as error:
                print(function.__name__, "raises", error)
        """,
        check_gradient,
        live=_live,
    ),
)
