// Pooling: the maximum and the mean of the same windows, and what stands outside of the image.
import { matrix } from "./arithmetic.js";
import { boards } from "./boards.js";
import { arrow, button, chooser, clamp, element, living, save, shown, state, whole } from "./common.js";
import { paint, scale, unpacked } from "./pictures.js";
import { count, framed, held, pooled } from "./places.js";

const defaults = {
  input: [
    [0, 1, 2, 3],
    [4, 5, 6, 7],
    [8, 9, 10, 11],
    [12, 13, 14, 15],
  ],
  size: [2, 2],
  padding: [0, 0],
  stride: [2, 2],
  outside: "nothing",
  position: [0, 0],
  photographs: {},
};
const TABLE = 12; // rows or columns that are shown as numbers; what is larger is a picture
const OUTSIDE = { nothing: null, zeros: 0 };

function draw({ model, el }) {
  let { input, size, padding, stride, outside, position, photographs } = state(model, defaults);
  input = matrix(input);
  const stage = element("div", { class: "stage" });
  const said = element("p", { class: "sum", "aria-live": "polite" });
  const bar = element("div", { class: "toolbar sizes" });
  const moves = element(
    "div",
    { class: "toolbar" },
    button("Shift by a pixel", () => change(input.map((row) => [row.at(-1), ...row.slice(0, -1)]))),
    button("Change all signs", () => change(input.map((row) => row.map((value) => (value ? -value : 0))))),
    button("An edge", () => change(numbers().map((row) => row.map((_, j) => Number(j === 1))))),
    button("Count", () => change(numbers().map((row, i) => row.map((_, j) => i * row.length + j)))),
    ...Object.entries(photographs).map(([name, text]) =>
      button(`Photograph: ${name}`, () => change(unpacked(text))),
    ),
  );
  el.append(
    element("div", { role: "region", class: "d2lconv pooling", "aria-label": "Pooling" }, stage, said, moves, bar),
  );

  function pictured() {
    return Math.max(input.length, input[0].length) > TABLE;
  }

  /** An image that is shown as numbers: this one, or that of the beginning. */
  function numbers() {
    return pictured() ? defaults.input : input;
  }

  function change(values) {
    input = matrix(values);
    update();
  }

  function update(focus = null) {
    padding = padding.map((one, axis) => Math.min(one, size[axis] - 1));
    const frame = padding.map((one) => [one, one]);
    const places = size.map((k, axis) => count([input.length, input[0].length][axis], k, frame[axis], stride[axis], 1));
    position = position.map((one, axis) => clamp(one, 0, places[axis] - 1));
    save(model, { input, size, padding, stride, outside, position });
    const inside = framed(input, frame, null);
    const window = held(position, size, stride);
    const largest = pooled(input, "max", size, frame, stride, OUTSIDE[outside]);
    const mean = pooled(input, "avg", size, frame, stride, OUTSIDE[outside]);
    const panels = pictured() ? pictures(inside, largest, mean) : tables(inside, window, largest, mean);
    stage.replaceChildren(...panels);
    if (focus) stage.querySelector(`[aria-label="${focus}"] :is(.current, canvas)`)?.focus();
    const values = window.map(([m, n]) => inside[m][n] ?? OUTSIDE[outside]).filter((value) => value !== null);
    const [i, j] = position;
    said.textContent =
      `The window holds ${values.map((value) => shown(value)).join(", ")}: the largest is ` +
      `${shown(largest[i][j])}, the mean of ${values.length} is ${shown(mean[i][j])}.`;
  }

  function tables(inside, window, largest, mean) {
    const ground = outside === "zeros" ? "0" : "";
    return [
      boards.board(
        "Input",
        inside,
        (i, j) => ({ held: window.some(([m, n]) => m === i && n === j), outside: inside[i][j] === null }),
        (value) => (value === null ? ground : shown(value)),
      ),
      boards.answers("Largest", largest, position, (i, j) => go(i, j, "Largest")),
      boards.answers("Mean", mean, position, (i, j) => go(i, j, "Mean")),
    ];
  }

  /** The same as pictures, on one scale of colours. */
  function pictures(inside, largest, mean) {
    const ground = inside.map((row) => row.map((value) => value ?? 0));
    const { colour } = scale(ground);
    const picture = (name, values, frame, attributes) => {
      const canvas = element("canvas", attributes);
      paint(canvas, values, colour, frame);
      const box = element("div", { role: "group", "aria-label": name }, canvas);
      return boards.panel(name, values, box);
    };
    const moved = (name, values) => {
      const [rows, columns] = [values.length, values[0].length];
      const to = (i, j) => go(clamp(i, 0, rows - 1), clamp(j, 0, columns - 1), name);
      return picture(name, values, position, {
        tabindex: 0,
        role: "application",
        "aria-label": `${name}, ${rows} by ${columns}, the window at row ${position[0] + 1}, column ${position[1] + 1}. Arrow keys move it`,
        onkeydown: (event) => {
          const by = arrow(event);
          if (!by) return;
          event.preventDefault();
          to(position[0] + by[0], position[1] + by[1]);
        },
        onpointerdown: (event) => {
          event.preventDefault();
          const box = event.currentTarget.getBoundingClientRect();
          const share = [(event.clientY - box.top) / box.height, (event.clientX - box.left) / box.width];
          to(Math.floor(share[0] * rows), Math.floor(share[1] * columns));
        },
      });
    };
    const corner = position.map((one, axis) => one * stride[axis]);
    return [
      picture("Input", ground, [...corner, ...size], { role: "img", "aria-label": "The image" }),
      moved("Largest", largest),
      moved("Mean", mean),
    ];
  }

  function go(i, j, focus) {
    position = [i, j];
    update(focus);
  }

  const both = (name, low, high, now, set) =>
    chooser(name, whole(low, high), now, (text) => {
      set([Number(text), Number(text)]);
      refresh();
      bar.querySelector(`[aria-label="${name}"]`).focus();
    }).label;

  function refresh() {
    update();
    bar.replaceChildren(
      both("Window", 1, 3, size[0], (pair) => (size = pair)),
      both("Stride", 1, 3, stride[0], (pair) => (stride = pair)),
      both("Padding", 0, size[0] - 1, padding[0], (pair) => (padding = pair)),
      chooser("Outside stand", [["nothing", "no numbers"], ["zeros", "zeros, which count"]], outside, (name) => {
        outside = name;
        update();
      }).label,
    );
  }

  refresh();
}

export const render = living(draw, defaults);
export default { render };
