// The verdicts of d2lconv/exercise on answers that are data, for pages, which have no Python. They are
// word for word those of dc.check, and the tests compare them; nothing here knows of a page.
import { LESSON, build, corr2d, transpose } from "./arithmetic.js";
import { checkNumbers } from "./data.js";
import { checkBlur, checkDirection, checkMinimum, checkSecond } from "./kernels.js";
import { Tensor, Tuple } from "./literals.js";
import { ERROR, Wrong, asMatrix, extent, general, largest, listed, repr, shape, tuple } from "./python.js";

/** A question that this page cannot decide: dc.check raises an error for it too. */
export class Undecided extends Error {}

const OWN = "That is the result for your image.";

const CHECKERS = {
  "1a": checkImage,
  "1b": prediction(difference, "The kernel responds on both sides of the diagonal."),
  "1c": prediction((X) => difference(transpose(X)), "Transposing a line on the diagonal changes nothing."),
  "1d": prediction(
    (X) => transpose(difference(transpose(X))),
    "It is what K makes of the transposed image, transposed.",
  ),
  "2a": checkDirection,
  "2b": checkSecond,
  "2c": checkBlur,
  "2d": checkMinimum,
  3: checkGradient,
  "4a": multiplication(windows, "kernel"),
  "4b": multiplication(toeplitz, "image"),
};

/**
 * The verdict on an answer; for exercise 3, `framework` is the one in force, `outcomes` has them all;
 * `task` is the exercise if it is data.
 */
export function check(id, answer, { framework = "numpy", outcomes = {}, task = null } = {}) {
  try {
    const said = task ? checkNumbers(task, answer) : CHECKERS[id](answer, framework, outcomes);
    return { right: true, message: `Right. ${said}` };
  } catch (error) {
    if (!(error instanceof Wrong)) throw error;
    return { right: false, message: `Wrong. ${error.message}` };
  }
}

/** The cross-correlation with [[1, -1]]. */
function difference(X) {
  return X.map((row) => row.slice(1).map((one, j) => row[j] - one));
}

function checkImage(answer) {
  const X = asMatrix(answer, "an image, a matrix of numbers");
  if (isDiagonal(X)) return "Your image has a diagonal edge.";
  const [across, down] = [X, transpose(X)].map((view) => largest(difference(view).flat()));
  if (across === 0 && down === 0)
    throw new Wrong("The image has no diagonal edge: all its pixels are the same, so it has no edges.");
  if (across === 0 || down === 0) {
    const way = across === 0 ? "horizontal" : "vertical";
    throw new Wrong(`The image has no diagonal edge: its edges are all ${way}.`);
  }
  throw new Wrong(
    "The image has no diagonal edge: no edge in it, where neighbours differ by more than half of the " +
      "most that any do, moves on by a column, or a row, again and again in one direction.",
  );
}

/** Whether an image has an edge at an angle; the three ways are those of diagonals.py. */
function isDiagonal(X) {
  if (X.length < 2 || X[0].length < 2) return false;
  const atol = ERROR * largest(X.flat());
  return [X, X.map((row) => [...row].reverse())].some((view) => {
    const corners = build(X.length - 1, X[0].length - 1, (i, j) => ({
      ends: [view[i][j], view[i + 1][j + 1]],
      others: [view[i][j + 1], view[i + 1][j]],
    })).flat();
    if (corners.every(({ ends }) => Math.abs(ends[1] - ends[0]) <= atol) && extent(view) > atol) return true;
    const far = ({ ends, others }) => Math.min(...ends) - Math.max(...others) > extent(view) / 2 + atol;
    if (corners.some(far)) return true;
    return [view, transpose(view)].some((side) =>
      [1, -1].some((sign) =>
        hasStairs(
          difference(side).map((row) => row.map((one) => sign * one)),
          atol,
        ),
      ),
    );
  });
}

/** Whether an edge goes down the rows and steps to the right at least twice, never back. */
function hasStairs(differences, atol) {
  const most = differences.flat().reduce((high, one) => Math.max(high, one), 0);
  if (most <= atol) return false;
  const edge = differences.map((row) => row.map((one) => one > most / 2));
  let steps = edge[0].map((here) => (here ? 0 : -1)); // of the longest staircase that ends here
  return edge.slice(1).some((row, i) => {
    const above = edge[i];
    steps = row.map((here, j) => {
      const fresh = j > 0 && here && above[j - 1] && !row[j - 1] && !above[j];
      return Math.max(here && above[j] ? steps[j] : -1, fresh ? steps[j - 1] + 1 : -1, here ? 0 : -1);
    });
    return steps.some((count) => count >= 2);
  });
}

