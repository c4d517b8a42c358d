// From strokes to an image as MNIST has them: the ink as large as 20x20 pixels, and its centre of mass at the
// pixel (14, 14) of 28x28. Nothing here knows of a page. A stroke is a list of points [x, y].
import { build } from "./arithmetic.js";
import { clamp } from "./common.js";

const SIDE = 28;
const INKED = 20; // the longer side of what is drawn
const RADIUS = 1.2; // of the pen, which has a soft edge of one pixel
const LEAST = 0.1; // of the sheet: what is smaller, such as a dot, is not made as large

/** How far a point is from the line between two others. */
function distance(x, y, [ax, ay], [bx, by]) {
  const [dx, dy] = [bx - ax, by - ay];
  const along = clamp(((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy || 1), 0, 1);
  return Math.hypot(x - ax - along * dx, y - ay - along * dy);
}

/** The ink on the pixels, 0 to 1 in steps of 1/255. */
function inked(strokes) {
  const lines = strokes.flatMap((stroke) => stroke.map((to, n) => [stroke[Math.max(n - 1, 0)], to]));
  return build(SIDE, SIDE, (i, j) => {
    const near = Math.min(...lines.map(([from, to]) => distance(j, i, from, to)));
    return Math.fround(Math.round(255 * clamp(RADIUS + 0.5 - near, 0, 1)) / 255);
  });
}

/** The mean place of the ink, right and down. */
function middle(image) {
  let [ink, right, down] = [0, 0, 0];
  image.forEach((row, i) =>
    row.forEach((value, j) => {
      ink += value;
      right += value * j;
      down += value * i;
    }),
  );
  return [right / ink, down / ink];
}

/** The image of strokes on a sheet whose side is 1. */
export function drawing(strokes) {
  if (!strokes.length) return build(SIDE, SIDE, () => 0);
  const ends = [0, 1].map((axis) => {
    const places = strokes.flat().map((point) => point[axis]);
    return [Math.min(...places), Math.max(...places)];
  });
  const scale = (INKED - 2 * RADIUS) / Math.max(...ends.map(([low, high]) => high - low), LEAST);
  const placed = (at) =>
    strokes.map((stroke) =>
      stroke.map((point) => point.map((one, axis) => (one - (ends[axis][0] + ends[axis][1]) / 2) * scale + at[axis])),
    );
  const half = SIDE / 2;
  const mass = middle(inked(placed([half, half])));
  return inked(placed(mass.map((one) => SIDE - one)));
}
