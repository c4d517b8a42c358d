// The checkers of exercise 2, kernels designed by hand, as in d2lconv/exercise/handmade.py.
import { build, transpose } from "./arithmetic.js";
import { Tensor, Tuple } from "./literals.js";
import {
  ERROR,
  Wrong,
  asMatrix,
  extent,
  general,
  isReal,
  largest,
  listed,
  number,
  repr,
  shape,
  sum,
} from "./python.js";

const A_KERNEL = "a kernel, a matrix of numbers";
const DEGREE = 1 / 64; // the sine of 0.9 degrees: a direction that is closer than this is right

/** The kernel's response to an image of its size, and how far rounding may have moved it. */
function answers(K, image) {
  const terms = K.flatMap((row, i) => row.map((k, j) => k * image[i][j]));
  return { found: sum(terms) + 0, bound: ERROR * sum(terms.map(Math.abs)) };
}

function like(K, value) {
  return build(K.length, K[0].length, value);
}

/** The rows and the columns of the elements, from the middle of the kernel. */
function places(K) {
  return [like(K, (i) => i - (K.length - 1) / 2), like(K, (i, j) => j - (K[0].length - 1) / 2)];
}

function power(value, n) {
  let result = 1;
  for (let m = 0; m < n; m += 1) result *= value;
  return result;
}

/** An image without the last digits, which rounding made, and without minus zeros. */
function tidy(image) {
  return image.map((row) => row.map((one) => toEven(one * 1e12) / 1e12 + 0));
}

function toEven(value) {
  const low = Math.floor(value);
  if (value - low !== 0.5) return Math.round(value);
  return low % 2 === 0 ? low : low + 1;
}

function expectZero(K, image, why) {
  const { found, bound } = answers(K, image);
  if (Math.abs(found) > bound)
    throw new Wrong(
      `${why}, but to X = ${listed(image)} your kernel responds with ${general(found)} instead of 0.`,
    );
}

export function checkDirection(answer) {
  const pair = Array.isArray(answer) && answer.length === 2 && String(shape(answer[0])) === "2";
  if (answer instanceof Map && answer.size) for (const [v, K] of answer) direction(v, K);
  else if (pair) direction(...answer);
  else
    throw new Wrong(
      "The answer should be a function that takes v and gives a kernel, a pair (v, kernel), " +
        "or a dictionary of kernels for directions v.",
    );
  return "It responds to edges orthogonal to v, and is blind to edges along v.";
}

function components(v) {
  const values = v instanceof Tensor ? v.values : v;
  const two = Array.isArray(values) && values.length === 2 ? Array.from(values, number) : [0, 0];
  return two.every(Number.isFinite) ? two : [0, 0];
}

function direction(v, kernel, ask = true) {
  const [v1, v2] = components(v);
  const longer = Math.max(Math.abs(v1), Math.abs(v2));
  if (longer === 0)
    throw new Wrong(`${repr(v)} is no direction: take a pair of numbers (down, right), not both 0.`);
  const K = asMatrix(kernel, A_KERNEL, true);
  const said = `For v = (${general(v1)}, ${general(v2)})`;
  expectZero(
    K,
    like(K, () => 1),
    `${said} a constant image has no edges`,
  );
  const [i, j] = places(K);
  const [u1, u2] = [v1 / longer, v2 / longer];
  const length = Math.sqrt(u1 * u1 + u2 * u2);
  const along = like(K, (a, b) => (u1 * i[a][b] + u2 * j[a][b]) / length);
  const across = like(K, (a, b) => (u1 * j[a][b] - u2 * i[a][b]) / length);
  if ([1, 2, 3, 4].some((degree) => judged(K, along, across, degree, said, ask ? [v1, v2] : null)))
    return;
  if (isZero(K)) throw new Wrong(`${said} your kernel is all zeros, so it responds to nothing.`);
  throw new Wrong(
    `${said} your kernel responds with 0 to X = ${listed(tidy(along))}, which gets brighter along v.`,
  );
}

function isZero(K) {
  return largest(K.flat()) === 0;
}

/** A question, if the kernel is right for the direction (v2, v1). */
function swapped([v1, v2], K) {
  if (Math.abs(v1) === Math.abs(v2)) return "";
  try {
    direction([v2, v1], K, false);
  } catch (error) {
    if (error instanceof Wrong) return "";
    throw error;
  }
  return ` It is right for (${general(v2)}, ${general(v1)}): did you swap v1 and v2?`;
}

