// The edge detector: a kernel, and what it makes of a picture that the reader draws or loads.
import { build, corr2d, matrix, transpose } from "./arithmetic.js";
import {
  arrow, button, chooser, clamp, diverging, element, fields, fitting, ink, living, save, shown, state,
} from "./common.js";

const EDGES = Array.from({ length: 6 }, () => [1, 1, 0, 0, 0, 0, 1, 1]);
const defaults = { image: EDGES, kernel: [[1, -1]] };
const KERNELS = {
  "Vertical edges, 1×2": [[1, -1]],
  "Horizontal edges, 2×1": [[1], [-1]],
  "Sobel, to the right": [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]],
  "Sobel, down": [[-1, -2, -1], [0, 0, 0], [1, 2, 1]],
  "Laplacian": [[0, 1, 0], [1, -4, 1], [0, 1, 0]],
  "Lines, second derivative": [[1, -2, 1]],
  "Blur, 3×3": build(3, 3, () => 1 / 9),
  "Sharpen": [[0, -1, 0], [-1, 5, -1], [0, -1, 0]],
  "Identity": [[0, 0, 0], [0, 1, 0], [0, 0, 0]],
};
const NUMBERED = 200; // up to so many elements, their numbers are written on them
const LARGEST = 96; // pixels of a side of a picture that is loaded

/** The brightness of a picture's pixels, 0 to 1, scaled down to what can be seen here. */
async function read(file) {
  const picture = await createImageBitmap(file);
  const scale = Math.min(1, LARGEST / Math.max(picture.width, picture.height));
  const [width, height] = [picture.width, picture.height].map((n) => Math.max(1, Math.round(n * scale)));
  const context = element("canvas", { width, height }).getContext("2d");
  context.drawImage(picture, 0, 0, width, height);
  const { data } = context.getImageData(0, 0, width, height);
  const bright = (n) => (0.2126 * data[n] + 0.7152 * data[n + 1] + 0.0722 * data[n + 2]) / 255;
  return build(height, width, (i, j) => bright(4 * (i * width + j)));
}

