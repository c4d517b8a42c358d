"""Make notebooks/conv_layer/hero.svg, the first picture of all: a window slides, edges appear.

    python .github/hero.py

The picture moves by CSS alone. Where nothing moves (a reader asked for that, or a viewer cannot),
it shows the window halfway, where it also starts. A test holds its pixels against what the library
computes.
"""

import base64
import io
from pathlib import Path

import numpy as np
from PIL import Image

import d2lconv as dc
from d2lconv.figures.canvas import ORANGE, SIGNED

SCALE, TOP, GAP = 3, 52, 170  # pixels: of an image's pixel, above the panels, between them
SECONDS = 24  # for all rows; a sixth of it again is a rest


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


def picture() -> str:
    """The SVG."""
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
svg {{ --ink: #556274; }}
@media (prefers-color-scheme: dark) {{ svg {{ --ink: #a8b4c4; }} }}
text {{ font: 17px system-ui, sans-serif; fill: var(--ink); text-anchor: middle; \
dominant-baseline: central; }}
@media (max-width: 500px) {{ text {{ font-size: 40px; }} }} /* of the picture as it is shown */
.k rect {{ fill: none; stroke: var(--ink); }}
.image {{ image-rendering: pixelated; }}
.window {{ fill: {ORANGE}; fill-opacity: .35; stroke: {ORANGE}; stroke-width: 3; }}
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


if __name__ == "__main__":
    target = Path(__file__).parent.parent / "notebooks" / "conv_layer" / "hero.svg"
    target.write_text(picture(), encoding="utf-8")
