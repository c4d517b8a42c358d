// The sliding window: an input, a kernel that slides over it, and the sums that it leaves behind.
import { LESSON, build, corr2d, matrix, products } from "./arithmetic.js";
import { boards } from "./boards.js";
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
  player,
  save,
  shown,
  sized,
  state,
  whole,
} from "./common.js";

const defaults = { input: LESSON.X, kernel: LESSON.K, position: [0, 0] };
const LARGEST = { input: 6, kernel: 4 };

/** The sum as the lesson writes it: 0·0 + 1·1 + 3·2 + 4·3 = 0 + 1 + 6 + 12 = 19. */
function written(terms, total) {
  const parts = terms.map(({ x, k }) =>
    element(
      "span",
      { class: "term" },
      element("b", { class: "x" }, asFactor(x)),
      "·",
      element("b", { class: "k" }, asFactor(k)),
    ),
  );
  const line = parts.flatMap((part, n) => (n ? [" + ", part] : [part]));
  if (terms.length > 1) line.push(" = ", terms.map(({ value }) => asFactor(value)).join(" + "));
  return [...line, " = ", element("strong", { class: "total" }, shown(total))];
}

function draw({ model, el }) {
  let { input, kernel, position } = state(model, defaults);
  [input, kernel] = [matrix(input), matrix(fitting(kernel, input))];
  let filled = new Set();
  let grids = {};

  const play = player("Play", next);
  const sums = element("p", { class: "sum", "aria-live": "polite" });
  const stage = element("div", { class: "stage" });
  const sizes = element("div", { class: "toolbar sizes" });
  const bar = element(
    "div",
    { class: "toolbar" },
    play.button,
    button("Step", () => (play.stop(), next())),
    button("Start again", restart),
    element("span", { class: "hint" }, "or drag the orange window, or use the arrow keys"),
  );
  const root = element(
    "div",
    {
      role: "region",
      class: "d2lconv window",
      "aria-label": "The sliding window",
      onkeydown: (event) => {
        const by = event.target.matches("input, select") ? null : arrow(event);
        if (!by) return;
        event.preventDefault();
        play.stop();
        move(position[0] + by[0], position[1] + by[1]);
        grids.frame.focus();
      },
    },
    stage,
    sums,
    bar,
    sizes,
  );
  el.append(root);

  function outputSize() {
    return [input.length - kernel.length + 1, input[0].length - kernel[0].length + 1];
  }

  function rebuild() {
    play.stop();
    filled = new Set();
    const [H, W] = outputSize();
    position = [clamp(position[0], 0, H - 1), clamp(position[1], 0, W - 1)];
    const edited = (values) => (i, j, value) => {
      values[i][j] = value;
      if (values === kernel) filled = new Set(); // the sums of another kernel count no more
      for (const key of [...filled]) if (values === input && covers(key, i, j)) filled.delete(key);
      save(model, { input, kernel });
      update();
    };
    const image = fields("Input", input, edited(input));
    const weights = fields("Kernel", kernel, edited(kernel));
    const factors = image.cells.map((row) =>
      row.map((cell) => {
        const small = element("small", { "aria-hidden": "true" });
        cell.parentNode.append(small);
        return small;
      }),
    );
    const frame = element("button", { type: "button", class: "frame" });
    image.grid.append(frame);
    image.grid.addEventListener("pointerdown", grab);
    image.grid.addEventListener("dragstart", (event) => event.preventDefault()); // of marked text
    const answers = build(H, W, (i, j) => button("", () => (play.stop(), move(i, j)), { class: "answer" }));
    const output = element(
      "div",
      { class: "cells", role: "group", "aria-label": "Output" },
      ...answers.flat(),
    );
    output.style.setProperty("--columns", W);
    grids = { ...image, factors, frame, answers, weights };
    stage.replaceChildren(
      boards.panel("Input", input, image.grid),
      together(boards.sign("⋆", "cross-correlated with"), boards.panel("Kernel", kernel, weights.grid)),
      together(boards.sign("=", "gives"), boards.panel("Output", answers, output)),
    );
    sizes.replaceChildren(...["input", "kernel"].flatMap((name) => sizers(name)));
    update();
  }

  /** A sign stays on the line of what comes after it. */
  function together(...parts) {
    return element("div", { class: "together" }, ...parts);
  }

  /** Two lists for the height and the width of the input or the kernel. */
  function sizers(name) {
    const now = name === "input" ? input : kernel;
    const size = [now.length, now[0].length];
    return ["rows", "columns"].map((side, axis) => {
      const [low, high] =
        name === "input"
          ? [[kernel.length, kernel[0].length][axis], LARGEST.input]
          : [1, Math.min(LARGEST.kernel, [input.length, input[0].length][axis])];
      return chooser(
        `${name === "input" ? "Input" : "Kernel"} ${side}`,
        whole(low, Math.max(high, size[axis])),
        size[axis],
        (text) => {
          size[axis] = Number(text);
          const counted = build(...size, (i, j) => i * size[1] + j);
          if (name === "input") input = counted;
          else kernel = counted;
          rebuild();
          save(model, { input, kernel, position });
          sizes.querySelectorAll("select")[axis + (name === "input" ? 0 : 2)].focus();
        },
      ).label;
    });
  }

  function covers(key, i, j) {
    const [row, column] = key.split(",").map(Number);
    return i >= row && i < row + kernel.length && j >= column && j < column + kernel[0].length;
  }

  function update() {
    const [i, j] = position;
    const Y = corr2d(input, kernel);
    filled.add(`${i},${j}`);
    grids.frame.style.cssText = `--row:${i};--column:${j};--height:${kernel.length};--width:${kernel[0].length}`;
    grids.frame.setAttribute("aria-label", `Window at row ${i + 1}, column ${j + 1}. The arrow keys move it`);
    const terms = products(input, kernel, i, j);
    grids.factors.flat().forEach((small) => (small.textContent = ""));
    for (const { a, b, k } of terms) grids.factors[i + a][j + b].textContent = `×${shown(k, 2)}`;
    grids.answers.forEach((row, m) =>
      row.forEach((cell, n) => {
        const known = filled.has(`${m},${n}`);
        cell.textContent = known ? shown(Y[m][n]) : "";
        sized(cell, cell.textContent);
        cell.classList.toggle("current", m === i && n === j);
        cell.classList.toggle("open", !known);
        cell.setAttribute(
          "aria-label",
          `Output, row ${m + 1}, column ${n + 1}: ${known ? shown(Y[m][n]) : "not yet"}`,
        );
      }),
    );
    sums.replaceChildren(...written(terms, Y[i][j]));
  }

  function move(i, j) {
    const [H, W] = outputSize();
    position = [clamp(i, 0, H - 1), clamp(j, 0, W - 1)];
    save(model, { position });
    update();
  }

  /** To the next place in reading order; at the last one, playing ends. */
  function next() {
    const [H, W] = outputSize();
    const place = position[0] * W + position[1] + 1;
    if (place >= H * W) {
      if (filled.size === H * W) return false;
      move(0, 0);
    } else move(Math.floor(place / W), place % W);
    return position[0] * W + position[1] + 1 < H * W || filled.size < H * W;
  }

  function restart() {
    play.stop();
    filled = new Set();
    move(0, 0);
  }

  /** Drag from anywhere on the input; a press without movement is left to the number field. */
  function grab(down) {
    const box = grids.grid.getBoundingClientRect();
    const unit = [box.height / input.length, box.width / input[0].length];
    const at = (event) => [(event.clientY - box.top) / unit[0], (event.clientX - box.left) / unit[1]];
    const from = at(down);
    const inside = from.every(
      (place, axis) =>
        place >= position[axis] && place < position[axis] + [kernel.length, kernel[0].length][axis],
    );
    const offset = inside
      ? from.map((place, axis) => place - position[axis])
      : [kernel.length / 2, kernel[0].length / 2];
    let dragging = false;
    const drag = (event) => {
      if (!dragging && Math.hypot(event.clientX - down.clientX, event.clientY - down.clientY) < 6) return;
      if (!dragging) {
        dragging = true;
        play.stop();
        grids.grid.classList.add("dragging");
        grids.frame.focus();
      }
      move(...at(event).map((place, axis) => Math.round(place - offset[axis])));
    };
    const drop = () => {
      grids.grid?.classList.remove("dragging");
      window.removeEventListener("pointermove", drag);
      for (const name of ["pointerup", "pointercancel"]) window.removeEventListener(name, drop);
    };
    window.addEventListener("pointermove", drag);
    for (const name of ["pointerup", "pointercancel"]) window.addEventListener(name, drop);
  }

  rebuild();
  return () => play.stop();
}

export const render = living(draw, defaults);
export default { render };
