"""Images to try kernels on: the lesson's, four photographs, and the reader's own."""

from typing import Any

from d2lconv import images
from d2lconv.api.tensors import tensor


def edge_image() -> Any:
    """Make the lesson's image: 6x8 ones whose columns 2 to 5 are zero, so white, black, white.

    Returns:
        A float32 tensor of shape (6, 8) of the backend in force.

    Source:
        Dive into Deep Learning, section 7.2.3.

    Example:
        >>> import d2lconv as dc
        >>> dc.edge_image()[0]
        array([1., 1., 0., 0., 0., 0., 1., 1.], dtype=float32)
    """
    return tensor(images.edge_image())


def diagonal_image(n: int) -> Any:
    """Make an image with a diagonal line: n x n zeros with ones on the main diagonal.

    Args:
        n: Height and width, at least 1.

    Returns:
        A float32 tensor of shape (n, n) of the backend in force.

    Raises:
        ArgumentError: n is not an integer of at least 1.

    Source:
        Dive into Deep Learning, section 7.2.8, exercise 1.

    Example:
        >>> import d2lconv as dc
        >>> dc.diagonal_image(2)
        array([[1., 0.],
               [0., 1.]], dtype=float32)
    """
    return tensor(images.diagonal_image(n))


def photographs() -> dict[str, str]:
    """Name the photographs that come with the package.

    Returns:
        What each name shows, where it is from, and its licence; the names are for
        :func:`photograph`.

    Example:
        >>> import d2lconv as dc
        >>> list(dc.photographs())
        ['brick', 'cameraman', 'coins', 'rocket']
    """
    return dict(images.PHOTOGRAPHS)


def photograph(name: str) -> Any:
    """Take one of the photographs that come with the package, to try kernels on.

    Args:
        name: One of :func:`photographs`: "brick", "cameraman", "coins" or "rocket".

    Returns:
        A float32 tensor of shape (128, 128) of the backend in force, from 0, black, to 1, white.

    Raises:
        ArgumentError: There is no such photograph.

    Source:
        The sample images of scikit-image; all are free of copyright, see :func:`photographs`.

    Example:
        >>> import d2lconv as dc
        >>> dc.photograph("coins").shape
        (128, 128)
    """
    return tensor(images.photograph(name))


def load_image(path: Any) -> Any:
    """Read a picture of your own, as an image in shades of grey.

    A colour becomes its luminance, 0.299 red + 0.587 green + 0.114 blue, the weights with which
    the eye's sensitivity enters Recommendation ITU-R BT.601. What is transparent lies on white. A
    photograph that was taken with the camera turned is turned upright.

    Args:
        path: The path of a PNG or JPEG file, or of another kind that Pillow reads; an image of
            Pillow's, ``PIL.Image.Image``; or a uint8 array (height, width, 3), as most libraries
            read photographs.

    Returns:
        A float32 tensor of shape (height, width) of the backend in force, from 0, black, to 1,
        white. The file is read by Pillow in every backend, so the bits are the same.

    Raises:
        ArgumentError: There is no such file, or it is no picture, or has samples of 32 bits.
        ExtraNotInstalled: Pillow is not there.

    Example:
        >>> import d2lconv as dc
        >>> dc.load_image("holiday.png")
        Traceback (most recent call last):
        d2lconv.errors.ArgumentError: 'holiday.png' is no image that can be read \
(FileNotFoundError: [Errno 2] No such file or directory: 'holiday.png'); it must be the path of a \
picture, such as a PNG or JPEG file, a PIL image, or a uint8 array (height, width, 3).
    """
    return tensor(images.load_image(path))
