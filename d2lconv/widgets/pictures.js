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

// 0 is black in every picture, as it is in an image: from there to orange and to blue.
const POSITIVE = [[224, 122, 31], [255, 227, 194]];
const NEGATIVE = [[47, 143, 224], [207, 232, 255]];

/** Orange for positive, black for 0, blue for negative numbers, the lighter the larger. */
function diverging(share) {
  const [middle, end] = share < 0 ? NEGATIVE : POSITIVE;
  const part = 2 * Math.min(1, Math.abs(share));
  return end.map((channel, n) =>
    Math.round(part < 1 ? middle[n] * part : middle[n] + (channel - middle[n]) * (part - 1)),
  );
}

/** Black or white, whichever is easier to read on a colour. */
function ink([r, g, b]) {
  const linear = [r, g, b].map((c) => ((c / 255 + 0.055) / 1.055) ** 2.4);
  return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2] > 0.18 ? "#000" : "#fff";
}

/** One scale for a matrix: grey from 0 if nothing is negative, else blue, black and orange. What a kernel
 * makes of an image whose brightness it keeps, as blurs and sharpening do, is grey as the image is. */
export function scale(values, image = null, kernel = [[0]]) {
  const keeps = image && Math.abs(kernel.flat().reduce((sum, k) => sum + k, 0) - 1) < 1e-3;
  const all = (keeps ? image : values).flat();
  const limit = all.reduce((most, value) => Math.max(most, Math.abs(value)), 0) || 1;
  const signed = all.some((value) => value < 0);
  const grey = (value) => Math.round(255 * Math.min(1, Math.max(0, value / limit)));
  const colour = (value) => (signed ? diverging(value / limit) : Array(3).fill(grey(value)));
  return { limit, signed, colour };
}

/** Brightness from text: the bytes of a square picture, in base64. */
export function unpacked(text) {
  const bytes = Uint8Array.from(atob(text), (one) => one.charCodeAt(0));
  const side = Math.sqrt(bytes.length);
  return build(side, side, (i, j) => bytes[i * side + j] / 255);
}

/** A matrix on a canvas that has a pixel for each element. */
export function dots(canvas, values, colour) {
  const [height, width] = [values.length, values[0].length];
  Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d");
  const pixels = context.createImageData(width, height);
  pixels.data.set(values.flat().flatMap((value) => [...colour(value), 255]));
  context.putImageData(pixels, 0, 0);
}

/** A matrix on a canvas, with its numbers if they are few, and a frame if there is one to draw: its row
 * and column, and its height and width unless they are 1. */
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
  Object.assign(context, { strokeStyle: "#d55e00", lineWidth: Math.max(pixels / 128, unit * 0.08) });
  const [row, column, high = 1, wide = 1] = cursor;
  context.strokeRect(column * unit + 2, row * unit + 2, wide * unit - 4, high * unit - 4);
}
