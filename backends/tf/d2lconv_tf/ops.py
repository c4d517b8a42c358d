"""Cross-correlation in TensorFlow."""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache, lru_cache, wraps
from typing import Any

import keras
import tensorflow as tf

from d2lconv import checks
from d2lconv.checks import choice, output_shape
from d2lconv.contract import FloatArray, fold, power_of_two
from d2lconv.costs import fastest
from d2lconv.data import check_usable, float_type, operands, to_array
from d2lconv.errors import ArgumentError
from d2lconv.matrices import BLOCK, band_places, kernel_places
from d2lconv_tf import manifest

Tensor = Any  # tf.Tensor and tf.Variable, for which TensorFlow ships no types
Operation = Callable[..., Tensor]

_FLOATS = tf.float32, tf.float64, tf.float16  # a tuple, because their hashes take long

try:
    from tensorflow.python.eager.record import could_possibly_record as _recording
except ImportError:  # TensorFlow promises no such question; where it has no answer, it may be

    def _recording() -> bool:
        return True


def tensor(data: Any, dtype: Any = None) -> Tensor:
    """A new tensor with the values of data."""
    if tf.is_tensor(data):
        check_usable("tf", data)
        return tf.cast(tf.identity(data), float_type(dtype_name(data), dtype))
    return tf.constant(to_array(data, dtype))


def to_numpy(t: Tensor) -> FloatArray:
    """A new NumPy array with the values of t."""
    return to_array(t.numpy())


def dtype_name(t: Tensor) -> str:
    """The name of the type of the elements, such as "float32"."""
    return str(tf.as_dtype(t.dtype).name)


def unusable(t: Any) -> str | None:
    """What a value of TensorFlow is that is no dense tensor; None if it is one."""
    kind: Any = type(t)
    return _sparse(kind)


@cache
def _sparse(kind: Any) -> str | None:
    if issubclass(kind, (tf.SparseTensor, tf.RaggedTensor, keras.KerasTensor)):
        return f"a {kind.__name__}"
    return None


def has_values(t: Tensor) -> bool:
    """Whether a tensor has values, which it has not while a function is traced."""
    return hasattr(t, "numpy")


def cast(t: Tensor, dtype: str) -> Tensor:
    """The tensor in another floating type; the tensor itself if it has that type."""
    return tf.cast(tf.convert_to_tensor(t), dtype)


def transpose(t: Tensor) -> Tensor:
    """The matrix with rows and columns exchanged, as a new tensor."""
    (t,) = operands("tf", t=t)
    return tf.transpose(t)


def _ready(X: Any, K: Any) -> bool:
    """Whether an image and a kernel can be used as they are. Every call asks, so it is quick."""
    for t in (X, K):
        if not isinstance(t, tf.Tensor) or t.shape.rank != 2 or not all(t.shape.as_list()):
            return False
    return X.dtype is K.dtype and X.dtype in _FLOATS


def corr2d(X: Tensor, K: Tensor, *, method: str = "exact") -> Tensor:
    """The cross-correlation of an image X (h, w) with a kernel K (kh, kw)."""
    if not _ready(X, K):
        X, K = operands("tf", X=X, K=K)
    return _METHODS[choice("method", method, _METHODS)](X, K)


def conv2d(X: Tensor, K: Tensor, *, method: str = "exact") -> Tensor:
    """The strict convolution: the cross-correlation with the kernel flipped in both axes."""
    if not _ready(X, K):
        X, K = operands("tf", X=X, K=K)
    return corr2d(X, tf.reverse(K, axis=(0, 1)), method=method)


def im2col(X: Tensor, kernel_size: tuple[int, int]) -> Tensor:
    """The windows of an image X (h, w) as the rows of a matrix (H * W, kh * kw)."""
    (X,) = operands("tf", X=X)
    kh, kw = checks.kernel_size(kernel_size)
    H, W = output_shape(X.shape, (kh, kw))
    parts = [X[a : a + H, b : b + W] for a in range(kh) for b in range(kw)]
    return tf.stack([tf.reshape(part, (-1,)) for part in parts], axis=1)


