"""Cross-correlation in PyTorch."""

from collections.abc import Callable, Sequence
from functools import cache, wraps
from typing import Any

import torch
from torch import Tensor
from torch.autograd import forward_ad
from torch.nn import functional

from d2lconv import checks
from d2lconv.checks import choice, output_shape
from d2lconv.contract import FloatArray, fold, power_of_two
from d2lconv.costs import fastest
from d2lconv.data import check_usable, float_type, operands, to_array
from d2lconv.matrices import BLOCK, band_places, kernel_places
from d2lconv_torch import manifest

Operation = Callable[..., Tensor]

_FLOATS = frozenset((torch.float16, torch.float32, torch.float64))
STRIP = 2**17  # elements of which several strips stay in the processor's cache

# Whether the call is inside torch.func or torch.vmap; where PyTorch does not tell, it may be.
_transforms_active = getattr(torch._C, "_are_functorch_transforms_active", lambda: True)


def tensor(data: Any, dtype: Any = None) -> Tensor:
    """A new tensor with the values of data."""
    if isinstance(data, Tensor):
        check_usable("torch", data)
        return data.to(getattr(torch, float_type(dtype_name(data), dtype)), copy=True)
    return torch.from_numpy(to_array(data, dtype))


def to_numpy(t: Tensor) -> FloatArray:
    """A new NumPy array with the values of t."""
    return to_array(t.detach().cpu().resolve_neg().numpy())


def dtype_name(t: Tensor) -> str:
    """The name of the type of the elements, such as "float32"."""
    return str(t.dtype).removeprefix("torch.")


def unusable(t: Any) -> str | None:
    """What a value of PyTorch is that is no dense tensor; None if it is one."""
    if isinstance(t, Tensor) and (t.is_nested or t.layout != torch.strided):
        return "a nested tensor" if t.is_nested else f"a tensor of the layout {t.layout}"
    return None


def has_values(t: Tensor) -> bool:
    """Whether a tensor has values, and not only a shape."""
    return not t.is_meta


def cast(t: Tensor, dtype: str) -> Tensor:
    """The tensor in another floating type; the tensor itself if it has that type."""
    return t.to(getattr(torch, dtype))


def transpose(t: Tensor) -> Tensor:
    """The matrix with rows and columns exchanged, as a new tensor."""
    (t,) = operands("torch", t=t)
    return t.T.clone(memory_format=torch.contiguous_format)


def _ready(X: Any, K: Any) -> bool:
    """Whether an image and a kernel can be used as they are. Every call asks, so it is quick."""
    for t in (X, K):
        if not isinstance(t, Tensor) or t.layout != torch.strided or t.is_nested:
            return False
        if t.ndim != 2 or not t.numel():
            return False
    return X.dtype == K.dtype and X.dtype in _FLOATS


def corr2d(X: Tensor, K: Tensor, *, method: str = "exact") -> Tensor:
    """The cross-correlation of an image X (h, w) with a kernel K (kh, kw)."""
    if not _ready(X, K):
        X, K = operands("torch", X=X, K=K)
    return _METHODS[choice("method", method, _METHODS)](X, K)


def conv2d(X: Tensor, K: Tensor, *, method: str = "exact") -> Tensor:
    """The strict convolution: the cross-correlation with the kernel flipped in both axes."""
    if not _ready(X, K):
        X, K = operands("torch", X=X, K=K)
    return corr2d(X, K.flip(0, 1), method=method)


def im2col(X: Tensor, kernel_size: tuple[int, int]) -> Tensor:
    """The windows of an image X (h, w) as the rows of a matrix (H * W, kh * kw)."""
    (X,) = operands("torch", X=X)
    kh, kw = checks.kernel_size(kernel_size)
    H, W = output_shape(X.shape, (kh, kw))
    parts = [X[a : a + H, b : b + W] for a in range(kh) for b in range(kw)]
    return torch.stack([part.reshape(-1) for part in parts], dim=1)


def toeplitz(K: Tensor, input_shape: tuple[int, int]) -> Tensor:
    """The matrix (H * W, h * w) that does to an image (h, w) what the kernel K (kh, kw) does."""
    (K,) = operands("torch", K=K)
    places = kernel_places(K.shape, input_shape)
    return torch.cat([K.reshape(-1), K.new_zeros(1)])[torch.from_numpy(places)]


def corr2d_loop(X: Tensor, K: Tensor) -> Tensor:
    """From scratch: each output element is the sum of one window times the kernel."""
    H, W = output_shape(X.shape, K.shape)
    kh, kw = K.shape
    Y = torch.zeros((H, W), dtype=X.dtype, device=X.device)
    for i in range(H):
        for j in range(W):
            Y[i, j] = (X[i : i + kh, j : j + kw] * K).sum()
    return Y


