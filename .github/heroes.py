"""Make notebooks/*/hero.svg, the picture that each lesson opens with: what one will be able to do.

    python .github/heroes.py

The pictures move by CSS alone. Where nothing moves (a reader asked for that, or a viewer cannot),
they are whole: the first one shows its window halfway, where it also starts. A test holds their
pixels against what the library computes.
"""

import base64
import io
from pathlib import Path

import numpy as np
from PIL import Image

import d2lconv as dc
from d2lconv.figures.canvas import ORANGE, SIGNED
from d2lconv.training import owner
from d2lconv.widgets import trained

SCALE, TOP, GAP = 3, 52, 170  # pixels: of an image's pixel, above the panels, between them
SECONDS = 24  # for all rows; a sixth of it again is a rest
WIDTH = 936
DIGITS = (7, 2, 3)  # which LeNet reads
STYLE = f"""svg {{ --ink: #556274; }}
@media (prefers-color-scheme: dark) {{ svg {{ --ink: #a8b4c4; }} }}
text {{ font: 17px system-ui, sans-serif; fill: var(--ink); text-anchor: middle; \
dominant-baseline: central; }}
@media (max-width: 500px) {{ text {{ font-size: 40px; }} }} /* of the picture as it is shown */
.arrow {{ font-size: 40px; }}
.k rect {{ fill: none; stroke: var(--ink); }}
.image {{ image-rendering: pixelated; }}
.window {{ fill: {ORANGE}; fill-opacity: .35; stroke: {ORANGE}; stroke-width: 3; }}"""


def pixels() -> tuple[np.ndarray, np.ndarray]:
    """The photograph and what the kernel makes of it, as bytes."""
    X = dc.numpy.photograph("cameraman")
    Y = dc.numpy.corr2d(X, dc.numpy.kernels.sobel(1))
    limit = np.abs(Y).max() * 0.6  # the strongest edges may be as light as strong ones
    return np.round(255 * X).astype(np.uint8), SIGNED(Y / limit / 2 + 0.5, bytes=True)[..., :3]


