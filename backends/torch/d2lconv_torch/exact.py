"""The contract in PyTorch: shift and add, and the same bits faster where images are plain.

``Y += x * k`` would be one operation less in what follows, and one rounding: PyTorch's own fused
forms (addcmul, add with alpha) round once. So the products are computed first.
"""

from collections.abc import Callable, Sequence
from math import prod

import torch
from torch import Tensor
from torch.nn import functional

from d2lconv.core import contract
from d2lconv.core.geometry import Geometry
from d2lconv.core.shift import folded, max_over, shift_and_add, shift_and_sum, sum_over

STRIP = 2**17  # elements of which several strips stay in the processor's cache


def corr2d(X: Tensor, K: Tensor, geometry: Geometry) -> Tensor:
    """The cross-correlation of images (n, c, h, w) with kernels (o, c/groups, kh, kw)."""
    if geometry.is_simple and geometry.products > 1:
        few = prod(geometry.output) * geometry.products <= STRIP
        return (_at_once if few else _in_strips)(X, K, geometry)  # the same, faster
    X, K = by_group(padded(X, geometry), geometry), K.reshape(kernel_by_group(geometry))
    Y: Tensor = shift_and_add(X, K, geometry)
    return Y.reshape(len(X), *geometry.shape[1:])


def _at_once(X: Tensor, K: Tensor, geometry: Geometry) -> Tensor:
    """Shift and add for an image and a kernel that are small: all products, then their sum."""
    (kh, kw), (H, W), (down, right) = geometry.kernel[2:], geometry.output, X.stride()[2:]
    windows = X.as_strided((kh, kw, H, W), (down, right, down, right), X.storage_offset())
    kernel = K.reshape(kh, kw, 1, 1)
    products = torch.mul(windows, kernel, out=X.new_empty((kh, kw, H, W)))
    first, second, *others = products.view(kh * kw, 1, 1, H, W).unbind()
    Y = first + second
    for product in others:
        Y += product
    return Y


def _in_strips(X: Tensor, K: Tensor, geometry: Geometry) -> Tensor:
    """Shift and add for an image, or a kernel, that is large.

    The image is flattened: so each shifted part of it is a piece of memory. What comes out beyond
    the ends of the output's rows is cut off at the end. A strip of the output and its products stay
    in the processor's cache.
    """
    (H, W), w, kw = geometry.output, geometry.image[3], geometry.kernel[3]
    elements = K.reshape(-1).unbind()  # tensors, because numbers have to become some, each time
    image, rows, product = X.reshape(-1), X.new_empty(H * w), X.new_empty(STRIP)
    end = H * w - kw + 1
    for top in range(0, end, STRIP):
        Y = rows[top : min(top + STRIP, end)]
        terms = product[: len(Y)]
        for place, element in enumerate(elements):
            start = top + place // kw * w + place % kw
            part = image[start : start + len(Y)]
            if place:
                Y += torch.mul(part, element, out=terms)
            else:
                torch.mul(part, element, out=Y)
    return rows.view(1, 1, H, w)[..., :W].contiguous()


def image_gradient(K: Tensor, G: Tensor, geometry: Geometry) -> Tensor:
    """The gradient with respect to the images, for the gradient G (n, o, H, W) at the output."""
    K, G = K.reshape(kernel_by_group(geometry)), by_group(G, geometry)
    dX: Tensor | None = None
    for o in range(G.shape[2]):
        D = G.new_zeros((*G.shape[:2], K.shape[2], *geometry.padded))
        for a, b, rows, columns in geometry.taps():
            D[..., rows, columns] += K[:, o, :, a, b, None, None] * G[:, :, o, None]
        dX = D if dX is None else dX + D
    assert dX is not None
    return cropped(dX.reshape(len(G), -1, *geometry.padded), geometry)


def kernel_gradient(X: Tensor, G: Tensor, geometry: Geometry) -> Tensor:
    """The gradient with respect to the kernels, for the gradient G (n, o, H, W) at the output."""
    X, G = by_group(padded(X, geometry), geometry), by_group(G, geometry)
    X, G = X.permute(1, 2, 0, 3, 4)[:, None], G.permute(1, 2, 0, 3, 4)
    dK: Tensor = shift_and_sum(X, G, geometry, stack, tree_sum)
    return dK.reshape(geometry.kernel)