def _gradients(*gradients: Operation) -> Callable[[Operation], Operation]:
    """Give a function of tensors its gradients: each a function of the tensors and, last, of G.

    Tensors that nothing is differentiated by pass the function and not PyTorch's machinery, which
    costs as much as a small image.
    """

    def decorate(function: Operation) -> Operation:
        class Function(torch.autograd.Function):
            forward = staticmethod(function)

            @staticmethod
            def setup_context(ctx: Any, inputs: tuple[Tensor, ...], output: Tensor) -> None:
                ctx.save_for_backward(*inputs)

            @staticmethod
            def backward(ctx: Any, G: Tensor) -> tuple[Tensor | None, ...]:
                pairs = zip(gradients, ctx.needs_input_grad, strict=True)
                return tuple(g(*ctx.saved_tensors, G) if wanted else None for g, wanted in pairs)

            @staticmethod
            def vmap(
                info: Any, dims: tuple[int | None, ...], *inputs: Tensor
            ) -> tuple[Tensor, int]:
                """The elements of a batch one after the other, each as if it were alone."""
                pairs = list(zip(inputs, dims, strict=True))
                results = [
                    call(*(t if d is None else t.select(d, i) for t, d in pairs))
                    for i in range(info.batch_size)
                ]
                return torch.stack(results), 0

        @wraps(function)
        def call(*inputs: Tensor) -> Tensor:
            differentiated = torch.is_grad_enabled() and any(t.requires_grad for t in inputs)
            if differentiated or _transforms_active() or forward_ad._current_level >= 0:
                return Function.apply(*inputs)  # type: ignore[no-any-return, no-untyped-call]
            return function(*inputs)

        return call

    return decorate


@_gradients(lambda X, K, G: image_gradient(K, G), lambda X, K, G: kernel_gradient(X, G))
def corr2d_exact(X: Tensor, K: Tensor) -> Tensor:
    """Shift and add: each kernel element times the part of the image that it slides over."""
    H, W = output_shape(X.shape, K.shape)
    kh, kw = K.shape
    if kh * kw > 1 and not torch.compiler.is_compiling():
        few = H * W * kh * kw <= STRIP
        return _at_once(X, K) if few else _in_strips(X, K)  # the same, faster
    first, *others = ((a, b) for a in range(kh) for b in range(kw))
    Y = X[:H, :W] * K[first]
    for a, b in others:
        Y = Y + X[a : a + H, b : b + W] * K[a, b]
    return Y


# Y += x * k would be one operation less in what follows, and one rounding: PyTorch's own fused
# forms (addcmul, add with alpha) round once. So the products are computed first.


def _at_once(X: Tensor, K: Tensor) -> Tensor:
    """Shift and add for an image and a kernel that are small: all products, then their sum."""
    (kh, kw), (H, W) = K.shape, output_shape(X.shape, K.shape)
    windows = X.as_strided((kh, kw, H, W), 2 * X.stride())
    products = torch.mul(windows, K[:, :, None, None], out=X.new_empty((kh, kw, H, W)))
    first, second, *others = products.view(kh * kw, H, W).unbind()
    Y = first + second
    for product in others:
        Y += product
    return Y


def _in_strips(X: Tensor, K: Tensor) -> Tensor:
    """Shift and add for an image, or a kernel, that is large.

    The image is flattened: so each shifted part of it is a piece of memory. What comes out beyond
    the ends of the output's rows is cut off at the end. A strip of the output and its products stay
    in the processor's cache.
    """
    (H, W), w, kw = output_shape(X.shape, K.shape), X.shape[1], K.shape[1]
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
    return rows.view(H, w)[:, :W].contiguous()


def tree_sum(A: Tensor) -> Tensor:
    """The sums of A (..., n) along its last axis, always in the same order: a tree of additions."""
    n = A.shape[-1]
    while n > 1:
        p = fold(n)
        sums = A[..., : n - p] + A[..., p:]
        A = sums if n == 2 * p else torch.cat([sums, A[..., n - p : p]], dim=-1)
        n = p
    return A[..., 0]


@_gradients(lambda X, G, V: image_gradient(V, G), lambda X, G, V: corr2d_exact(X, V))
def kernel_gradient(X: Tensor, G: Tensor) -> Tensor:
    """dK[a, b] = sum of X[a:a+H, b:b+W] * G, for the gradient G (H, W) at the output."""
    H, W = G.shape
    kh, kw = output_shape(X.shape, G.shape)
    dK = []
    for a in range(kh):
        terms = torch.stack([X[a : a + H, b : b + W] * G for b in range(kw)])
        dK.append(tree_sum(terms.reshape(kw, H * W)))
    return torch.stack(dK)