function draw({ model, el }) {
  let { image, kernel } = state(model, defaults);
  [image, kernel] = [matrix(image), matrix(fitting(kernel, image))];
  let brush = 0;
  let cursor = [0, 0];

  const drawing = element("canvas", { class: "drawing", tabindex: 0, role: "application", onkeydown: keys,
    onpointerdown: start, onpointermove: point });
  const answer = element("canvas", { role: "img", onpointermove: point });
  const [imageSize, answerSize] = [0, 1].map(() => element("span", { class: "soft" }));
  const kernelBox = element("div", { class: "kernel" });
  const status = element("p", { class: "status", "aria-live": "polite" });
  const readout = element("p", { class: "readout" }, "\u00a0");
  const legend = element("div", { class: "legend" });
  const file = element("input", { type: "file", accept: "image/*", class: "file", onchange: load });
  const choice = chooser("Kernel", [...Object.keys(KERNELS).map((name) => [name, name]), ["", "my own"]], "", (name) => {
    if (KERNELS[name]) use(KERNELS[name]);
  });
  const paints = chooser("Brush", [["0", "black"], ["0.5", "grey"], ["1", "white"]], "0", (value) => (brush = Number(value)));
  const side = (canvas, name, size, below) => element("div", { class: "panel" },
    element("div", { class: "name" }, name, size), canvas, below);
  el.append(element("section", { class: "d2lconv edges", "aria-label": "The edge detector" },
    element("div", { class: "controls" }, choice.label, kernelBox),
    element("div", { class: "stage" },
      side(drawing, "Image", imageSize, element("p", { class: "hint" }, "Draw on it: press and drag.")),
      element("div", { class: "together" }, element("div", { class: "sign", "aria-hidden": "true" }, "→"),
        side(answer, "Output", answerSize, legend))),
    status, readout,
    element("div", { class: "controls" }, paints.label,
      button("Stripe 6×8", () => picture(EDGES)), button("Turn the image", () => picture(transpose(image))),
      button("Blank 32×32", () => picture(build(32, 32, () => 1))),
      element("label", { class: "loader" }, "Your picture (it stays here) ", file))));

  function picture(pixels) {
    image = matrix(pixels);
    cursor = [0, 0];
    use(matrix(fitting(kernel, image)));
  }

  function use(weights) {
    const fits = weights.length <= image.length && weights[0].length <= image[0].length;
    if (!fits) status.textContent = "This kernel is larger than the image.";
    if (fits) {
      kernel = matrix(weights);
      const { grid } = fields("Kernel", kernel, (i, j, value) => {
        kernel[i][j] = value;
        update();
      });
      kernelBox.replaceChildren(grid);
    }
    update();
  }

  /** One scale for a matrix: grey from 0 if nothing is negative, else blue, white and red. */
  function scale(values) {
    const all = values.flat();
    const limit = all.reduce((most, value) => Math.max(most, Math.abs(value)), 0) || 1;
    const signed = all.some((value) => value < 0);
    const colour = (value) => signed ? diverging(value / limit) : Array(3).fill(Math.round((255 * value) / limit));
    return { limit, signed, colour };
  }

  function paint(canvas, values, colour, marked) {
    const [height, width] = [values.length, values[0].length];
    const unit = Math.max(1, Math.floor(640 / Math.max(height, width)));
    Object.assign(canvas, { width: width * unit, height: height * unit });
    canvas.style.setProperty("--ratio", width / height);
    canvas.style.setProperty("--share", width / Math.max(image.length, image[0].length));
    const context = canvas.getContext("2d");
    const text = height * width <= NUMBERED;
    context.font = `${unit * 0.34}px system-ui, sans-serif`;
    Object.assign(context, { textAlign: "center", textBaseline: "middle", strokeStyle: "#8888", lineWidth: 2 });
    values.forEach((row, i) => row.forEach((value, j) => {
      const rgb = colour(value);
      context.fillStyle = `rgb(${rgb})`;
      context.fillRect(j * unit, i * unit, unit, unit);
      if (!text) return;
      context.strokeRect(j * unit, i * unit, unit, unit);
      context.fillStyle = ink(rgb);
      context.fillText(shown(value, 2), (j + 0.5) * unit, (i + 0.5) * unit);
    }));
    if (!marked) return;
    Object.assign(context, { strokeStyle: "#d55e00", lineWidth: Math.max(2, unit * 0.08) });
    context.strokeRect(cursor[1] * unit + 2, cursor[0] * unit + 2, unit - 4, unit - 4);
  }

  function update() {
    const Y = corr2d(image, kernel);
    save(model, { kernel, image });
    const same = Object.keys(KERNELS).find((name) => matrix(KERNELS[name]).join(";") === kernel.join(";") && KERNELS[name].length === kernel.length);
    choice.select.value = same ?? "";
    paint(drawing, image, (value) => Array(3).fill(Math.round(255 * clamp(value, 0, 1))), drawing.matches(":focus-visible"));
    const { limit, signed, colour } = scale(Y);
    paint(answer, Y, colour);
    imageSize.textContent = ` ${image.length}×${image[0].length}`;
    answerSize.textContent = ` ${Y.length}×${Y[0].length}`;
    drawing.setAttribute("aria-label", `Image, ${image.length} by ${image[0].length}. Arrow keys move, space paints`);
    const [low, high] = Y.flat().reduce(([least, most], value) => [Math.min(least, value), Math.max(most, value)], [Infinity, -Infinity]);
    const words = low === 0 && high === 0 ? "The output is 0 everywhere: this kernel finds nothing here."
      : `The output goes from ${shown(low)} to ${shown(high)}.`;
    status.textContent = words;
    answer.setAttribute("aria-label", `Output. ${words}`);
    legend.className = `legend ${signed ? "signed" : ""}`;
    legend.replaceChildren(...(signed ? [-limit, 0, limit] : [0, limit]).map((value) => element("span", {}, shown(value, 3))));
  }

  function cell(event, canvas) {
    const values = canvas === drawing ? image : corr2d(image, kernel);
    const box = canvas.getBoundingClientRect();
    const at = (from, length, by, count) => clamp(Math.floor(((by - from) / length) * count), 0, count - 1);
    const [i, j] = [at(box.top, box.height, event.clientY, values.length), at(box.left, box.width, event.clientX, values[0].length)];
    return { i, j, value: values[i][j] };
  }

  function point(event) {
    const canvas = event.currentTarget;
    const { i, j, value } = cell(event, canvas);
    if (canvas === drawing && event.buttons & 1) dot(i, j, brush);
    else tell(canvas === drawing ? "X" : "Y", i, j, value);
  }

  function tell(name, i, j, value) {
    readout.textContent = `${name}[${i}, ${j}] = ${shown(value)}`;
  }

  function start(event) {
    drawing.setPointerCapture(event.pointerId);
    const { i, j } = cell(event, drawing);
    dot(i, j, brush);
  }

  function dot(i, j, value) {
    cursor = [i, j];
    image[i][j] = value;
    update();
    tell("X", i, j, value);
  }

  function keys(event) {
    const by = arrow(event);
    if (!by && event.key !== " ") return;
    event.preventDefault();
    if (by) cursor = cursor.map((place, axis) => clamp(place + by[axis], 0, [image.length, image[0].length][axis] - 1));
    else dot(...cursor, brush);
    update();
    tell("X", ...cursor, image[cursor[0]][cursor[1]]);
  }

  async function load() {
    try {
      if (file.files.length) picture(await read(file.files[0]));
    } catch {
      status.textContent = "The browser cannot read this file as a picture.";
    }
  }

  for (const name of ["focus", "blur"]) drawing.addEventListener(name, update);
  use(kernel);
}

export const render = living(draw, defaults);
export default { render };
