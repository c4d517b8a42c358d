"""Widgets in pages of HTML that need nothing else."""

import re
from base64 import b64encode
from dataclasses import asdict
from importlib.resources import files
from typing import Any, Final

from markupsafe import Markup

from d2lconv import exercise, published
from d2lconv.core import checks, registry
from d2lconv.core.contract import FloatArray
from d2lconv.errors import ArgumentError
from d2lconv.exercise import gradients
from d2lconv.extras import needed
from d2lconv.images import PHOTOGRAPHS, photograph
from d2lconv.widgets import trained

with needed("widgets"):
    from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
    from jinja2.utils import htmlsafe_json_dumps

TITLES: Final = {
    "window": "The sliding window",
    "edges": "The edge detector",
    "learning": "The learning loop",
    "receptive": "Receptive fields",
    "strides": "Padding and strides",
    "channels": "Channels",
    "pooling": "Pooling",
    "lenet": "LeNet alive",
    "exercises": "An exercise",
}
PARTS: Final = {
    "window": ("boards",),
    "edges": ("pictures",),
    "learning": ("plots",),
    "strides": ("places", "boards"),
    "channels": ("boards",),
    "pooling": ("places", "boards", "pictures"),
    "lenet": ("places", "pictures", "network", "pen"),
    "exercises": (
        *("pictures", "tokens", "literals", "python", "kernels", "data", "verdicts", "samples"),
        "essay",
    ),
}
STATES: Final = {
    "window": ("input", "kernel", "position"),
    "edges": ("image", "kernel", "photographs"),
    "learning": ("image", "kernel", "runs", "initial", "lr", "epochs"),
    "receptive": ("size", "layers"),
    "strides": ("input", "kernel", "padding", "stride", "dilation", "position"),
    "channels": ("input", "kernels", "output", "position"),
    "pooling": ("input", "size", "padding", "stride", "outside", "position", "photographs"),
    "lenet": ("image", "weights", "digits"),
    "exercises": ("id", "framework", "outcomes", "hint", "task"),
}


def html(name: str, **state: Any) -> Markup:
    """Make a fragment of HTML with a widget in it, alive wherever a browser shows it.

    Args:
        name: "window", "edges", "learning", "receptive", "strides", "channels", "pooling", "lenet"
            or "exercises".
        state: What the widget starts with; what is not given starts as in the lesson. "window"
            takes input and kernel (matrices) and position (row and column); "edges" image and
            kernel; "learning" image, kernel (1, 2), runs (as in ``published.json``), initial (a
            kernel), lr and epochs; "receptive" size (the side of the input) and layers (the
            keyword arguments of ``dc.Window``, as numbers); "strides" input, kernel, padding (pairs
            for height and width), stride, dilation (pairs) and position; "channels" input
            (c, h, w), kernels (o, c, kh, kw), output (the number of the one that is looked at) and
            position; "pooling" input, size, padding, stride (pairs), outside ("nothing" or "zeros")
            and position; "lenet" image (28, 28), from 0 to 1; "exercises" id (an exercise's name,
            which must be given) and framework (the backend that the answer is about, or "together"
            for all of them side by side), which the page changes with an event ``d2lconv:view`` on
            its document that has the new one as its ``detail``.

    Returns:
        The fragment, with its style and its module inside. A page may hold several, also of the
        same widget. It asks the network for nothing.

    Raises:
        ArgumentError: There is no such widget, it has no such state, there is no such exercise,
            or a value has no form in JSON, such as a NaN.
        UnknownBackend: There is no such framework.

    Example:
        >>> print(html("window", kernel=[[1, -1]]).splitlines()[0])
        <div data-d2lconv="window"></div>
    """
    json = given(name, **state)
    return _rendered(
        "fragment", name=name, style=Markup(style()), module=Markup(module(name)), state=json
    )