def padded(X: Tensor, geometry: Geometry, value: float = 0.0) -> Tensor:
    """The images with their padding."""
    (top, bottom), (left, right) = geometry.padding
    if not any((top, bottom, left, right)):
        return X
    return functional.pad(X, (left, right, top, bottom), value=value)


def cropped(X: Tensor, geometry: Geometry) -> Tensor:
    """Images without their padding."""
    (top, _), (left, _) = geometry.padding
    h, w = geometry.image[2:]
    return X[:, :, top : top + h, left : left + w]


def stack(parts: Sequence[Tensor]) -> Tensor:
    """Tensors as one, along a new last axis."""
    return torch.stack(list(parts), dim=-1)


def by_group(A: Tensor, geometry: Geometry) -> Tensor:
    """The channels (n, c, ...) by group: (n, g, c/g, ...)."""
    return A.reshape(len(A), geometry.groups, -1, *A.shape[2:])


def kernel_by_group(geometry: Geometry) -> tuple[int, ...]:
    """The shape of the kernels by group: (g, o/g, c/g, kh, kw)."""
    return (geometry.groups, -1, *geometry.kernel[1:])


def tree_sum(A: Tensor) -> Tensor:
    """The sums of A (..., n, h, w) along its last three axes, as a tree of additions."""
    total: Tensor = folded(A.flatten(-3), lambda parts: torch.cat(parts, dim=-1))
    return total


def add_bias(Y: Tensor, b: Tensor, fixed: None) -> Tensor:
    """Y (n, o, H, W) + b (o,)."""
    return Y + b[:, None, None]


def bias_gradient(G: Tensor, fixed: None) -> Tensor:
    """The sums of G (n, o, H, W) over images, rows and columns."""
    return tree_sum(G.transpose(0, 1))


def spread(b: Tensor, Y: Tensor) -> Tensor:
    """A tensor of the shape of Y (n, o, H, W) with the values of b (o,)."""
    return b[:, None, None].expand(Y.shape)


def max_pool(X: Tensor, fixed: tuple[Geometry, bool]) -> Tensor:
    """The maxima of windows of X (n, c, h, w)."""
    geometry, _ = fixed
    Y: Tensor = max_over(padded(X, geometry, -torch.inf), geometry, torch.where)[0]
    return Y


def pick(X: Tensor, V: Tensor, fixed: tuple[Geometry, bool]) -> Tensor:
    """The elements of V where X has the maxima of its windows."""
    geometry, _ = fixed
    X, V = padded(X, geometry, -torch.inf), padded(V, geometry)
    others: list[Callable[..., Tensor]] = [lambda _, rows, columns: V[:, :, rows, columns]]
    Y: Tensor = max_over(X, geometry, torch.where, *others)[1]
    return Y


def put_back(X: Tensor, G: Tensor, fixed: tuple[Geometry, bool]) -> Tensor:
    """G (n, c, H, W), each element at the place of its window's maximum, added up there."""
    geometry, _ = fixed
    X = padded(X, geometry, -torch.inf)
    others: list[Callable[..., Tensor]] = [
        lambda number, *_: torch.full(G.shape, number, device=G.device)
    ]
    taken = max_over(X, geometry, torch.where, *others)[1]
    dX = G.new_zeros(X.shape)
    for number, (_, _, rows, columns) in enumerate(geometry.taps()):
        dX[:, :, rows, columns] += torch.where(taken == number, G, 0)
    return cropped(dX, geometry)


def avg_pool(X: Tensor, fixed: tuple[Geometry, bool]) -> Tensor:
    """The means of windows of X (n, c, h, w)."""
    geometry, _ = fixed
    Y: Tensor = sum_over(padded(X, geometry), geometry) / counts(X, fixed)
    return Y


def avg_pool_gradient(G: Tensor, fixed: tuple[Geometry, bool]) -> Tensor:
    """Each element of G (n, c, H, W) shared out evenly among its window."""
    geometry, _ = fixed
    D, dX = G / counts(G, fixed), G.new_zeros((*G.shape[:2], *geometry.padded))
    for _, _, rows, columns in geometry.taps():
        dX[:, :, rows, columns] += D
    return cropped(dX, geometry)


def counts(like: Tensor, fixed: tuple[Geometry, bool]) -> Tensor:
    """How many elements each window has, (H, W), in the type of another tensor."""
    return torch.from_numpy(contract.counts(*fixed)).to(like)