/** The checker of a part of exercise 1 that asks what becomes of an image. */
function prediction(expected, praise) {
  return (answer) => {
    if (Array.isArray(answer) && answer.length === 2 && shape(answer[0])?.length === 2) {
      const X = asMatrix(answer[0], "a pair (X, result)");
      if (X.length < 2 || X[0].length < 2)
        throw new Wrong(`The image of the pair has the shape ${sizeOf(X)}; take at least 2x2.`);
      const result = expected(X);
      compare(X, answer[1], result);
      return largest(result.flat()) ? OWN : `${OWN} All of it is 0: there was nothing to see.`;
    } else {
      const Y = asMatrix(answer, "the result, a matrix of numbers");
      const side = Math.max(2, Y.length, Y[0].length);
      const X = build(side, side, (i, j) => Number(i === j));
      compare(X, answer, expected(X));
    }
    return praise;
  };
}

/** Two different numbers, with as many digits as show that they differ. */
function apart(one, other) {
  for (let digits = 6; ; digits += 1) {
    const texts = [general(one, digits), general(other, digits)];
    if (texts[0] !== texts[1] || digits === 17) return texts;
  }
}

function sizeOf(A) {
  return tuple([A.length, A[0].length]);
}

function compare(X, answer, expected) {
  const Y = asMatrix(answer, "the result, a matrix of numbers");
  if (sizeOf(Y) !== sizeOf(expected))
    throw new Wrong(
      `For X = ${listed(X)} the result has the shape ${sizeOf(expected)}, and yours ${sizeOf(Y)}.`,
    );
  const bound = ERROR * largest(X.flat());
  expected.forEach((row, i) =>
    row.forEach((one, j) => {
      if (Math.abs(Y[i][j] - one) <= bound) return;
      const [wanted, got] = apart(one, Y[i][j]);
      throw new Wrong(
        `For X = ${listed(X)} the element (${i}, ${j}) of the result is ${wanted}, and in yours ${got}.`,
      );
    }),
  );
}

const NOTHING = /(?<![\p{L}\p{N}_])(?:none|nothing|no gradient)/u;
const GRADIENTS = /(?<![\p{L}\p{N}_])(?:gradient|no error|works|fine|ok(?![\p{L}\p{N}_]))/u;
const ERRORS = /error|exception|raise|fail|crash|place/;

function checkGradient(answer, framework, outcomes) {
  const claims = answer instanceof Map && answer.size ? answer : new Map([[framework, answer]]);
  const frameworks = new Set();
  for (const [name, claim] of claims) {
    const said = kindOf(claim);
    const seen = outcomeIn((typeof name === "string" ? name : repr(name)).toLowerCase(), outcomes);
    frameworks.add(seen.framework);
    if (said !== seen.kind)
      throw new Wrong(
        `In ${seen.framework} the outcome is '${seen.kind}', not '${said}': differentiating gives ` +
          `${seen.text}. ${seen.reason}`,
      );
  }
  return `That is what happens in ${[...frameworks].join(", ")}.`;
}

/** An outcome in words, or as the thing itself, as one of the three kinds. */
function kindOf(claim) {
  if (claim === null) return "none";
  if (claim === true || claim instanceof Tensor) return "gradient";
  const text = typeof claim === "string" ? claim.toLowerCase() : "";
  if (NOTHING.test(text)) return "none";
  if (GRADIENTS.test(text)) return "gradient";
  if (ERRORS.test(text)) return "error";
  throw new Wrong(
    `${repr(claim)} is not one of the outcomes: 'gradient', 'none' or 'error'. Answer with a ` +
      "dictionary of outcomes by framework, with one for the framework in force, or with a " +
      "function of X and K that can be differentiated.",
  );
}

function outcomeIn(name, outcomes) {
  const found = outcomes[name] ?? Object.values(outcomes).find(({ aliases }) => aliases.includes(name));
  if (found) return found;
  throw new Undecided(`unknown backend ${repr(name)}. Known: ${Object.keys(outcomes).join(", ")}.`);
}

// Exercise 4 is checked for the lesson's image and kernel.

/** One row for each window of the image. */
function windows() {
  return build(4, 4, (row, column) => LESSON.X[(row >> 1) + (column >> 1)][(row & 1) + (column & 1)]);
}

/** One row for each window: what each pixel is multiplied by in it. */
function toeplitz() {
  return build(4, 9, (row, column) => {
    const [a, b] = [Math.floor(column / 3) - (row >> 1), (column % 3) - (row & 1)];
    return LESSON.K[a]?.[b] ?? 0;
  });
}

/** The two usual orders of the elements of a square, each with its name. */
function orders(side) {
  const places = build(side, side, (i, j) => side * i + j);
  return [
    ["row by row", places.flat()],
    ["column by column", transpose(places).flat()],
  ];
}