def given(name: str, **state: Any) -> Markup:
    """What a widget starts with, as JSON; arguments and errors are those of :func:`html`."""
    checks.choice("widget", name, TITLES)
    for key in state:
        checks.choice(f"state of {name!r}", key, STATES[name])
    if name == "exercises":
        state = _exercise(**state)
    values = {**defaults(name), **{key: _plain(value) for key, value in state.items()}}
    try:
        return Markup(htmlsafe_json_dumps(values, allow_nan=False))
    except (TypeError, ValueError) as error:
        raise ArgumentError(f"the state {state!r} has no form in JSON: {error}.") from error


def page(name: str, **state: Any) -> str:
    """Make a whole page with one widget; the arguments are those of :func:`html`.

    Example:
        >>> page("receptive", size=5).splitlines()[0]
        '<!DOCTYPE html>'
    """
    fragment = html(name, **state)
    return str(_rendered("page", title=TITLES[name], fragment=fragment))


def defaults(name: str) -> dict[str, Any]:
    """What a widget gets from the library if the reader gives nothing else."""
    if name in ("edges", "pooling"):
        return {"photographs": {one: _packed(photograph(one)) for one in PHOTOGRAPHS}}
    if name == "lenet":
        return {"weights": _base64(trained.steps()), "digits": [*map(_bytes, trained.samples())]}
    if name != "learning":
        return {}
    return {"runs": [{**asdict(run), "title": _title(run.id)} for run in published.runs()]}


def _packed(image: FloatArray) -> str:
    """A picture at half its size, a byte for each pixel, in base64."""
    h, w = image.shape
    return _bytes(image.reshape(h // 2, 2, w // 2, 2).mean(axis=(1, 3)))


def _bytes(image: FloatArray) -> str:
    return _base64((image * 255).round().astype("uint8"))


def _base64(array: Any) -> str:
    return b64encode(array.tobytes()).decode("ascii")


def _exercise(id: Any = None, framework: str = "numpy", **state: Any) -> dict[str, Any]:
    """The state of a place to work, with what the page cannot find out by itself."""
    state |= {"id": exercise.find(id).id, "framework": framework}
    if framework != "together":
        state["framework"] = registry.resolve(framework)
    state.setdefault("hint", exercise.find(id).hint)
    state.setdefault("task", exercise.find(id).page)
    if state["id"] == "3":
        state.setdefault("outcomes", outcomes())
    return state


def outcomes() -> dict[str, dict[str, Any]]:
    """What exercise 3 asks for, by backend."""
    recorded = gradients.recorded()
    return {
        name: {
            "framework": manifest.framework,
            "aliases": manifest.aliases,
            "kind": recorded[name].kind,
            "text": recorded[name].text,
            "reason": recorded[name].reason,
        }
        for name, (manifest, _) in registry.manifests().items()
        if name in recorded
    }


def module(name: str) -> str:
    """The ES module of a widget, whole: its parts in one text, which exports ``render``."""
    parts = ("arithmetic", "common", *PARTS.get(name, ()), name)
    text = "\n".join(_text(f"{part}.js") for part in parts)
    return re.sub(r"^import \{[^}]*\} from [^;]*;\n", "", text, flags=re.MULTILINE)


def style() -> str:
    """The style sheet of all widgets."""
    return _text("style.css")


def _title(run: str) -> str:
    """A published run as readers know it.

    Example:
        >>> _title("book-jax")
        'JAX (book)'
    """
    where, _, framework = run.partition("-")
    manifest, _ = registry.manifests()[registry.resolve(framework)]
    return f"{manifest.framework} ({where})"


def _text(name: str) -> str:
    return files("d2lconv.widgets").joinpath(name).read_text(encoding="utf-8")


def _rendered(template: str, **values: Any) -> Markup:
    environment = Environment(
        loader=PackageLoader("d2lconv.widgets", "."),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
    )
    return Markup(environment.get_template(f"{template}.html.j2").render(values))


def _plain(value: Any) -> Any:
    """A value without arrays: tensors as lists of rows."""
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, (list, tuple)) else value
