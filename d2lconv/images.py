"""The lesson's images, four photographs, and the reader's own."""

from importlib.resources import files
from os import fspath
from typing import Any, Final

import numpy as np

from d2lconv.core import checks
from d2lconv.core.contract import FloatArray
from d2lconv.errors import ArgumentError
from d2lconv.extras import needed

# Each was taken from scikit-image 0.26.0, made grey by luminance where it had colours, cropped to a
# square, and reduced to 128x128 by averaging blocks of 2x2, 3x3 or 4x4 pixels.
PHOTOGRAPHS: Final = {
    "brick": "a brick wall, from CC0Textures (Bricks25), CC0",
    "cameraman": "a man with a camera on a tripod, by Lav Varshney, CC0",
    "coins": "Greek coins from Pompeii, Brooklyn Museum, no known copyright restrictions",
    "rocket": "a Falcon 9 before the launch of DSCOVR, by SpaceX, public domain",
}


def edge_image() -> FloatArray:
    """The 6x8 image of ones whose columns 2 to 5 are zero: white, black, white."""
    X = np.ones((6, 8), np.float32)
    X[:, 2:6] = 0
    return X


def diagonal_image(n: int) -> FloatArray:
    """The n x n image of zeros with ones on its main diagonal."""
    size = checks.whole_number("n", n, least=1)
    try:
        return np.eye(size, dtype=np.float32)
    except (ValueError, OverflowError, MemoryError):
        raise ArgumentError(f"n is {n!r}; an image of that size has no room in memory.") from None


def photograph(name: str) -> FloatArray:
    """One of the photographs: 128x128, from 0 for black to 1 for white."""
    checks.choice("photograph", name, PHOTOGRAPHS)
    with files("d2lconv").joinpath("photographs.npz").open("rb") as file:
        pixels: FloatArray = np.load(file)[name] / 255
    return pixels.astype(np.float32)


def load_image(path: Any) -> FloatArray:
    """A picture from a file or of Pillow, by luminance, from 0 for black to 1 for white."""
    with needed("images"):
        from PIL import Image, ImageOps
    try:
        if isinstance(path, np.ndarray):
            path = Image.fromarray(path)  # (h, w, 3), as most libraries read photographs
        if isinstance(path, Image.Image):
            image = ImageOps.exif_transpose(path)
        else:
            with Image.open(fspath(path)) as file:
                image = ImageOps.exif_transpose(file)
                image.load()
    except (OSError, ValueError, TypeError, SyntaxError, Image.DecompressionBombError) as error:
        raise ArgumentError(
            f"{_named(path)} is no image that can be read ({type(error).__name__}: {error}); it "
            "must be the path of a picture, such as a PNG or JPEG file, a PIL image, or a uint8 "
            "array (height, width, 3)."
        ) from error
    if image.mode.startswith("I;16"):
        return (np.asarray(image) / 65535).astype(np.float32)
    if image.mode in ("I", "F"):
        raise ArgumentError(
            f"{_named(path)} has samples of 32 bits, of which nobody says how bright they are; "
            "save it with 8 or 16 bits, as PNG or JPEG."
        )
    image = image.convert("RGBA")
    page = Image.new("RGBA", image.size, "white")
    red, green, blue = np.asarray(Image.alpha_composite(page, image), np.int64)[..., :3].T
    luminance: FloatArray = (299 * red + 587 * green + 114 * blue).T / 255_000
    return luminance.astype(np.float32)


def _named(picture: Any) -> str:
    """What to call a picture in a message."""
    if isinstance(picture, np.ndarray):
        return f"an array of {picture.dtype}, shape {picture.shape},"
    return repr(picture)