def toeplitz(K: Tensor, input_shape: tuple[int, int]) -> Tensor:
    """The matrix (H * W, h * w) that does to an image (h, w) what the kernel K (kh, kw) does."""
    (K,) = operands("tf", K=K)
    places = kernel_places(K.shape, input_shape)
    return tf.gather(tf.concat([tf.reshape(K, (-1,)), tf.zeros(1, K.dtype)], axis=0), places)


def corr2d_loop(X: Tensor, K: Tensor) -> Tensor:
    """From scratch: each output element is the sum of one window times the kernel."""
    H, W = output_shape(X.shape, K.shape)
    kh, kw = K.shape
    if not tf.executing_eagerly():
        raise ArgumentError(
            "TensorFlow makes no variable in a function that is traced, so no method 'loop'. "
            "Choose another one, or call it outside of tf.function."
        )
    Y = tf.Variable(tf.zeros((H, W), X.dtype))
    for i in range(H):
        for j in range(W):
            Y[i, j].assign(tf.reduce_sum(X[i : i + kh, j : j + kw] * K))
    return Y


def _gradients(*gradients: Operation) -> Callable[[Operation], Operation]:
    """Give a function of tensors its gradients: each a function of the tensors and, last, of G.

    Where no tape records, the function is called at once: TensorFlow's machinery for gradients
    costs as much as a small image. A graph may be differentiated later, and always has them.
    """

    def decorate(function: Operation) -> Operation:
        def call(*inputs: Tensor) -> Any:
            Y = function(*map(tf.stop_gradient, inputs))  # else its steps are recorded as well
            return Y, lambda G: tuple(g(*inputs, G) for g in gradients)

        recorded = tf.custom_gradient(wraps(function)(call))

        @wraps(function)
        def choose(*inputs: Tensor) -> Tensor:
            quiet = tf.executing_eagerly() and not _recording()
            return (function if quiet else recorded)(*inputs)

        return choose

    return decorate


def _product(x: Tensor, k: Tensor) -> Tensor:
    """X * k, rounded before anything is added to it.

    In a graph, XLA may fuse a product with the addition after it and round once instead of twice.
    The maximum with minus infinity changes no value, and stands between the two. XLA would drop
    it if it knew that its second argument is minus infinity; min(x, k, -inf) is not known to be,
    because it is NaN where x or k is, and there the product is NaN too.

    In a graph, Grappler regroups chains of additions, and leaves subtractions alone. Hence
    Y - x * (-k) below, which has the same bits as Y + x * k.
    """
    if tf.executing_eagerly():
        return x * k
    return tf.maximum(x * k, tf.minimum(tf.minimum(x, k), float("-inf")))


@_gradients(lambda X, K, G: image_gradient(K, G), lambda X, K, G: kernel_gradient(X, G))
def corr2d_exact(X: Tensor, K: Tensor) -> Tensor:
    """Shift and add: each kernel element times the part of the image that it slides over."""
    sizes = X.dtype, X.shape, K.shape
    (H, W), (kh, kw) = output_shape(X.shape, K.shape), K.shape
    if _comes_back(*sizes):
        return _program(_shift_and_add, *sizes, jit_compile=True)(X, K)  # the same, compiled
    first, *others = ((a, b) for a in range(kh) for b in range(kw))
    Y = _product(X[:H, :W], K[first])
    for a, b in others:
        Y = Y - _product(X[a : a + H, b : b + W], -K[a, b])
    return Y


_spent: Counter[Any] = Counter()


def _comes_back(*sizes: Any) -> bool:
    """Whether images and kernels of this type and shapes came so often that a program pays.

    Step by step, a kernel element costs about a tenth of a millisecond, and a nanosecond for each
    element of the output. Compiling costs a tenth of a second once. Whoever rents skis and does
    not know for how long buys them when the rent has come to their price; what has come back a few
    times mostly comes back often, so here a fiftieth of the price is enough.
    """
    if not tf.executing_eagerly():
        return False  # a graph is a program already, and compiled as its author likes
    if _spent[sizes] > 2e-3:
        return True
    _, image, kernel = sizes
    _spent[sizes] += (1e-4 + 1e-9 * math.prod(image)) * math.prod(kernel)
    return False


