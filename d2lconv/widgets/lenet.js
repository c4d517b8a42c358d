// LeNet alive: a digit that the reader draws, what each layer makes of it, and the ten probabilities.
import { matrix } from "./arithmetic.js";
import { button, clamp, drawn, element, living, save, state } from "./common.js";
import { learned, passed, softmax } from "./network.js";
import { drawing } from "./pen.js";
import { dots, scale, unpacked } from "./pictures.js";

const defaults = { image: null, weights: "", digits: [] };
const FIRST = 3; // the digit that is there at the beginning
const BRIGHT = scale([[0, 1]]).colour;
const SIGNED = scale([[-1, 1]]).colour; // tanh goes no further
const STAGES = {
  activation1: "Convolution 5×5, tanh",
  pool1: "Pooling 2×2",
  activation2: "Convolution 5×5, tanh",
  pool2: "Pooling 2×2",
  activation3: "Dense, tanh",
  activation4: "Dense, tanh",
};
const ROW = { activation3: 30, activation4: 28 }; // numbers of a vector beside each other
const NEAR = 0.01; // a stroke's points are no closer than this share of the sheet

/** A vector as rows. */
function rows(values, length) {
  return Array.from({ length: values.length / length }, (_, n) => values.slice(n * length, (n + 1) * length));
}

function percent(share) {
  return `${(100 * share).toFixed(1)}%`;
}

function draw({ model, el }) {
  const { image: given, weights, digits } = state(model, defaults);
  const net = learned(weights);
  let image = matrix(given ?? unpacked(digits[FIRST]));
  let strokes = [];

  const sheet = drawn("svg", {
    class: "sheet",
    viewBox: "0 0 1 1",
    role: "img",
    "aria-label": "A sheet to draw on, with a mouse, a pen or a finger",
    onpointerdown: start,
    onmousedown: (event) => event.preventDefault(), // or marked text is dragged, and the stroke ends
    onpointermove: go,
  });
  const seen = element("canvas", { role: "img" });
  const said = element("p", { class: "status", "aria-live": "polite" });
  const shares = Array.from({ length: 10 }, () => element("span", { class: "share" }));
  const bars = shares.map((share, n) =>
    element("li", {}, element("b", {}, String(n)), element("span", { class: "bar" }), share),
  );
  const stages = element("div", { class: "stages" });
  el.append(
    element(
      "div",
      { role: "region", class: "d2lconv lenet", "aria-label": "LeNet alive" },
      element(
        "div",
        { class: "stage" },
        named("Draw a digit", sheet),
        named(titled("What it sees", "28×28"), seen),
        named("What it reads", element("ol", { class: "shares", "aria-label": "Probabilities" }, ...bars)),
      ),
      said,
      element(
        "div",
        { class: "toolbar" },
        button("Clear the sheet", () => set([], drawing([]))),
        element("span", { class: "hint" }, "or take one that somebody wrote:"),
        element("span", { class: "written", role: "group", "aria-label": "Written digits" }, ...digits.map(sample)),
      ),
      stages,
      element(
        "p",
        { class: "hint" },
        "What you draw is made 20×20 large, and moved until its centre of mass is in the middle, as " +
          "the digits were from which the network learned. Orange is positive, blue is negative, black is 0.",
      ),
    ),
  );

  function named(name, ...parts) {
    return element("div", { class: "panel" }, element("div", { class: "name" }, name), ...parts);
  }

  function titled(name, size) {
    return element("span", {}, name, element("span", { class: "soft" }, ` ${size}`));
  }

  /** A button with a written digit on it, which takes it. */
  function sample(text, n) {
    const pixels = matrix(unpacked(text));
    const picture = element("canvas", { "aria-hidden": "true" });
    dots(picture, pixels, BRIGHT);
    return element(
      "button",
      { type: "button", "aria-label": `A written ${n}`, onclick: () => set([], pixels) },
      picture,
    );
  }

  function set(lines, pixels) {
    strokes = lines;
    image = pixels;
    save(model, { image });
    update();
  }

  function update() {
    sheet.replaceChildren(...(strokes.length ? strokes.map(line) : [drawn("text", { x: 0.5, y: 0.5 }, "here")]));
    dots(seen, image, BRIGHT);
    const found = passed(net, image);
    stages.replaceChildren(...Object.keys(STAGES).map((name) => stage(name, found[name])));
    const probabilities = softmax(found.dense3);
    const largest = Math.max(...probabilities);
    const digit = probabilities.indexOf(largest);
    probabilities.forEach((share, n) => {
      shares[n].textContent = percent(share);
      bars[n].style.setProperty("--share", share);
      bars[n].classList.toggle("most", n === digit);
    });
    const empty = image.flat().every((value) => value === 0);
    const read = `it reads ${digit} (${percent(largest)})`;
    said.textContent = empty
      ? `The sheet is empty, and still ${read}: it knows ten answers, and no other.`
      : `I${read.slice(1)}.`;
    seen.setAttribute("aria-label", empty ? "An empty image" : "The digit, centred");
  }

  /** A stage's maps; a vector is one, in rows. */
  function stage(name, values) {
    const maps = ROW[name] ? [rows(values, ROW[name])] : values;
    const shape = ROW[name] ? `${values.length} numbers` : `${maps.length} of ${maps[0].length}×${maps[0].length}`;
    const canvases = maps.map((map) => {
      const canvas = element("canvas", {});
      dots(canvas, map, SIGNED);
      return canvas;
    });
    const box = element("div", { class: "sheets", role: "img", "aria-label": `${STAGES[name]}: ${shape}` }, ...canvases);
    box.style.setProperty("--across", ROW[name] ? 1 : maps.length > 6 ? 8 : 6);
    return named(titled(STAGES[name], shape), box);
  }

  function line(stroke) {
    // A line from a point to itself is a dot.
    const points = [stroke[0], ...stroke].map((point) => point.map((one) => one.toFixed(3))).join(" ");
    return drawn("polyline", { points });
  }

  function at(event) {
    const box = sheet.getBoundingClientRect();
    const [x, y] = [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
    return [clamp(x, 0, 1), clamp(y, 0, 1)];
  }

  function start(event) {
    sheet.setPointerCapture(event.pointerId);
    extend([...strokes, [at(event)]]);
  }

  function go(event) {
    if (!sheet.hasPointerCapture(event.pointerId)) return;
    const [[x, y], to] = [strokes.at(-1).at(-1), at(event)];
    if (Math.hypot(to[0] - x, to[1] - y) < NEAR) return;
    strokes.at(-1).push(to);
    extend(strokes);
  }

  function extend(lines) {
    set(lines, drawing(lines));
  }

  update();
}

export const render = living(draw, defaults);
export default { render };
