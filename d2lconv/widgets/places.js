// Where windows lie on an image in a frame: what padding, stride and dilation mean. Nothing here knows of
// a page; the tests compare it with the library.
import { build } from "./arithmetic.js";

/** The frame of "same": as many places as the stride needs, the odd one at the end. */
export function sameFrame(n, k, stride, dilation) {
  const reach = (Math.ceil(n / stride) - 1) * stride + dilation * (k - 1) + 1;
  const zeros = Math.max(reach - n, 0);
  return [Math.floor(zeros / 2), Math.ceil(zeros / 2)];
}

/** How many places there are; 0 or less if the window is larger than the framed image. */
export function count(n, k, [before, after], stride, dilation) {
  return Math.floor((n + before + after - dilation * (k - 1) - 1) / stride) + 1;
}

/** The image in a frame of one value. */
export function framed(X, [[top, bottom], [left, right]], value = 0) {
  const [h, w] = [X.length, X[0].length];
  return build(h + top + bottom, w + left + right, (i, j) => X[i - top]?.[j - left] ?? value);
}

/** The places of the framed image that a window holds, row by row. */
export function held([i, j], [kh, kw], [sh, sw], [dh, dw] = [1, 1]) {
  return build(kh, kw, (a, b) => [i * sh + a * dh, j * sw + b * dw]).flat();
}

/** The cross-correlation on a framed image, in float32, in the order of the contract. */
export function strided(X, K, frame, stride, dilation) {
  const inside = framed(X, frame);
  const size = [K.length, K[0].length];
  const [H, W] = [0, 1].map((axis) =>
    count([X.length, X[0].length][axis], size[axis], frame[axis], stride[axis], dilation[axis]),
  );
  return build(H, W, (i, j) =>
    held([i, j], size, stride, dilation)
      .map(([m, n], t) => Math.fround(inside[m][n] * K.flat()[t]))
      .reduce((sum, value) => Math.fround(sum + value)),
  );
}

/** The maximum, or the mean, of each window; outside stands `outside`, null for nothing at all. */
export function pooled(X, mode, size, frame, stride, outside = null) {
  const inside = framed(X, frame, null);
  const [H, W] = [0, 1].map((axis) =>
    count([X.length, X[0].length][axis], size[axis], frame[axis], stride[axis], 1),
  );
  return build(H, W, (i, j) => {
    const values = held([i, j], size, stride)
      .map(([m, n]) => inside[m][n] ?? outside)
      .filter((value) => value !== null);
    if (mode === "max") return Math.max(...values);
    return Math.fround(values.reduce((sum, value) => Math.fround(sum + value)) / values.length);
  });
}