def link(image: np.ndarray) -> str:
    """A picture as an address that holds it."""
    file = io.BytesIO()
    Image.fromarray(image).save(file, format="PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


def conv_layer() -> str:
    """A window slides over a photograph, and edges appear."""
    X, Y = pixels()
    K = dc.numpy.kernels.sobel(1)
    (h, w), (H, W) = X.shape, Y.shape[:2]
    right = w * SCALE + GAP
    bands = H // 3
    cell = 56
    numbers = "".join(
        f'<rect x="{j * cell}" y="{i * cell}" width="{cell}" height="{cell}"/>'
        f'<text x="{(j + 0.5) * cell}" y="{(i + 0.5) * cell}">{k:g}</text>'.replace("-", "−")
        for (i, j), k in np.ndenumerate(K)
    ).replace("−1.", "-1.")
    middle = w * SCALE + (GAP - 3 * cell) / 2
    height = TOP + h * SCALE + 12
    row = SECONDS / bands
    half = (bands // 2) * 3 * SCALE
    return f"""<svg xmlns="http://www.w3.org/2000/svg" \
viewBox="0 0 {right + W * SCALE + 4} {height}" \
role="img" aria-label="A 3x3 window slides over a photograph; where the brightness changes along \
the row, the output lights up, and the edges appear.">
<style>
{STYLE}
@media (prefers-reduced-motion: no-preference) {{
  .down {{ animation: down {SECONDS * 7 / 6:g}s -{SECONDS / 2:g}s infinite; }}
  .across {{ animation: across {row:g}s linear infinite; }}
  @keyframes down {{
    0% {{ transform: translateY(0); animation-timing-function: steps({bands}); }}
    85.714% {{ transform: translateY({bands * 3 * SCALE}px); opacity: 1; }}
    85.715%, 100% {{ transform: translateY({bands * 3 * SCALE}px); opacity: 0; }}
  }}
  @keyframes across {{ to {{ transform: translateX({W * SCALE}px); }} }}
}}
</style>
<text x="{w * SCALE / 2}" y="24">a photograph</text>
<text x="{middle + 1.5 * cell}" y="{TOP + h * SCALE / 2 - 2.1 * cell}">a kernel</text>
<text x="{right + W * SCALE / 2}" y="24">its edges</text>
<g transform="translate(2 {TOP})">
<image class="image" width="{w * SCALE}" height="{h * SCALE}" href="{link(X)}"/>
<g class="down" transform="translate(0 {half})"><rect class="window across" \
transform="translate({W * SCALE // 2})" width="{3 * SCALE}" height="{3 * SCALE}"/></g>
</g>
<g class="k" transform="translate({middle} {TOP + h * SCALE / 2 - 1.5 * cell})">{numbers}</g>
<svg x="{right}" y="{TOP + SCALE}" width="{W * SCALE}" height="{H * SCALE}">
<image class="image" width="{W * SCALE}" height="{H * SCALE}" href="{link(Y)}"/>
<g class="down" transform="translate(0 {half})">
<rect y="{3 * SCALE}" width="{W * SCALE}" height="{H * SCALE}"/>
<g class="across" transform="translate({W * SCALE // 2})">
<rect width="{W * SCALE}" height="{3 * SCALE}"/><rect class="window" y="{SCALE}" \
width="{SCALE}" height="{SCALE}"/>
</g>
</g>
</svg>
</svg>
"""


def svg(height: float, says: str, motion: str, content: str) -> str:
    """A picture, with rules for what moves if the reader likes that."""
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" \
aria-label="{says}">
<style>
{STYLE}
@media (prefers-reduced-motion: no-preference) {{
{motion}
}}
</style>
{content}
</svg>
"""


def image(pixels: np.ndarray, x: float, y: float, side: float, more: str = "") -> str:
    """An image at a place, as large as a square of that side; of more classes, if given."""
    return (
        f'<image class="image{more}" x="{x:g}" y="{y:g}" width="{side:g}" '
        f'height="{side:g}" href="{link(pixels)}"/>'
    )


def label(x: float, y: float, words: str) -> str:
    """Words, their middle at a place."""
    return f'<text x="{x:g}" y="{y:g}">{words}</text>'


def arrow(x: float, y: float) -> str:
    """An arrow to the right, its middle at a place."""
    return f'<text class="arrow" x="{x:g}" y="{y:g}">→</text>'


def grey(A: np.ndarray) -> np.ndarray:
    """Numbers from 0 to 1 as bytes."""
    return np.round(255 * np.clip(A, 0, 1)).astype(np.uint8)


def signed(A: np.ndarray) -> np.ndarray:
    """Numbers of both signs as colours, 0 black; the strongest fiftieth is as light as can be."""
    colours: np.ndarray = SIGNED(A / np.quantile(np.abs(A), 0.98) / 2 + 0.5, bytes=True)[..., :3]
    return colours


def strided() -> tuple[np.ndarray, np.ndarray]:
    """An image of 5x5, and the means of its 3x3 windows, with padding and a stride of 2."""
    X = dc.numpy.digits(train=False)[0][0, 0, 5:25:4, 5:25:4]
    return X, dc.numpy.corr2d(X, np.full((3, 3), 1 / 9), padding=1, stride=2)


def padding_strides() -> str:
    """A window in a padded image, two steps at a time, and what it gives."""
    X, Y = strided()
    cell, left, right, seconds = 48, 40, 560, 9
    side, out = 7 * cell, 2 * cell
    zeros = "".join(
        f'<rect class="zero" x="{j * cell}" y="{i * cell}" width="{cell}" height="{cell}"/>'
        for i in range(7)
        for j in range(7)
        if {i, j} & {0, 6}
    )
    rules = [
        ".zero { fill: none; stroke: var(--ink); stroke-dasharray: 4 4; }",
        f".across {{ animation: across {seconds / 3:g}s steps(3, jump-none) infinite; }}",
        f".down {{ animation: down {seconds}s steps(3, jump-none) infinite; }}",
        f"@keyframes across {{ from {{ transform: translateX(0); }} to {{ transform: "
        f"translateX({2 * out}px); }} }}",
        f"@keyframes down {{ from {{ transform: translateY(0); }} to {{ transform: "
        f"translateY({2 * out}px); }} }}",
    ]
    found = []
    for number, ((i, j), y) in enumerate(np.ndenumerate(Y)):
        shade = grey(np.array(y))
        start = 100 * number / 9
        rules += [
            f".y{number} {{ animation: y{number} {seconds}s step-end infinite; }}",
            f"@keyframes y{number} {{ 0% {{ opacity: {int(not number)}; }} "
            f"{start:.2f}%, 100% {{ opacity: 1; }} }}",
        ]
        found.append(
            f'<rect class="y{number}" x="{j * out}" y="{i * out}" width="{out}" height="{out}" '
            f'fill="rgb({shade},{shade},{shade})"/>'
        )
    middle = (left + side + right) / 2
    content = f"""{label(left + side / 2, 24, "zeros around it")}
{label(right + 1.5 * out, 24, "two steps at a time")}
{arrow(middle, TOP + side / 2)}
<g transform="translate({left} {TOP})">
{image(grey(X), cell, cell, 5 * cell)}
<g class="k">{zeros}</g>
<g class="down"><rect class="window across" width="{3 * cell}" height="{3 * cell}"/></g>
</g>
<g transform="translate({right} {TOP + (side - 3 * out) / 2:g})">
{"".join(found)}
<rect width="{3 * out}" height="{3 * out}" fill="none" stroke="var(--ink)"/>
</g>"""
    says = (
        "A 3x3 window moves by two elements at a time over a 5x5 image with a border of zeros, and "
        "gives 3x3 numbers."
    )
    return svg(TOP + side + 14, says, "\n".join(rules), content)


def channelled() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A photograph, three feature maps of it, and one of those three by a kernel of 3x1x1."""
    X = dc.numpy.photograph("rocket")
    kernels = dc.numpy.kernels
    K = np.stack([kernels.sobel(0), kernels.sobel(1), kernels.laplacian()])[:, None]
    maps = dc.numpy.corr2d(X[None], K)
    return X, maps, dc.numpy.corr2d(np.abs(maps), np.float32([[[[1]], [[1]], [[1]]]]))[0]


def channels() -> str:
    """Three kernels make three channels of one, and a fourth makes one of three."""
    X, maps, total = channelled()
    side, step, top = 210, 42, TOP + 4
    height = side + 2 * step
    one, three, last = 4, 296, WIDTH - side - 4
    arrows = (one + side + three) / 2, (three + side + 2 * step + last) / 2
    seconds, rows = 16, 32
    window = side / 128 * 4
    rules = [
        f".across {{ animation: across {seconds / rows:g}s linear infinite; }}",
        f".down {{ animation: down {seconds}s -{seconds / 2:g}s steps({rows}) infinite; }}",
        f"@keyframes across {{ to {{ transform: translateX({side - 2 * window:g}px); }} }}",
        f"@keyframes down {{ from {{ transform: translateY(0); }} to {{ transform: "
        f"translateY({side - window:g}px); }} }}",
    ]
    moving = (
        f'<g class="down"><rect class="window across" width="{2 * window:g}" '
        f'height="{2 * window:g}"/></g>'
    )
    places = [(one, top + step, grey(X))]
    places += [(three + k * step, top + k * step, signed(a)) for k, a in enumerate(maps)]
    places += [(last, top + step, grey(total / np.quantile(total, 0.98)))]
    drawn = "".join(
        image(pixels, x, y, side) + f'<g transform="translate({x:g} {y:g})">{moving}</g>'
        for x, y, pixels in places
    )
    content = f"""{label(120, 24, "one channel")}
{label(three + side / 2 + step, 24, "three")}
{label(last + side / 2, 24, "one again")}
{"".join(arrow(x, top + step + side / 2) for x in arrows)}
{drawn}"""
    says = (
        "Three kernels make three feature maps of a photograph; a fourth kernel adds up the three, "
        "element by element."
    )
    return svg(top + height + 12, says, "\n".join(rules), content)


def pooled() -> list[list[np.ndarray]]:
    """The edges of a photograph and of it one pixel further, and their maxima in windows of 4."""
    X = dc.numpy.photograph("cameraman")
    found = []
    for start in (0, 1):
        part = X[:, start : start + 127]
        edges = np.abs(dc.numpy.corr2d(part, dc.numpy.kernels.sobel(1)))[1:125, :124]
        once = dc.numpy.pool2d(edges, 2, stride=2)
        found.append([edges, once, dc.numpy.pool2d(once, 2, stride=2)])
    return found


def pooling() -> str:
    """The largest of each window, twice; and what is left of a shift by one pixel."""
    side, top = 288, TOP
    gap = (WIDTH - 3 * side - 8) / 2
    both, light = pooled(), 2.2
    rules = [
        ".one { animation: one 3s step-end infinite; }",
        "@keyframes one { 0% { opacity: 1; } 50%, 100% { opacity: 0; } }",
    ]
    drawn = []
    for place in range(3):
        x = 4 + place * (side + gap)
        drawn += [
            image(grey(both[1][place] / light), x, top, side),
            image(grey(both[0][place] / light), x, top, side, " one"),
        ]
    words = ("edges", "the largest of 2×2", "and again")
    labels = "".join(
        label(4 + place * (side + gap) + side / 2, 24, text) for place, text in enumerate(words)
    )
    says = (
        "The edges of a photograph, shifted to and fro by one pixel, and the largest of each 2x2 "
        "window, once and twice: what was found stays, and the shift hardly shows."
    )
    return svg(top + side + 12, says, "\n".join(rules), labels + "".join(drawn))


def read() -> list[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]]:
    """Digits, the feature maps of both convolutions, and the ten probabilities."""
    net = trained.network()
    where = [n for n, layer in enumerate(net.made.layers) if layer.kind == "tanh"][:2]
    found = []
    for X in trained.samples()[list(DIGITS)]:
        outputs = owner(net).outputs(net, X[None, None])
        scores = outputs[-1][0].astype(float)
        likely = np.exp(scores - scores.max())
        found.append((X, *(outputs[n][0] for n in where), likely / likely.sum()))
    return found


def lenet() -> str:
    """A digit, what the two convolutions find in it, and which digit it is."""
    found, seconds, top, height = read(), 6, TOP, 236
    share = 100 / len(found)
    rules, drawn = [], []
    for number, (X, one, two, likely) in enumerate(found):
        name = f"digit{number}"
        start, stop = number * share, (number + 1) * share
        before = f"0% {{ opacity: 0; }} {start:.1f}%" if number else "0%"
        after = f" {stop:.1f}%, 100% {{ opacity: 0; }}" if stop < 99 else " 100% { opacity: 1; }"
        rules += [
            f".{name} {{ animation: {name} {seconds}s step-end infinite; }}",
            f"@keyframes {name} {{ {before} {{ opacity: 1; }}{after} }}",
        ]
        parts = [image(grey(X), 4, top + 48, 140)]
        parts += [
            image(signed(a), 214 + 80 * (k % 3), top + 40 + 80 * (k // 3), 76)
            for k, a in enumerate(one)
        ]
        parts += [
            image(signed(a), 514 + 52 * (k % 4), top + 14 + 52 * (k // 4), 49)
            for k, a in enumerate(two)
        ]
        parts += [
            f'<rect x="800" y="{top + 4 + 23 * k}" width="{4 + 126 * p:.1f}" height="17" '
            f'fill="{ORANGE if p == likely.max() else "var(--ink)"}"/>'
            for k, p in enumerate(likely)
        ]
        hidden = ' opacity="0"' if number else ""
        drawn.append(f'<g class="{name}"{hidden}>{"".join(parts)}</g>')
    numbers = "".join(
        f'<text class="number" x="784" y="{top + 13 + 23 * k}">{k}</text>' for k in range(10)
    )
    arrows = "".join(arrow(x, top + height / 2) for x in (180, 482, 750))
    content = f"""<style>.number {{ font-size: 17px !important; }}</style>
{label(74, 24, "a digit")}
{label(332, 24, "six maps")}
{label(616, 24, "sixteen")}
{label(828, 24, "which one?")}
{arrows}{numbers}{"".join(drawn)}"""
    says = (
        "Three digits in turn, the feature maps that LeNet's two convolutions make of each, and "
        "how likely each of the ten digits is."
    )
    return svg(top + height + 12, says, "\n".join(rules), content)


LESSONS = {
    "conv_layer": conv_layer,
    "padding_strides": padding_strides,
    "channels": channels,
    "pooling": pooling,
    "lenet": lenet,
}

if __name__ == "__main__":
    for name, picture in LESSONS.items():
        target = Path(__file__).parent.parent / "notebooks" / name / "hero.svg"
        target.write_text(picture(), encoding="utf-8")
