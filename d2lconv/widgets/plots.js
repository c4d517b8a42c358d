// The drawings of the learning loop: the loss surface, and the losses step by step.
import { clamp, drawn, shown } from "./common.js";

const BANDS = 13;
const CIVIDIS = [
  [0, 34, 78],
  [47, 71, 108],
  [103, 105, 112],
  [157, 143, 113],
  [217, 186, 85],
  [254, 232, 56],
];
const PLOT = { width: 300, height: 170, left: 42, right: 8, top: 8, bottom: 30 };

function band(share) {
  const place = clamp(share, 0, 1) * (CIVIDIS.length - 1);
  const n = Math.min(Math.floor(place), CIVIDIS.length - 2);
  return CIVIDIS[n].map((low, channel) => low + (CIVIDIS[n + 1][channel] - low) * (place - n));
}

/** A star around a point, as a path. */
export function star(x, y) {
  const corner = (n) => [
    x + (n % 2 ? 4 : 10) * Math.sin((n * Math.PI) / 5),
    y - (n % 2 ? 4 : 10) * Math.cos((n * Math.PI) / 5),
  ];
  return `M${Array.from({ length: 10 }, (_, n) =>
    corner(n)
      .map((v) => v.toFixed(2))
      .join(" "),
  ).join("L")}Z`;
}

/** The surface in bands that are even in the root of the loss, which grows with the distance. */
export function paint(canvas, loss, [cx, cy], reach) {
  const context = canvas.getContext("2d");
  const side = canvas.width;
  const pixels = context.createImageData(side, side);
  const at = (n) => ((n + 0.5) / side) * 2 * reach - reach;
  const root = (k, l) => Math.sqrt(Math.max(0, loss(k, l)));
  const most = Math.max(root(cx - reach, cy - reach), root(cx + reach, cy - reach));
  for (let n = 0; n < side * side; n += 1) {
    const share = root(cx + at(n % side), cy - at(Math.floor(n / side))) / most;
    const colour = band(Math.floor(share * BANDS) / (BANDS - 1));
    pixels.data.set([...colour, 255], 4 * n);
  }
  context.putImageData(pixels, 0, 0);
}

/** A loss as the lesson prints it. */
export function number(value) {
  return value < 1e6 ? value.toFixed(3) : value.toExponential(2);
}

/** The losses on a logarithmic scale. */
export function plot(curve, losses, done) {
  const epochs = losses.length;
  const { width, height, left, right, top, bottom } = PLOT;
  const logs = losses.map((value) => Math.log10(Math.max(value, 1e-12)));
  const low = Math.floor(Math.min(...logs, -1));
  const high = Math.ceil(Math.max(...logs, 1));
  const x = (n) => left + ((n - 1) / Math.max(1, epochs - 1)) * (width - left - right);
  const y = (log) => top + ((high - log) / (high - low)) * (height - top - bottom);
  const every = Math.max(1, Math.ceil((high - low) / 5));
  const lines = [];
  for (let log = low; log <= high; log += every) {
    lines.push(
      drawn("line", { class: "grid", x1: left, x2: width - right, y1: y(log), y2: y(log) }),
      drawn("text", { x: left - 6, y: y(log) + 4, "text-anchor": "end" }, shown(10 ** log, 1)),
    );
  }
  for (let n = 1; n <= epochs; n += 1)
    if (n === 1 || n % Math.ceil(epochs / 5) === 0)
      lines.push(drawn("text", { x: x(n), y: height - 15, "text-anchor": "middle" }, String(n)));
  const shownLogs = logs.slice(0, done);
  curve.replaceChildren(
    ...lines,
    drawn(
      "text",
      { x: (left + width) / 2, y: height - 2, "text-anchor": "middle" },
      "loss before each step, by epoch",
    ),
    drawn("polyline", {
      class: "losses",
      points: shownLogs.map((log, n) => `${x(n + 1)},${y(log)}`).join(" "),
    }),
    ...shownLogs.map((log, n) => drawn("circle", { class: "loss", cx: x(n + 1), cy: y(log), r: 3.5 })),
  );
  curve.setAttribute(
    "aria-label",
    `Losses so far: ${losses.slice(0, done).map(number).join(", ") || "none"}`,
  );
}
