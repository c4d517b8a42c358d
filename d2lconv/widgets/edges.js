// The edge detector: a kernel, and what it makes of a picture that the reader draws or loads.
import { build, corr2d, matrix, products, transpose } from "./arithmetic.js";
import {
  arrow,
  asFactor,
  button,
  chooser,
  clamp,
  element,
  fields,
  fitting,
  living,
  save,
  shown,
  state,
} from "./common.js";
import { paint, read, scale, unpacked } from "./pictures.js";

const EDGES = Array.from({ length: 6 }, () => [1, 1, 0, 0, 0, 0, 1, 1]);
const TERMS = 9; // so many products are written out
const defaults = { image: EDGES, kernel: [[1, -1]], photographs: {} };
const KERNELS = {
  "Vertical edges, 1×2": [[1, -1]],
  "Horizontal edges, 2×1": [[1], [-1]],
  "Sobel, to the right": [
    [-1, 0, 1],
    [-2, 0, 2],
    [-1, 0, 1],
  ],
  "Sobel, down": [
    [-1, -2, -1],
    [0, 0, 0],
    [1, 2, 1],
  ],
  Laplacian: [
    [0, 1, 0],
    [1, -4, 1],
    [0, 1, 0],
  ],
  "Lines, second derivative": [[1, -2, 1]],
  "Blur, 3×3": build(3, 3, () => 1 / 9),
  Sharpen: [
    [0, -1, 0],
    [-1, 5, -1],
    [0, -1, 0],
  ],
  Identity: [
    [0, 0, 0],
    [0, 1, 0],
    [0, 0, 0],
  ],
};
function draw({ model, el }) {
  let { image, kernel, photographs } = state(model, defaults);
  [image, kernel] = [matrix(image), matrix(fitting(kernel, image))];
  let brush = 0;
  let cursor = [0, 0];
  let pointed = null; // what the readout is about: a name and a place
  let last = null; // where the stroke has come to

  const drawing = element("canvas", {
    class: "drawing",
    tabindex: 0,
    role: "application",
    onkeydown: keys,
    onpointerdown: start,
    onpointermove: point,
    onpointerleave: leave,
  });
  const answer = element("canvas", { role: "img", onpointermove: point, onpointerdown: point, onpointerleave: leave });
  const [imageSize, answerSize] = [0, 1].map(() => element("span", { class: "soft" }));
  const kernelBox = element("div", { class: "kernel" });
  const status = element("p", { class: "status", "aria-live": "polite" });
  const readout = element("p", { class: "readout" }, "\u00a0");
  const legend = element("div", { class: "legend" });
  const file = element("input", { type: "file", accept: "image/*", class: "file", onchange: load });
  const choice = chooser(
    "Kernel",
    [...Object.keys(KERNELS).map((name) => [name, name]), ["", "my own"]],
    "",
    (name) => {
      if (KERNELS[name]) use(KERNELS[name]);
    },
  );
  const paints = chooser(
    "Brush",
    [
      ["0", "black"],
      ["0.5", "grey"],
      ["1", "white"],
    ],
    "0",
    (value) => (brush = Number(value)),
  );
  const side = (canvas, name, size, below) =>
    element("div", { class: "panel" }, element("div", { class: "name" }, name, size), canvas, below);
  el.append(
    element(
      "div",
      { role: "region", class: "d2lconv edges", "aria-label": "The edge detector" },
      element("div", { class: "toolbar" }, choice.label, kernelBox),
      element(
        "div",
        { class: "stage" },
        side(drawing, "Image", imageSize, element("p", { class: "hint" }, "Draw on it: press and drag.")),
        element(
          "div",
          { class: "together" },
          element("div", { class: "sign", "aria-hidden": "true" }, "→"),
          side(answer, "Output", answerSize, legend),
        ),
      ),
      status,
      readout,
      element(
        "div",
        { class: "toolbar" },
        paints.label,
        button("Stripe 6×8", () => picture(EDGES)),
        button("Turn the image", () => picture(transpose(image))),
        button("Blank 32×32", () => picture(build(32, 32, () => 1))),
        ...Object.entries(photographs).map(([name, text]) =>
          button(`Photograph: ${name}`, () => picture(unpacked(text))),
        ),
        element("label", { class: "loader" }, "Your picture (it stays here) ", file),
      ),
    ),
  );

  function picture(pixels) {
    image = matrix(pixels);
    cursor = [0, 0];
    pointed = null;
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

  function update() {
    const Y = corr2d(image, kernel);
    if (pointed?.name === "Y" && !(pointed.i < Y.length && pointed.j < Y[0].length)) pointed = null;
    save(model, { kernel, image });
    const same = Object.keys(KERNELS).find(
      (name) =>
        matrix(KERNELS[name]).join(";") === kernel.join(";") && KERNELS[name].length === kernel.length,
    );
    choice.select.value = same ?? "";
    paintImage();
    tell(Y);
    const { limit, signed, colour } = scale(Y, image, kernel);
    paint(answer, Y, colour);
    const side = Math.max(image.length, image[0].length); // both pictures have pixels of one size
    drawing.style.setProperty("--share", image[0].length / side);
    answer.style.setProperty("--share", Y[0].length / side);
    imageSize.textContent = ` ${image.length}×${image[0].length}`;
    answerSize.textContent = ` ${Y.length}×${Y[0].length}`;
    drawing.setAttribute(
      "aria-label",
      `Image, ${image.length} by ${image[0].length}. Arrow keys move, space paints`,
    );
    const [low, high] = Y.flat().reduce(
      ([least, most], value) => [Math.min(least, value), Math.max(most, value)],
      [Infinity, -Infinity],
    );
    const words =
      low === 0 && high === 0
        ? "The output is 0 everywhere: this kernel finds nothing here."
        : `The output goes from ${shown(low)} to ${shown(high)}.`;
    status.textContent = words;
    answer.setAttribute("aria-label", `Output. ${words}`);
    legend.className = `legend ${signed ? "signed" : ""}`;
    legend.replaceChildren(
      ...(signed ? [-limit, 0, limit] : [0, limit]).map((value) => element("span", {}, shown(value, 3))),
    );
  }

  /** The image, with the window that the reader points at, or the cursor. */
  function paintImage() {
    const at = drawing.matches(":focus-visible") ? cursor : null;
    const window = pointed?.name === "Y" ? [pointed.i, pointed.j, kernel.length, kernel[0].length] : at;
    paint(drawing, image, (value) => Array(3).fill(Math.round(255 * clamp(value, 0, 1))), window);
  }

  function cell(event, canvas) {
    const [high, wide] = canvas === drawing ? [0, 0] : [kernel.length - 1, kernel[0].length - 1];
    const box = canvas.getBoundingClientRect();
    const at = (from, length, by, count) => clamp(Math.floor(((by - from) / length) * count), 0, count - 1);
    const [i, j] = [
      at(box.top, box.height, event.clientY, image.length - high),
      at(box.left, box.width, event.clientX, image[0].length - wide),
    ];
    return { i, j };
  }

  function point(event) {
    const canvas = event.currentTarget;
    const { i, j } = cell(event, canvas);
    if (canvas === drawing && event.buttons & 1 && last) return stroke(i, j);
    pointed = { name: canvas === drawing ? "X" : "Y", i, j };
    paintImage();
    return tell();
  }

  function leave() {
    if (pointed?.name !== "Y") return;
    pointed = null;
    paintImage();
    tell();
  }

  /** What stands at the place that the reader points at, and for an output, what it is the sum of. */
  function tell(Y = null) {
    if (!pointed) {
      readout.textContent = "Point at an output pixel to see its window and its products.";
      return;
    }
    const { name, i, j } = pointed;
    if (name === "X") readout.textContent = `X[${i}, ${j}] = ${shown(image[i][j])}`;
    else {
      const terms = products(image, kernel, i, j);
      const total = Y ? Y[i][j] : corr2d(rowsOf(i, j), kernel)[0][0];
      const sum = terms.map(({ x, k }) => `${asFactor(x, 3)}·${asFactor(k, 3)}`).join(" + ");
      const spelled = terms.length <= TERMS ? sum : `a sum of ${terms.length} products`;
      readout.textContent = `Y[${i}, ${j}] = ${spelled} = ${shown(total)}`;
    }
  }

  /** The window of the image at a place. */
  function rowsOf(i, j) {
    return build(kernel.length, kernel[0].length, (a, b) => image[i + a][j + b]);
  }

  function start(event) {
    drawing.setPointerCapture(event.pointerId);
    const { i, j } = cell(event, drawing);
    last = [i, j];
    dot(i, j, brush);
  }

  /** Paint from where the stroke was to here: a fast one comes by few places. */
  function stroke(i, j) {
    const [m, n] = last;
    const steps = Math.max(Math.abs(i - m), Math.abs(j - n), 1);
    for (let step = 1; step < steps; step += 1)
      image[Math.round(m + ((i - m) * step) / steps)][Math.round(n + ((j - n) * step) / steps)] = brush;
    last = [i, j];
    dot(i, j, brush);
  }

  function dot(i, j, value) {
    cursor = [i, j];
    image[i][j] = value;
    pointed = { name: "X", i, j };
    update();
  }

  function keys(event) {
    const by = arrow(event);
    if (!by && event.key !== " ") return;
    event.preventDefault();
    if (by)
      cursor = cursor.map((place, axis) =>
        clamp(place + by[axis], 0, [image.length, image[0].length][axis] - 1),
      );
    else dot(...cursor, brush);
    pointed = { name: "X", i: cursor[0], j: cursor[1] };
    update();
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
