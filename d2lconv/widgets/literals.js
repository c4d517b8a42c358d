// What the reader types: Python's literals, read without running anything. An int becomes a BigInt, a
// float a number, None null, a list an array, a tuple a Tuple, a dictionary a Map.
import { NAME, Source } from "./tokens.js";

export class Tuple extends Array {}

/** A tensor of the library's default type, float32: nested arrays of numbers. */
export class Tensor {
  constructor(values) {
    this.values = values;
  }
}

/** Good Python, perhaps, but more than literals: a function, say. Only Python can tell. */
export class NeedsPython extends Error {}

const STATEMENT = /(?:def|async|class|import|from|for|while|if|with|try|lambda|not|await)\b|@/y;
const BEYOND = /\*\*|\/\/|[%@<>&|^~*+-]|[=!]=|\.[\p{L}_]|(?:for|if|in|is|and|or|not)\b/uy;
const OPERATOR = /[%@<>&|^~*/+-]|[=!]=|for\b/y;
// Comments and imports, each a whole line, for what is made here has the libraries' names; `answer =`.
const ASSIGNED = /\s*(?:(?:#[^\n]*|(?:from|import)\b[^\n(;\\]*)\n\s*)*[\p{L}_][\p{L}\p{N}_]*\s*=(?!=)/uy;
const WORDS = { None: null, True: true, False: false, nan: NaN, inf: Infinity };
const CASES = { none: "None", null: "None", true: "True", false: "False" };
const DEEPEST = 30; // brackets inside each other: NumPy has 32 dimensions
const MOST = 10000n; // copies of a list, and the side of a matrix that is made here, squared
const LOOP = /[^\n]*\bfor\b[^\n]*\bin\b/y; // on the same line: a name that it gives a value to
const EMPTY = "here is the place for your answer";
const ROWS =
  "the answer has ended before this row. All rows together stand in one more pair of brackets, " +
  "with commas between them";

/** The one value that a text stands for, with or without `answer =` before it. */
export function parse(text) {
  const source = new Source(text);
  source.take(ASSIGNED);
  source.skip();
  if (/^(?:\.\.\.)?\s*$/.test(text.slice(source.place))) source.fail(EMPTY);
  const all = [value(source, 0)];
  let comma = false;
  while ((comma = source.sign(",")) && !source.skip()) all.push(value(source, 0));
  if (!source.skip()) ended(source);
  return all.length > 1 || comma ? Tuple.from(all) : all[0];
}

/** There is more text after the answer: a program, or a slip. */
function ended(source) {
  const below = /\n[ \t]*$/.test(source.text.slice(0, source.place));
  if (source.ahead(BEYOND) || (below && source.ahead(NAME))) throw new NeedsPython();
  const row = below && source.ahead(/\[/y);
  source.fail(row ? ROWS : `the answer has ended before this: ${source.found()}`);
}

function missed(source, what) {
  source.skip();
  if (source.ahead(/\.\.\./y)) source.fail(EMPTY);
  if (source.ahead(BEYOND)) throw new NeedsPython();
  source.fail(`${what} should be here, and there is ${source.found()}`);
}

/** A value, with sums and products of numbers worked out, and a matrix over a number. */
function value(source, depth) {
  return chain(source, /[+-]/y, () => chain(source, /\*(?!\*)|\/(?!\/)/y, () => factor(source, depth)));
}

function chain(source, signs, next) {
  let result = next();
  for (;;) {
    source.skip();
    const at = source.place;
    const by = source.take(signs);
    if (!by) return result;
    const right = next();
    if (by === "/" && isNumber(right) && Number(right) === 0) source.fail("nothing can be divided by 0", at);
    result =
      isNumber(result) && isNumber(right) ? computed(result, by, right) : over(source, result, by, right);
  }
}

function isNumber(given) {
  return typeof given === "bigint" || typeof given === "number";
}

function computed(left, by, right) {
  if (typeof left !== typeof right || by === "/") [left, right] = [Number(left), Number(right)];
  if (by === "+") return left + right;
  if (by === "-") return left - right;
  return by === "*" ? left * right : left / right;
}

/** A matrix over a number: the solutions write it of tensors, and readers of lists too. */
function over(source, left, by, right) {
  const [list, count] = Array.isArray(left) ? [left, right] : [right, left];
  if (by === "*" && Array.isArray(list) && typeof count === "bigint" && count <= MOST)
    return list.constructor.from(Array.from({ length: Math.max(0, Number(count)) }, () => list).flat());
  if (by === "+" && [left, right].every(Array.isArray) && left.constructor === right.constructor)
    return left.constructor.from([...left, ...right]);
  if (by !== "/" || !isNumber(right)) throw new NeedsPython();
  if (!Array.isArray(left) && !(left instanceof Tensor)) throw new NeedsPython();
  const divisor = Math.fround(Number(right));
  return new Tensor(each(tensor(source, left).values, (one) => Math.fround(one / divisor)));
}

/** Numbers in lists as a tensor. */
function tensor(source, values) {
  if (values instanceof Tensor) return values;
  const single = (one) => {
    if (!isNumber(one) && typeof one !== "boolean") source.fail("only of numbers is there a tensor");
    return Math.fround(Number(one));
  };
  return new Tensor(each(values, single));
}

function each(values, change) {
  return Array.isArray(values) ? Array.from(values, (one) => each(one, change)) : change(values);
}

function factor(source, depth) {
  source.skip();
  if (depth > DEEPEST) source.fail("this is too deep inside");
  const sign = source.take(/[+\u2212-]/y);
  if (!sign) return atom(source, depth);
  const right = factor(source, depth + 1);
  if (!isNumber(right)) throw new NeedsPython();
  return sign === "+" ? right : -right;
}

function atom(source, depth) {
  if (source.ahead(/\.?\d/y)) return source.number();
  if (source.ahead(/["']/y)) return source.string();
  if (source.ahead(STATEMENT)) throw new NeedsPython();
  if (source.ahead(NAME)) return named(source, depth);
  if (source.sign("[")) return items(source, "]", () => value(source, depth + 1)).all;
  if (source.sign("{")) return dictionary(source, depth);
  if (!source.sign("(")) missed(source, "a value");
  const { all, comma } = items(source, ")", () => value(source, depth + 1));
  return all.length === 1 && !comma ? all[0] : Tuple.from(all);
}

/** What stands between commas, up to a closing sign, and whether a comma was the last. */
function items(source, close, item) {
  const all = [];
  let comma = true;
  for (; !source.sign(close); comma = source.sign(",")) {
    if (!comma) missed(source, `a comma or “${close}”`);
    all.push(item());
  }
  return { all, comma };
}

function dictionary(source, depth) {
  const [result, keys] = [new Map(), new Map()];
  items(source, "}", () => {
    const key = value(source, depth + 1);
    const same = identity(key);
    if (same === null) source.fail("a list cannot be a key of a dictionary; a tuple can");
    if (!keys.has(same)) keys.set(same, key); // as in Python, where 1 and 1.0 are one key
    if (!source.sign(":")) missed(source, "“:”, between a key and its value,");
    result.set(keys.get(same), value(source, depth + 1));
  });
  return result;
}

/** A text that two keys share if they are equal in Python; null for what cannot be a key. */
function identity(key) {
  if (key === null) return "None";
  if (typeof key === "string") return `'${key}'`;
  if (typeof key === "bigint") return String(key);
  if (typeof key === "number" || typeof key === "boolean")
    return Number.isInteger(Number(key)) ? String(BigInt(key)) : String(key);
  if (!(key instanceof Tuple)) return null;
  const parts = Array.from(key, identity);
  return parts.includes(null) ? null : `(${parts.map((part) => `${part.length}:${part}`)})`;
}

/** A word of Python's, or what the solutions make of literals: d2l.tensor(...), d2l.diagonal_image(n). */
function named(source, depth) {
  const at = source.place;
  const word = source.take(NAME);
  if (Object.hasOwn(WORDS, word)) return WORDS[word];
  let last = word;
  while (source.take(/\s*\.\s*(?=[\p{L}_])/uy)) last = source.take(NAME);
  const dotted = source.text.slice(at, source.place) !== word;
  if (source.sign("(")) return made(source, last, depth);
  source.skip();
  if (dotted || source.ahead(OPERATOR) || source.ahead(LOOP)) throw new NeedsPython();
  const better = CASES[word.toLowerCase()];
  return source.fail(
    better ? `Python writes ${better}` : `“${word}” is a name. Text stands in quotes: "${word}"`,
    at,
  );
}

const MADE = { eye: 1, identity: 1, diagonal_image: 1, ones: 2, zeros: 2 };

function made(source, name, depth) {
  if (name !== "tensor" && name !== "array" && !Object.hasOwn(MADE, name)) throw new NeedsPython();
  const given = value(source, depth + 1);
  if (!source.sign(")")) throw new NeedsPython();
  if (!Object.hasOwn(MADE, name)) return tensor(source, given);
  const sizes = (given instanceof Tuple ? Array.from(given) : [given]).map(Number);
  const few = sizes.every((one) => Number.isInteger(one) && one >= 1 && one * one <= MOST);
  const many = name === "ones" || name === "zeros" ? sizes.length <= 2 : sizes.length === 1;
  if (!few || !many) throw new NeedsPython();
  const filled = (one) => (length, n) => Array.from({ length }, (_, place) => one(n, place));
  if (MADE[name] === 1) {
    const row = filled((i, j) => Number(i === j));
    return new Tensor(Array.from({ length: sizes[0] }, (_, i) => row(sizes[0], i)));
  }
  const row = filled(() => Number(name === "ones"));
  const [height, width] = sizes;
  return new Tensor(width ? Array.from({ length: height }, () => row(width, 0)) : row(height, 0));
}