/** Whether two vectors or matrices are equal, up to the rounding of a few operations. */
function isSame(A, B, error = ERROR) {
  const [all, others] = [A.flat(), B.flat()];
  if (A.length !== B.length || all.length !== others.length) return false;
  return largest(all.map((one, n) => one - others[n])) <= error * largest(others);
}

/** A matrix times a vector. */
function times(A, vector) {
  return A.map((row) => row.reduce((total, a, n) => total + a * vector[n], 0));
}

/** The name of the order in which these are the elements of the cross-correlation. */
function outputOrder(values, error) {
  const Y = corr2d(LESSON.X, LESSON.K).flat();
  return orders(2).find(([, order]) =>
    isSame(
      values,
      order.map((place) => Y[place]),
      error,
    ),
  )?.[0];
}

/** The checker of a part of exercise 4: which matrix, and what it is multiplied by. */
function multiplication(expected, flattened) {
  return (answer) => {
    const other = flattened === "kernel" ? LESSON.K : LESSON.X;
    const said = `For X = ${listed(LESSON.X)} and K = ${listed(LESSON.K)}`;
    if (answer instanceof Tuple && answer.length === 2) return multiplied(answer, said);
    const [A, T] = [expected(), asMatrix(answer, "a matrix", true)];
    const layout = layoutOf(T, A, other.length);
    if (layout) return praise(layout, flattened);
    const ready = sizeOf(T) === "(2, 2)" || T.length === 1 || T[0].length === 1;
    if (ready && outputOrder(T.flat()))
      throw new Wrong(
        "These are the elements of the cross-correlation already. Answer with the " +
          `matrix that gives them when it is multiplied by the flattened ${flattened}.`,
      );
    return reject(T, A, other.flat(), flattened, said);
  };
}

/** The orders in which a matrix is this one, and whether it is transposed; undefined if it is not. */
function layoutOf(T, A, side) {
  for (const transposed of [false, true])
    for (const [rows, row] of orders(2))
      for (const [columns, column] of orders(side)) {
        const B = row.map((i) => column.map((j) => A[i][j]));
        const layout = transposed ? transpose(B) : B;
        if (sizeOf(T) === sizeOf(layout) && isSame(T, layout)) return { rows, columns, transposed };
      }
  return undefined;
}

function praise({ rows, columns, transposed }, flattened) {
  const vector = `${flattened} flattened ${columns}`;
  const how = transposed ? `The ${vector} times your matrix` : `Your matrix times the ${vector}`;
  return `${how} is the cross-correlation${rows === "row by row" ? "" : `, ${rows}`}.`;
}

/** Say for which flattened kernel, or image, a matrix does not give what it should. */
function reject(T, A, vector, flattened, said) {
  if (![A, transpose(A)].some((one) => sizeOf(one) === sizeOf(T)))
    throw new Wrong(
      `${said}, the matrix needs a row for each of the ${A.length} windows, and a column for each of ` +
        `the ${A[0].length} elements of the ${flattened}; yours has the shape ${sizeOf(T)}.`,
    );
  const straight = sizeOf(T) === sizeOf(A);
  const B = straight ? T : transpose(T);
  const order = straight ? "" : ", transposed,";
  if (!isSame(times(B, vector), times(A, vector)))
    throw new Wrong(
      `${said}, your matrix${order} times the ${flattened} flattened row by row, ${listed(vector)}, ` +
        `is ${listed(times(B, vector))}; it should be ${listed(times(A, vector))}.`,
    );
  const off = vector.map((_, j) => largest(A.map((row, i) => B[i][j] - row[j])));
  const worst = off.indexOf(Math.max(...off));
  const unit = vector.map((_, j) => Number(j === worst));
  throw new Wrong(
    `${said}, your matrix${order} is right for this ${flattened}, and not for every one: times the ` +
      `flattened ${flattened} ${listed(unit)} it is ${listed(times(B, unit))}, and should be ` +
      `${listed(times(A, unit))}.`,
  );
}

/** The verdict on a pair of matrices to multiply. */
function multiplied(pair, said) {
  const what = "a matrix, or a pair of matrices to multiply";
  const A = asMatrix(pair[0], what);
  let B = asMatrix(pair[1], what, true);
  if (A[0].length !== B.length) B = transpose(B);
  if (A[0].length !== B.length)
    throw new Wrong(`${said}, the shapes ${sizeOf(A)} and ${sizeOf(B)} do not multiply.`);
  const columns = transpose(B).map((column) => times(A, column));
  const found = transpose(columns).flat();
  const order = outputOrder(found, 2 * ERROR);
  if (order) return `The product is the cross-correlation${order === "row by row" ? "" : `, ${order}`}.`;
  const Y = corr2d(LESSON.X, LESSON.K).flat();
  throw new Wrong(`${said}, the product is ${listed(found)}, and the cross-correlation ${listed(Y)}.`);
}
