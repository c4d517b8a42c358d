// What the widgets compute: float32, in the order that the library's contract fixes
// (d2lconv/contract.py), so that a page shows the same bits as every backend. Nothing here knows
// of a page. A matrix is an array of rows, and every number in it one that float32 holds.

const f32 = Math.fround;

/** A matrix with every number rounded to float32. */
export function matrix(rows) {
  return rows.map((row) => row.map((value) => f32(value)));
}

/** A matrix made by a function of row and column. */
export function build(height, width, value) {
  return Array.from({ length: height }, (_, i) => Array.from({ length: width }, (_, j) => value(i, j)));
}

/** The numbers with which the lessons begin. */
export const LESSON = { X: build(3, 3, (i, j) => 3 * i + j), K: build(2, 2, (i, j) => 2 * i + j) };

export function transpose(A) {
  return build(A[0].length, A.length, (i, j) => A[j][i]);
}

/** The products that make the output element (i, j), in row-major order of the kernel. */
export function products(X, K, i, j) {
  return K.flatMap((row, a) =>
    row.map((k, b) => ({ a, b, x: X[i + a][j + b], k, value: f32(X[i + a][j + b] * k) })),
  );
}

/** The output's element (i, j): the products added one after the other. */
export function windowSum(X, K, i, j) {
  return products(X, K, i, j)
    .map((term) => term.value)
    .reduce((sum, value) => f32(sum + value));
}

/** The cross-correlation of X (h, w) and K (kh, kw). */
export function corr2d(X, K) {
  const height = X.length - K.length + 1;
  const width = X[0].length - K[0].length + 1;
  return build(height, width, (i, j) => windowSum(X, K, i, j));
}

/** The channels' results added in their order; the first one is where the sum begins. */
export function folded(sheets) {
  return sheets.reduce((sum, sheet) => sum.map((row, i) => row.map((value, j) => f32(value + sheet[i][j]))));
}

/** The sum along the contract's tree: fold at the largest power of two below the length. */
export function treeSum(values) {
  const sums = Float32Array.from(values);
  for (let left = sums.length; left > 1;) {
    const p = 2 ** (31 - Math.clz32(left - 1));
    for (let n = p; n < left; n += 1) sums[n - p] += sums[n];
    left = p;
  }
  return sums[0];
}

/** One step of learning: the loss before it, the kernel's gradient, and the kernel after it. */
export function learningStep(X, Y, K, lr) {
  const rate = f32(lr);
  const D = corr2d(X, K).map((row, i) => row.map((value, j) => f32(value - Y[i][j])));
  const loss = treeSum(D.flat().map((d) => f32(d * d)));
  const G = D.map((row) => row.map((d) => f32(d + d)));
  const gradient = K.map((row, a) =>
    row.map((_, b) => treeSum(G.flatMap((line, i) => line.map((g, j) => f32(X[a + i][b + j] * g))))),
  );
  const kernel = K.map((row, a) => row.map((k, b) => f32(k - f32(rate * gradient[a][b]))));
  return { loss, gradient, kernel };
}

/** A whole run: the losses, each before its update, and all kernels from the first to the last. */
export function learn(X, Y, initial, lr, epochs) {
  const kernels = [matrix(initial)];
  const losses = [];
  for (let epoch = 0; epoch < epochs; epoch += 1) {
    const step = learningStep(X, Y, kernels[epoch], lr);
    losses.push(step.loss);
    kernels.push(step.kernel);
  }
  return { losses, kernels };
}

/** The loss as a function of the two weights of a kernel (1, 2), for drawing: c - 2 b.k + k.H k. */
export function paraboloid(X, Y) {
  const [H, b] = [
    [
      [0, 0],
      [0, 0],
    ],
    [0, 0],
  ];
  let c = 0;
  Y.forEach((row, i) =>
    row.forEach((y, j) => {
      const x = [X[i][j], X[i][j + 1]];
      for (const p of [0, 1]) {
        b[p] += x[p] * y;
        for (const q of [0, 1]) H[p][q] += x[p] * x[q];
      }
      c += y * y;
    }),
  );
  return (k, l) => c - 2 * (b[0] * k + b[1] * l) + H[0][0] * k * k + 2 * H[0][1] * k * l + H[1][1] * l * l;
}

/** A layer with its defaults; all numbers count for both directions. */
function layer({ kernel_size, stride = 1, padding = 0, dilation = 1 }) {
  return { kernel_size, stride, padding, dilation, span: (kernel_size - 1) * dilation + 1 };
}

/** The sizes, in one direction, of the input and of every layer's output, up to where one fits. */
export function sizes(layers, size) {
  const found = [size];
  for (const { span, stride, padding } of layers.map(layer)) {
    const places = found.at(-1) + 2 * padding - span;
    if (places < 0) break;
    found.push(Math.floor(places / stride) + 1);
  }
  return found;
}

/** In one direction: the places in the input, and in each map up to it, that an element sees. */
export function seen(layers, size, depth, place) {
  const ends = sizes(layers, size);
  const maps = [[place]];
  for (let level = depth - 1; level >= 0; level -= 1) {
    const { kernel_size, stride, padding, dilation } = layer(layers[level]);
    const below = new Set();
    for (const above of maps[0]) {
      for (let a = 0; a < kernel_size; a += 1) {
        const n = above * stride + a * dilation - padding;
        if (n >= 0 && n < ends[level]) below.add(n);
      }
    }
    maps.unshift([...below].sort((m, n) => m - n));
  }
  return maps;
}

/** In one direction: the field's size far from every border, its step, and where it starts. */
export function field(layers) {
  let [size, jump, start] = [1, 1, 0];
  for (const { span, stride, padding } of layers.map(layer)) {
    size += (span - 1) * jump;
    start -= padding * jump;
    jump *= stride;
  }
  return { size, jump, start };
}
