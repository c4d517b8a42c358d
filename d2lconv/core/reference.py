"""The NumPy backend's operations on arrays of any rank, as what others are held against.

Options are those that :func:`d2lconv.core.options.settings` gives.
"""

from typing import Any

from d2lconv.core.contract import FloatArray
from d2lconv.core.geometry import Shape, form
from d2lconv.core.registry import load


def corr2d(X: FloatArray, K: FloatArray, *options: Any, method: str = "exact") -> FloatArray:
    """The cross-correlation, as a call of these ranks means it."""
    found = form(X.shape, K.shape, *options)
    X4, K4 = X.reshape(found.image or X.shape), K.reshape(found.kernel or K.shape)
    Y: FloatArray = load("numpy").methods.METHODS[method].corr2d(X4, K4, found.geometry)
    return Y.reshape(found.result or Y.shape)


def kernel_gradient(
    X: FloatArray, G: FloatArray, kernel: Shape | None = None, *options: Any, method: str = "exact"
) -> FloatArray:
    """The gradient with respect to the kernel of this shape, for the gradient G at the output.

    Without a shape, X (h, w) and G (H, W) are those of a plain cross-correlation.
    """
    found = form(X.shape, kernel or _difference(X.shape, G.shape), *options)
    X4 = X.reshape(found.image or X.shape)
    G4 = G.reshape((len(X4), *found.geometry.shape[1:]))
    dK: FloatArray = load("numpy").methods.METHODS[method].kernel_gradient(X4, G4, found.geometry)
    return dK.reshape(kernel or dK.shape[2:])


def image_gradient(
    K: FloatArray, G: FloatArray, image: Shape | None = None, *options: Any, method: str = "exact"
) -> FloatArray:
    """The gradient with respect to the image of this shape, for the gradient G at the output.

    Without a shape, K (kh, kw) and G (H, W) are those of a plain cross-correlation.
    """
    plain = tuple(k + g - 1 for k, g in zip(K.shape, G.shape, strict=False))
    found = form(image or plain, K.shape, *options)
    K4 = K.reshape(found.kernel or K.shape)
    G4 = G.reshape((-1, *found.geometry.shape[1:]))
    dX: FloatArray = load("numpy").methods.METHODS[method].image_gradient(K4, G4, found.geometry)
    return dX.reshape(image or plain)


def _difference(image: Shape, output: Shape) -> Shape:
    return tuple((n or 0) - (m or 0) + 1 for n, m in zip(image, output, strict=True))