@_gradients(lambda K, G, V: kernel_gradient(V, G), lambda K, G, V: corr2d_exact(V, K))
def image_gradient(K: Tensor, G: Tensor) -> Tensor:
    """dX[a:a+H, b:b+W] += K[a, b] * G, for the gradient G (H, W) at the output."""
    (kh, kw), (H, W) = K.shape, G.shape
    dX = (K[0, 0] * G).new_zeros((H + kh - 1, W + kw - 1))
    for a in range(kh):
        for b in range(kw):
            dX[a : a + H, b : b + W] += K[a, b] * G
    return dX


@_gradients(lambda Y, b, G: G, lambda Y, b, G: tree_sum(G.reshape(1, -1)))
def add_bias(Y: Tensor, b: Tensor) -> Tensor:
    """Y + b for a bias b (1,), whose gradient is the tree sum of the gradient at the output."""
    return Y + b


def corr2d_matmul(X: Tensor, K: Tensor) -> Tensor:
    """As a matrix product: the kernel as a row, times the windows of the image, one a column."""
    (kh, kw), (H, W) = K.shape, output_shape(X.shape, K.shape)
    windows = X.unfold(0, H, 1).unfold(1, W, 1)  # (kh, kw, H, W), without a copy
    return (K.reshape(1, -1) @ windows.reshape(kh * kw, H * W)).view(H, W)


def corr2d_native(X: Tensor, K: Tensor) -> Tensor:
    """By PyTorch's own convolution, which sums in an order of its own."""
    shape = output_shape(X.shape, K.shape)
    # (batch, channel, height, width)
    image, kernel = X.view(1, 1, *X.shape), K.view(1, 1, *K.shape)
    return functional.conv2d(image, kernel).view(shape)


def corr2d_fft(X: Tensor, K: Tensor) -> Tensor:
    """By the Fourier transform, which makes a product of a cross-correlation.

    The transform is periodic: where the kernel would leave the image, it comes in on the other
    side. The output elements are those where it does not.
    """
    H, W = output_shape(X.shape, K.shape)
    size = [power_of_two(side) for side in X.shape]
    x, k = (t.float() if t.dtype == torch.float16 else t for t in (X, K))  # it has no half FFT
    product = torch.fft.rfft2(x, size) * torch.fft.rfft2(k, size).conj()
    Y: Tensor = torch.fft.irfft2(product, size)
    return Y[:H, :W].to(X.dtype)


def corr2d_banded(X: Tensor, K: Tensor) -> Tensor:
    """By matrix products: parts of the image's rows times the band matrices of the kernel's rows.

    These are blocks of the kernel's Toeplitz matrix, so small that most of a block is not zero.
    """
    H, W = output_shape(X.shape, K.shape)
    kh, kw = K.shape
    n = min(W, BLOCK)
    count = -(-W // n)
    elements = torch.cat([K.reshape(-1), K.new_zeros(1)])
    bands = elements[_band_places(kh, kw, n)]
    X = functional.pad(X, (0, count * n - W))
    blocks = X.unfold(1, n + kw - 1, n).transpose(0, 1).contiguous()
    Y = blocks[:, :H] @ bands[0]
    for a in range(1, kh):
        Y = Y.baddbmm(blocks[:, a : a + H], bands[a].expand(count, -1, -1))
    return Y.transpose(0, 1).reshape(H, count * n)[:, :W].contiguous()


@cache
def _band_places(kh: int, kw: int, columns: int) -> Tensor:
    return torch.from_numpy(band_places((kh, kw), columns))


def corr2d_auto(X: Tensor, K: Tensor) -> Tensor:
    """By the method that should be the fastest for these shapes: see :mod:`d2lconv.costs`."""
    return _METHODS[fastest(manifest, X.shape, K.shape)](X, K)


def vjp(function: Operation, inputs: Sequence[Tensor], G: Tensor) -> tuple[Tensor, list[Tensor]]:
    """The output of a function of tensors, and its gradients for the gradient G at the output."""
    leaves = [t.detach().clone().requires_grad_() for t in inputs]
    with torch.enable_grad():
        Y = function(*leaves)
    return Y.detach(), list(torch.autograd.grad(Y, leaves, G))


_METHODS = {
    "exact": corr2d_exact,
    "loop": corr2d_loop,
    "matmul": corr2d_matmul,
    "native": corr2d_native,
    "fft": corr2d_fft,
    "banded": corr2d_banded,
    "auto": corr2d_auto,
}