/** Whether the moments of a degree are not all 0, so that they decide. */
function judged(K, along, across, degree, said, v) {
  const images = Array.from({ length: degree + 1 }, (_, r) =>
    like(K, (a, b) => power(across[a][b], r) * power(along[a][b], degree - r)),
  );
  const all = images.map((image) => ({ image, ...answers(K, image) }));
  if (all.every(({ found, bound }) => Math.abs(found) <= bound)) return false;
  const [{ found: wanted }, ...others] = all;
  others.forEach(({ image, found, bound }, n) => {
    if (Math.abs(found) <= bound + DEGREE * Math.abs(wanted)) return;
    const way =
      n + 1 === degree
        ? "changes across v only, as an edge along v does"
        : "changes across v as well as along it";
    throw new Wrong(
      `${said} your kernel responds with ${general(found, 4)} to X = ${listed(tidy(image))}, which ` +
        `${way}, and with ${general(wanted, 4)} to the same change along v. Within one degree, the ` +
        `first must be 0 beside the second. v counts first down the rows, then right.` +
        (v ? swapped(v, K) : ""),
    );
  });
  return true;
}

const PARTS = { kernel: second, size: three, structure: line };

export function checkSecond(answer) {
  const size = answer instanceof Tuple && answer.every((n) => ["bigint", "boolean"].includes(typeof n));
  const name = size || isReal(answer) ? "size" : "kernel";
  const parts = answer instanceof Map ? answer : new Map([[name, answer]]);
  const keys = [...parts.keys()];
  if (!keys.length || !keys.every((key) => typeof key === "string" && Object.hasOwn(PARTS, key)))
    throw new Wrong(
      `The answer should have the keys ${Object.keys(PARTS).join(", ")}, one or more of them, and has ` +
        `${keys.map(repr).join(", ") || "none"}.`,
    );
  return keys.map((key) => PARTS[key](parts.get(key))).join(" ");
}

function second(answer) {
  const K = asMatrix(answer, A_KERNEL, true);
  const [i, j] = places(K);
  expectZero(
    K,
    like(K, () => 1),
    "A constant image has no second derivative",
  );
  expectZero(K, j, "A ramp has no second derivative");
  expectZero(K, i, "A ramp has no second derivative");
  const bent = {
    "down the columns": like(K, (a, b) => i[a][b] * i[a][b]),
    "along the rows": like(K, (a, b) => j[a][b] * j[a][b]),
    "in both directions": like(K, (a, b) => i[a][b] * j[a][b]),
  };
  const seen = Object.entries(bent)
    .map(([name, image]) => ({ name, ...answers(K, image) }))
    .filter(({ found, bound }) => Math.abs(found) > bound)
    .map(({ name, found }) => ({ name, share: general(found / (name.includes("both") ? 1 : 2)) }));
  if (!seen.length && isZero(K)) throw new Wrong("Your kernel is all zeros, so it responds to nothing.");
  if (!seen.length) {
    const X = bent[K[0].length >= K.length ? "along the rows" : "down the columns"];
    throw new Wrong(
      `The second derivative of the parabola X = ${listed(X)} is 2, but your kernel responds with 0.`,
    );
  }
  if (seen.length === 1 && seen[0].share === "1") return `It is a second derivative ${seen[0].name}.`;
  const terms = seen.map(({ name, share }) => `${share} times the one ${name}`);
  return `It is a second derivative: ${terms.join(" plus ")}.`;
}

function equals(value, wanted) {
  return isReal(value) && Number(value) === wanted;
}

function isCount(value) {
  return value >= 1 && (value === Infinity || value % 1 === 0);
}

function three(answer) {
  const isSize = answer instanceof Tuple;
  const sizes = (isSize ? Array.from(answer) : [answer]).map((one) => (shape(one)?.length === 0 ? number(one) : NaN));
  if ((isSize && sizes.length !== 2) || !sizes.every((one) => isCount(one) && Number.isFinite(one)))
    throw new Wrong(
      `${repr(answer)} is no number of elements: answer with a whole number, or with a size ` +
        "(height, width).",
    );
  const count = sizes.reduce((product, one) => product * one, 1);
  if (count < 3)
    throw new Wrong(
      `${repr(answer)} is not enough: with fewer than three elements, a constant and a ramp, ` +
        "which must both give 0, leave a kernel of zeros.",
    );
  if (count > 3)
    throw new Wrong(`${repr(answer)} is not the smallest: [[1, -2, 1]] has 3 elements.`);
  return "Three elements are the minimum.";
}

