// What Python and NumPy make of values: how they write them, and which matrix they see in them. The
// checkers' messages must have the same characters here as there.
import { Tensor, Tuple } from "./literals.js";

/** The reason why an answer is wrong. */
export class Wrong extends Error {}

/** How much of an element rounding may be: it counts as a result of a few operations in float32. */
export const ERROR = 2 ** -20;

const LEAST_INT = -(2n ** 63n); // beyond these, NumPy has objects instead of numbers
const MOST_INT = 2n ** 64n - 1n;
const ALLOWED = "Allowed are float16, float32 and float64, and integers and booleans (used as float32)";

/** The digits of a number and its exponent, rounded as C does it: to even in the middle. */
function rounded(value, digits) {
  const split = (text) => text.replace(".", "").split("e");
  const [all, power] = split(Math.abs(value).toExponential(100));
  const tie = /^50*$/.test(all.slice(digits)) && Number(all[digits - 1]) % 2 === 0;
  const [some, exponent] = tie
    ? [all.slice(0, digits), power]
    : split(Math.abs(value).toExponential(digits - 1));
  return { some, exponent: Number(exponent) };
}

/** Digits with a point after the first one, or with e and an exponent of two digits at least. */
function scientific(digits, exponent) {
  const after = digits.slice(1);
  const size = String(Math.abs(exponent)).padStart(2, "0");
  return `${digits[0]}${after && "."}${after}e${exponent < 0 ? "-" : "+"}${size}`;
}

function plain(digits, exponent) {
  if (exponent < 0) return `0.${"0".repeat(-exponent - 1)}${digits}`;
  const whole = digits.slice(0, exponent + 1).padEnd(exponent + 1, "0");
  const after = digits.slice(exponent + 1);
  return `${whole}${after && "."}${after}`;
}

function signed(value, text) {
  return value < 0 || Object.is(value, -0) ? `-${text}` : text;
}

/** A float as Python's format "g" writes it. */
export function general(value, digits = 6) {
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return signed(value, "inf");
  const { some, exponent } = rounded(value, digits);
  const short = some.replace(/(?<=.)0+$/, "");
  return signed(value, (exponent < -4 || exponent >= digits ? scientific : plain)(short, exponent));
}

/** A value as Python's repr writes it. */
export function repr(value) {
  if (value === null) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value === "string") return quoted(value);
  if (typeof value === "number") return float(value);
  if (value instanceof Tensor) return `tensor(${repr(value.values)})`;
  if (value instanceof Map)
    return `{${Array.from(value, ([key, one]) => `${repr(key)}: ${repr(one)}`).join(", ")}}`;
  if (!Array.isArray(value)) return String(value);
  const inside = Array.from(value, repr).join(", ");
  if (!(value instanceof Tuple)) return `[${inside}]`;
  return value.length === 1 ? `(${inside},)` : `(${inside})`;
}

function float(value) {
  if (!Number.isFinite(value)) return general(value);
  const [digits, power] = Math.abs(value).toExponential().replace(".", "").split("e");
  const exponent = Number(power);
  if (exponent < -4 || exponent > 15) return signed(value, scientific(digits, exponent));
  return signed(value, plain(digits, exponent) + (exponent >= digits.length - 1 ? ".0" : ""));
}

function quoted(text) {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  const written = Array.from(text, (one) => {
    if (one === quote || one === "\\") return `\\${one}`;
    if (one === " " || !/[\p{C}\p{Z}]/u.test(one)) return one;
    const code = one.codePointAt(0).toString(16);
    if ("\n\r\t".includes(one)) return { "\n": "\\n", "\r": "\\r", "\t": "\\t" }[one];
    if (code.length < 3) return `\\x${code.padStart(2, "0")}`;
    return code.length < 5 ? `\\u${code.padStart(4, "0")}` : `\\U${code.padStart(8, "0")}`;
  });
  return quote + written.join("") + quote;
}

/** A shape as Python writes a tuple. */
export function tuple(shape) {
  return repr(Tuple.from(shape, BigInt));
}

