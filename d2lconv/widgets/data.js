// The verdict on an answer to an exercise that is data, as d2lconv/exercise/data.py gives it.
import { ERROR, Wrong, asNumbers, general, largest, tuple } from "./python.js";

/** The shape and the numbers of nested arrays. */
function flattened(values) {
  const sizes = [];
  for (let one = values; Array.isArray(one); [one] = one) sizes.push(one.length);
  return { sizes, values: [values].flat(Infinity) };
}

/** What rounding may have changed, which is never as much as one, for who counts. */
function allowed(values) {
  return Math.min(ERROR * largest(values), 0.25);
}

function agree(one, other) {
  if (one.sizes.join() !== other.sizes.join()) return false;
  const bound = allowed(other.values);
  return one.values.every((value, n) => Math.abs(value - other.values[n]) <= bound);
}

/** What is said of a right answer; a wrong one is an error. */
export function checkNumbers({ form, expected, right, slips, labels }, answer) {
  const wanted = flattened(expected);
  const found = asNumbers(answer, form, wanted.sizes.length);
  if (!found.values.length || !found.values.every(Number.isFinite))
    throw new Wrong(`The answer should be ${form}, of finite numbers.`);
  for (const [slip, reason] of slips) if (agree(found, flattened(slip))) throw new Wrong(reason);
  if (found.sizes.join() !== wanted.sizes.join())
    throw new Wrong(`The answer should be ${form}, and has the shape ${tuple(found.sizes)}.`);
  if (agree(found, wanted)) return right;
  const bound = allowed(wanted.values);
  let n = found.values.findIndex((one, at) => !(Math.abs(one - wanted.values[at]) <= bound));
  const value = general(found.values[n]);
  const place = found.sizes.toReversed().map((size) => {
    const at = n % size;
    n = (n - at) / size;
    return at;
  });
  if (labels.length) throw new Wrong(`For ${labels[place.at(-1)]} it is not ${value}.`);
  if (!place.length) throw new Wrong(`It is not ${value}.`);
  throw new Wrong(`The element ${place.length > 1 ? tuple(place.toReversed()) : place[0]} is not ${value}.`);
}
