// Pictures as matrices: read from a file, coloured, and painted.
import { build } from "./arithmetic.js";
import { element, shown } from "./common.js";

const NUMBERED = 200; // up to so many elements, their numbers are written on them
const LARGEST = 96; // pixels of a side of a picture that is loaded

/** The brightness of a picture's pixels, 0 to 1, scaled down to what can be seen here. */
export async function read(file) {
  const picture = await createImageBitmap(file);
  const scale = Math.min(1, LARGEST / Math.max(picture.width, picture.height));
  const [width, height] = [picture.width, picture.height].map((n) => Math.max(1, Math.round(n * scale)));
  const context = element("canvas", { width, height }).getContext("2d");
  context.drawImage(picture, 0, 0, width, height);
  const { data } = context.getImageData(0, 0, width, height);
  const bright = (n) => (0.2126 * data[n] + 0.7152 * data[n + 1] + 0.0722 * data[n + 2]) / 255;
  return build(height, width, (i, j) => bright(4 * (i * width + j)));
}

/** Red for positive, white for 0, blue for negative numbers; the ends are ColorBrewer's RdBu. */
function diverging(share) {
  const end = share < 0 ? [33, 102, 172] : [178, 24, 43];
  const part = Math.min(1, Math.abs(share));
  return end.map((channel) => Math.round(255 + (channel - 255) * part));
}

/** Black or white, whichever is easier to read on a colour. */
function ink([r, g, b]) {
  const linear = [r, g, b].map((c) => ((c / 255 + 0.055) / 1.055) ** 2.4);
  return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2] > 0.18 ? "#000" : "#fff";
}

/** One scale for a matrix: grey from 0 if nothing is negative, else blue, white and red. */
export function scale(values) {
  const all = values.flat();
  const limit = all.reduce((most, value) => Math.max(most, Math.abs(value)), 0) || 1;
  const signed = all.some((value) => value < 0);
  const colour = (value) =>
    signed ? diverging(value / limit) : Array(3).fill(Math.round((255 * value) / limit));
  return { limit, signed, colour };
}

/** A matrix on a canvas, with its numbers if they are few, and a frame around the cursor if there is one. */
export function paint(canvas, values, colour, cursor = null, pixels = 640) {
  const [height, width] = [values.length, values[0].length];
  const unit = Math.max(1, Math.floor(pixels / Math.max(height, width)));
  Object.assign(canvas, { width: width * unit, height: height * unit });
  canvas.style.setProperty("--ratio", width / height);
  const context = canvas.getContext("2d");
  const text = height * width <= NUMBERED;
  context.font = `${unit * 0.34}px system-ui, sans-serif`;
  Object.assign(context, { textAlign: "center", textBaseline: "middle", strokeStyle: "#8888", lineWidth: 2 });
  values.forEach((row, i) =>
    row.forEach((value, j) => {
      const rgb = colour(value);
      context.fillStyle = `rgb(${rgb})`;
      context.fillRect(j * unit, i * unit, unit, unit);
      if (!text) return;
      context.strokeRect(j * unit, i * unit, unit, unit);
      context.fillStyle = ink(rgb);
      context.fillText(shown(value, 2), (j + 0.5) * unit, (i + 0.5) * unit);
    }),
  );
  if (!cursor) return;
  Object.assign(context, { strokeStyle: "#d55e00", lineWidth: Math.max(2, unit * 0.08) });
  context.strokeRect(cursor[1] * unit + 2, cursor[0] * unit + 2, unit - 4, unit - 4);
}