/** A vector or a matrix in a message, as d2lconv/exercise/answers.py shows it. */
export function listed(values) {
  return Array.isArray(values) ? `[${values.map(listed).join(", ")}]` : general(values);
}

/** The shape of a value, [] of what is no array; null if it is ragged. */
export function shape(value) {
  const values = value instanceof Tensor ? value.values : value;
  if (!Array.isArray(values)) return [];
  const [first = [], ...others] = Array.from(values, shape);
  const same = first && others.every((other) => other && other.join() === first.join());
  return same ? [values.length, ...first] : null;
}

function leaves(value) {
  const values = value instanceof Tensor ? value.values : value;
  return Array.isArray(values) ? Array.from(values).flatMap(leaves) : [values];
}

export function isReal(value) {
  return ["bigint", "number", "boolean"].includes(typeof value);
}

/** A number as a float; NaN if it is none. */
export function number(value) {
  const plainly = value instanceof Tensor ? value.values : value;
  return isReal(plainly) ? Number(plainly) : NaN;
}

function isObject(leaf) {
  if (typeof leaf === "bigint") return leaf < LEAST_INT || leaf > MOST_INT;
  return leaf === null || leaf instanceof Map;
}

/** Why NumPy finds no numbers in a value; "" if it finds some. */
function strange(all) {
  const other = all.find((leaf) => !isReal(leaf));
  if (other === undefined) {
    const beyond = all.some((leaf) => typeof leaf === "bigint" && !Number.isFinite(Number(leaf)));
    return beyond ? "a number beyond the largest float64" : "";
  }
  if (!all.some(isObject)) return "text";
  return other === null ? "NoneType" : typeof other === "string" ? "str" : "dict";
}

/** An answer as numbers that float32 holds, and their shape, without leading axes of 1 beyond `rank`. */
export function asNumbers(answer, what, rank) {
  let sizes = shape(answer);
  const none = `The answer should be ${what}, and is none: data`;
  if (!sizes)
    throw new Wrong(
      `${none} is ragged: its rows differ in length. Give every row the same number of elements.`,
    );
  const all = leaves(answer);
  const problem = strange(all);
  if (problem) throw new Wrong(`${none} holds ${problem}. ${ALLOWED}.`);
  while (sizes.length > rank && sizes[0] === 1) sizes = sizes.slice(1);
  return { sizes, values: all.map((leaf) => Math.fround(Number(leaf))) };
}

/** An answer as a matrix of numbers that float32 holds; a vector will do too if `row` is set. */
export function asMatrix(answer, what, row = false) {
  let { sizes, values } = asNumbers(answer, what, 2); // one image, one channel
  if (sizes.length === 1 && row) sizes = [1, ...sizes];
  if (sizes.length !== 2 || values.length === 0)
    throw new Wrong(`The answer should be ${what}, and has the shape ${tuple(sizes)}.`);
  if (!values.every(Number.isFinite))
    throw new Wrong(`The answer should be ${what}, and has elements that are no finite numbers.`);
  const [height, width] = sizes;
  return Array.from({ length: height }, (_, i) => values.slice(i * width, (i + 1) * width));
}

/** The largest of some numbers without their signs. */
export function largest(values) {
  return values.reduce((most, one) => Math.max(most, Math.abs(one)), 0);
}

/** How far the elements of a matrix are apart. */
export function extent(A) {
  const all = A.flat();
  const [low, high] = [Math.min, Math.max].map((which) => all.reduce((one, other) => which(one, other)));
  return high - low;
}

/** The sum of numbers in NumPy's order: in halves while they are many, then in eight strands. */
export function sum(values) {
  const count = values.length;
  if (count > 128) {
    const half = Math.floor(count / 2 / 8) * 8;
    return sum(values.slice(0, half)) + sum(values.slice(half));
  }
  const whole = count - (count % 8);
  const strands = values.slice(0, whole && 8);
  for (let n = 8; n < whole; n += 1) strands[n % 8] += values[n];
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = strands;
  return values.slice(whole).reduce((total, one) => total + one, a + b + (c + d) + (e + f + (g + h)));
}