@lru_cache(256)
def _program(function: Operation, dtype: Any, image: Any, kernel: Any, **options: Any) -> Operation:
    """A function of an image and a kernel as a graph for their shapes, which has no gradients."""
    graph = tf.function(function, autograph=False, **options)
    specs = tf.TensorSpec(image, dtype), tf.TensorSpec(kernel, dtype)
    concrete = graph.get_concrete_function(*specs)
    # The graph's own call looks for names and structure in its arguments, which takes longer than a
    # small image. Where TensorFlow offers to leave that out, do.
    flat = getattr(concrete.inference_fn, "call_flat", None)
    return concrete if flat is None else lambda X, K: flat(X, K)[0]


def _as_graph(function: Operation) -> Operation:
    """The function, as a graph for shapes that have come three times.

    So TensorFlow is asked once instead of for every operation, which takes longer than a small one.
    """
    seen: Counter[Any] = Counter()

    @wraps(function)
    def call(X: Tensor, K: Tensor) -> Tensor:
        if not tf.executing_eagerly() or _recording():
            return function(X, K)
        sizes = X.dtype, X.shape, K.shape
        if seen[sizes] < 3:
            seen[sizes] += 1
            return function(X, K)
        return _program(function, *sizes)(X, K)

    return call


def _shift_and_add(X: Tensor, K: Tensor) -> Tensor:
    """The shift and add, of eight kernel elements in turn if there are many.

    A program of all would compile slowly, and one of few is several times faster without a loop.

    Here XLA knows no element of X or K, and there is a faster way than :func:`_product` to round
    products before the sum. Y - x * k * 1 has the same bits whether XLA fuses what is last or not:
    the first product is rounded before, and the second one is exact. XLA drops a 1 that it knows.
    This one is made of the square of a number that it does not know. No square has both its last
    bit and its last but two, but that no compiler knows.
    """
    (H, W), (kh, kw) = output_shape(X.shape, K.shape), K.shape
    elements = tf.reshape(-K, (-1,))
    kind = {2: tf.int16, 4: tf.int32, 8: tf.int64}[K.dtype.size]
    number, bits = (tf.bitcast(t, kind) for t in (K[0, 0], tf.ones((), K.dtype)))
    square = number * number
    one = tf.bitcast(bits | square & tf.bitwise.right_shift(square, 2) & 1, K.dtype)

    def add(n: Any, Y: Tensor) -> Tensor:
        return Y - tf.slice(X, (n // kw, n % kw), (H, W)) * elements[n] * one

    Y, few = X[:H, :W] * K[0, 0] * one, kh * kw <= 32
    start = kh * kw if few else 1 + (kh * kw - 1) % 8
    for n in range(1, start):
        Y = add(n, Y)

    def add_eight(n: Any, Y: Tensor) -> tuple[Any, Tensor]:
        for i in range(8):
            Y = add(n + i, Y)
        return n + 8, Y

    return Y if few else tf.while_loop(lambda n, Y: n < kh * kw, add_eight, (start, Y))[1]


def tree_sum(A: Tensor) -> Tensor:
    """The sums of A (..., n) along its last axis, always in the same order: a tree of additions."""
    n = A.shape[-1]
    while n > 1:
        p = fold(n)
        sums = A[..., : n - p] + A[..., p:]
        A = sums if n == 2 * p else tf.concat([sums, A[..., n - p : p]], axis=-1)
        n = p
    return A[..., 0]


@_gradients(lambda X, G, V: image_gradient(V, G), lambda X, G, V: corr2d_exact(X, V))
def kernel_gradient(X: Tensor, G: Tensor) -> Tensor:
    """dK[a, b] = sum of X[a:a+H, b:b+W] * G, for the gradient G (H, W) at the output."""
    H, W = G.shape
    kh, kw = output_shape(X.shape, G.shape)
    dK = []
    for a in range(kh):
        terms = tf.stack([_product(X[a : a + H, b : b + W], G) for b in range(kw)])
        dK.append(tree_sum(tf.reshape(terms, (kw, H * W))))
    return tf.stack(dK)


@_gradients(lambda K, G, V: kernel_gradient(V, G), lambda K, G, V: corr2d_exact(V, K))
def image_gradient(K: Tensor, G: Tensor) -> Tensor:
    """dX[a:a+H, b:b+W] += K[a, b] * G, for the gradient G (H, W) at the output."""
    (kh, kw), (H, W) = K.shape, G.shape
    dX = tf.zeros((H + kh - 1, W + kw - 1), G.dtype)
    for a in range(kh):
        for b in range(kw):
            around = ((a, kh - 1 - a), (b, kw - 1 - b))
            dX = dX - tf.pad(_product(G, -K[a, b]), around)
    return tf.where(dX == 0, tf.zeros_like(dX), dX)  # 0 - 0 is 0, but XLA makes it -0


@_gradients(lambda Y, b, G: G, lambda Y, b, G: tree_sum(tf.reshape(G, (1, -1))))
def add_bias(Y: Tensor, b: Tensor) -> Tensor:
    """Y + b for a bias b (1,), whose gradient is the tree sum of the gradient at the output."""
    return Y + b


def corr2d_matmul(X: Tensor, K: Tensor) -> Tensor:
    """As a matrix product: the windows of the image, one a row, times the kernel as a column."""
    (kh, kw), shape = K.shape, output_shape(X.shape, K.shape)
    return tf.reshape(im2col(X, (kh, kw)) @ tf.reshape(K, (-1, 1)), shape)


@_as_graph
def corr2d_native(X: Tensor, K: Tensor) -> Tensor:
    """By TensorFlow's own convolution, which sums in an order of its own."""
    output_shape(X.shape, K.shape)
    image, kernel = X[None, :, :, None], K[:, :, None, None]  # (batch, height, width, channel)
    return tf.nn.conv2d(image, kernel, strides=1, padding="VALID")[0, :, :, 0]


@_as_graph
def corr2d_fft(X: Tensor, K: Tensor) -> Tensor:
    """By the Fourier transform, which makes a product of a cross-correlation.

    The transform is periodic: where the kernel would leave the image, it comes in on the other
    side. The output elements are those where it does not.
    """
    H, W = output_shape(X.shape, K.shape)
    size = [power_of_two(side) for side in X.shape]
    x, k = (tf.cast(t, tf.float32) if t.dtype == tf.float16 else t for t in (X, K))  # no half FFT
    product = tf.signal.rfft2d(x, size) * tf.math.conj(tf.signal.rfft2d(k, size))
    return tf.cast(tf.signal.irfft2d(product, size)[:H, :W], X.dtype)


@_as_graph
def corr2d_banded(X: Tensor, K: Tensor) -> Tensor:
    """By matrix products: parts of the image's rows times the band matrices of the kernel's rows.

    These are blocks of the kernel's Toeplitz matrix, so small that most of a block is not zero.
    """
    H, W = output_shape(X.shape, K.shape)
    kh, kw = K.shape
    n = min(W, BLOCK)
    count = -(-W // n)
    elements = tf.concat([tf.reshape(K, (-1,)), tf.zeros(1, K.dtype)], axis=0)
    bands = tf.gather(elements, band_places((kh, kw), n))
    X = tf.pad(X, ((0, 0), (0, count * n - W)))
    blocks = tf.stack([X[:, j : j + n + kw - 1] for j in range(0, W, n)])
    Y = blocks[:, :H] @ bands[0]
    for a in range(1, kh):
        Y = Y + blocks[:, a : a + H] @ bands[a]
    return tf.reshape(tf.transpose(Y, (1, 0, 2)), (H, count * n))[:, :W]


def corr2d_auto(X: Tensor, K: Tensor) -> Tensor:
    """By the method that should be the fastest for these shapes: see :mod:`d2lconv.costs`."""
    return _METHODS[fastest(manifest, X.shape, K.shape)](X, K)


def vjp(function: Operation, inputs: Sequence[Tensor], G: Tensor) -> tuple[Tensor, list[Tensor]]:
    """The output of a function of tensors, and its gradients for the gradient G at the output."""
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        Y = function(*inputs)
    return Y, tape.gradient(Y, list(inputs), output_gradients=G)


_METHODS = {
    "exact": corr2d_exact,
    "loop": corr2d_loop,
    "matmul": corr2d_matmul,
    "native": corr2d_native,
    "fft": corr2d_fft,
    "banded": corr2d_banded,
    "auto": corr2d_auto,
}