function line(answer) {
  const X = asMatrix(answer, "an image, a matrix of numbers", true);
  const span = extent(X);
  const views = [X, transpose(X)].filter((view) => view[0].length >= 3);
  if (!views.length)
    throw new Wrong(
      `An image of the shape (${X.length}, ${X[0].length}) is too small for [[1, -2, 1]], even ` +
        "turned: it needs three columns or three rows.",
    );
  if (span === 0) throw new Wrong("Your image is constant, and [[1, -2, 1]] responds with 0 to it.");
  const bends = views.flatMap((view) =>
    view.flatMap((row) => row.slice(2).map((one, j) => row[j] - 2 * row[j + 1] + one)),
  );
  const found = largest(bends);
  if (found < 2 * span * (1 - ERROR)) {
    const [low, high] = [Math.min, Math.max].map((which) => X.flat().reduce((a, b) => which(a, b)) + 0);
    throw new Wrong(
      `To your image [[1, -2, 1]], as it is or turned, responds with at most ${general(found)} in ` +
        "size. With the same darkest and brightest pixels, a line one pixel wide, " +
        `${listed([[low, high, low]])}, gets ${general(2 * span)}.`,
    );
  }
  return (
    `[[1, -2, 1]], as it is or turned, responds with ${general(found)} in size to your image: between ` +
    "the same darkest and brightest pixels no image gets more."
  );
}

export function checkBlur(answer) {
  const K = asMatrix(answer, A_KERNEL, true);
  const { found: total, bound } = answers(
    K,
    like(K, () => 1),
  );
  const ones = like(K, () => 1);
  if (Math.abs(total - 1) > bound * K.length * K[0].length)
    throw new Wrong(
      `A blur leaves a constant image as it is, but to X = ${listed(ones)} your kernel responds ` +
        `with ${general(total)}: its elements must add up to 1.`,
    );
  const most = largest(K.flat());
  const least = K.flat().reduce((low, one) => Math.min(low, one));
  if (least < -ERROR * most) {
    const place = K.flat().indexOf(least);
    const X = like(K, (i, j) => Number(i * K[0].length + j === place));
    throw new Wrong(
      `A blur gives means, but to a white pixel on black, X = ${listed(X)}, your kernel ` +
        `responds with ${general(least)}, which is darker than black: no element may be negative.`,
    );
  }
  const some = like(K, (i, j) => Number(Math.abs(K[i][j]) > ERROR * most));
  if (some.flat().filter(Boolean).length < 2)
    throw new Wrong(
      `To a single white pixel, X = ${listed(some)}, your kernel responds with ${general(most)}: it ` +
        "moves the image at most, and blurs nothing. At least two elements must be positive.",
    );
  return "It takes weighted means of neighbours: brightness stays, and noise is averaged.";
}

/** What an answer says for each order. */
function sizesByOrder(answer) {
  if (answer instanceof Map && answer.size) return answer;
  const values = answer instanceof Tensor && shape(answer)?.length === 1 ? answer.values : answer;
  if (Array.isArray(values) && values.length)
    return new Map(Array.from(values, (size, n) => [BigInt(n + 1), size]));
  throw new Wrong(
    "The answer should be a function of the order d, or a list or dictionary of the sizes " +
      "for d = 1, 2, ...",
  );
}

export function checkMinimum(answer) {
  const says = sizesByOrder(answer);
  for (const d of says.keys())
    if (typeof d !== "bigint" || d < 1n)
      throw new Wrong(`${repr(d)} is no order of a derivative; take 1, 2, ...`);
  for (const d of [...says.keys()].sort((one, other) => (one < other ? -1 : 1))) {
    const n = elements(says.get(d), d);
    const wanted = d + 1n;
    if (n < wanted)
      throw new Wrong(
        `For d = ${d} you say ${general(n)}, which is not enough: so few elements, if they ` +
          `ignore all polynomials of a degree below ${d}, are all 0.`,
      );
    if (n > wanted)
      throw new Wrong(
        `For d = ${d} you say ${general(n)}, but ${wanted} elements are enough: the difference ` +
          `[[-1, 1]], taken ${d} times.`,
      );
  }
  return "One more than the order; dc.kernels.derivative has the proof.";
}

/** The number of elements that an answer for one order means. */
function elements(size, d) {
  const sizes = shape(size);
  const pair = size instanceof Tuple && String(sizes) === "2" && size.some((one) => equals(one, 1));
  if (pair || sizes?.length === 0) {
    const said = pair ? Array.from(size, number) : [number(size)];
    if (!said.every(isCount))
      throw new Wrong(`For d = ${d} you say ${repr(size)}, which is no number of elements.`);
    return Math.max(...said);
  }
  const K = asMatrix(size, "a number, a size (1, n), or a kernel", true);
  const count = K.length * K[0].length;
  const j = like(K, (a, b) => a * K[0].length + b - (count - 1) / 2);
  const raised = (n) => j.map((row) => row.map((one) => power(one, n)));
  for (let n = 0; n < d && n < count; n += 1)
    expectZero(K, raised(n), `For d = ${d} a kernel ignores polynomials of degree ${n}`);
  if (d >= count) return count;
  const { found, bound } = answers(K, raised(d));
  if (Math.abs(found) <= bound)
    throw new Wrong(
      `For d = ${d} your kernel responds with 0 to X = ${listed(raised(Number(d)))}, a polynomial of degree ` +
        `${d}, whose derivative of that order is not 0.`,
    );
  return count;
}
