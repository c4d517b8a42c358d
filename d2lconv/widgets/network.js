// LeNet with tanh and max pooling, as d2lconv/core/lenet.py describes it. A layer's sums are float64's, and each
// of its numbers is rounded to float32 once. That has the bits of method="rounded", but where float64's own
// rounding decides, which is next to never; the tests compare all maps. Nothing here knows of a page. Images are
// [channel][row][column].
import { build } from "./arithmetic.js";
import { framed, pooled } from "./places.js";

const STEP = 2 ** -15; // parameters are multiples of it, as in d2lconv/widgets/trained.py
const SHAPES = {
  conv1: [6, 1, 5, 5],
  conv2: [16, 6, 5, 5],
  dense1: [120, 400],
  dense2: [84, 120],
  dense3: [10, 84],
};

/** The parameters, from text: 16-bit integers in base64, each layer's weights and then its biases. */
export function learned(text) {
  const bytes = Uint8Array.from(atob(text), (one) => one.charCodeAt(0));
  const numbers = Float64Array.from(new Int16Array(bytes.buffer), (one) => one * STEP);
  let taken = 0;
  const take = (count) => numbers.subarray(taken, (taken += count));
  return Object.fromEntries(
    Object.entries(SHAPES).map(([name, shape]) => [
      name,
      { shape, weight: take(shape.reduce((a, b) => a * b)), bias: take(shape[0]) },
    ]),
  );
}

function convolution(X, { shape: [outputs, inputs, kh, kw], weight, bias }, padding) {
  const sides = [padding, padding];
  const sheets = X.map((sheet) => framed(sheet, [sides, sides]));
  const [H, W] = [sheets[0].length - kh + 1, sheets[0][0].length - kw + 1];
  return Array.from({ length: outputs }, (_, o) =>
    build(H, W, (i, j) => {
      let [sum, n] = [0, o * inputs * kh * kw];
      for (const sheet of sheets)
        for (let a = 0; a < kh; a += 1)
          for (let b = 0; b < kw; b += 1, n += 1) sum += sheet[i + a][j + b] * weight[n];
      return Math.fround(sum + bias[o]);
    }),
  );
}

function dense(x, { shape: [outputs, inputs], weight, bias }) {
  return Array.from({ length: outputs }, (_, o) => {
    const sum = x.reduce((total, value, n) => total + value * weight[o * inputs + n], 0);
    return Math.fround(sum + bias[o]);
  });
}

function tanh(value) {
  return Math.fround(Math.tanh(value));
}

function convolved(X, parameters, padding) {
  return convolution(X, parameters, padding).map((sheet) => sheet.map((row) => row.map(tanh)));
}

function halved(sheet) {
  const none = [0, 0];
  return pooled(sheet, "max", [2, 2], [none, none], [2, 2]);
}

/** What the layers make of an image (28, 28), by the names of the last ones at each stage. */
export function passed(net, image) {
  const activation1 = convolved([image], net.conv1, 2);
  const pool1 = activation1.map(halved);
  const activation2 = convolved(pool1, net.conv2, 0);
  const pool2 = activation2.map(halved);
  const activation3 = dense(pool2.flat(2), net.dense1).map(tanh);
  const activation4 = dense(activation3, net.dense2).map(tanh);
  const dense3 = dense(activation4, net.dense3);
  return { activation1, pool1, activation2, pool2, activation3, activation4, dense3 };
}

/** The shares of the powers of e, which add up to 1. */
export function softmax(logits) {
  const powers = logits.map((one) => Math.exp(one - Math.max(...logits)));
  const sum = powers.reduce((a, b) => a + b);
  return powers.map((one) => one / sum);
}
