// Channels: a kernel with a sheet for each sheet of the input, the sum over them, and several outputs.
import { build, corr2d, folded, matrix, products } from "./arithmetic.js";
import { boards } from "./boards.js";
import { asFactor, chooser, clamp, element, fields, living, save, shown, state, whole } from "./common.js";

const MOST = 3; // sheets, outputs, and rows of a kernel, to choose from
const counted = (sheets, height, width) =>
  Array.from({ length: sheets }, (_, c) => build(height, width, (i, j) => width * i + j + c));
const weighed = (outputs, sheets, side) =>
  Array.from({ length: outputs }, (_, o) =>
    counted(sheets, side, side).map((sheet) => sheet.map((row) => row.map((value) => value + o))),
  );
const defaults = { input: counted(3, 3, 3), kernels: weighed(3, 3, 2), output: 0, position: [0, 0] };

function draw({ model, el }) {
  let { input, kernels, output, position } = state(model, defaults);
  input = input.map(matrix);
  kernels = kernels.map((kernel) => kernel.map(matrix));

  const stage = element("div", { class: "stage" });
  const said = element("p", { class: "sum", "aria-live": "polite" });
  const bar = element("div", { class: "toolbar sizes" });
  let [planes, results] = [[], null];
  el.append(
    element(
      "div",
      { role: "region", class: "d2lconv channels", "aria-label": "Channels" },
      stage,
      said,
      element("p", { class: "hint" }, "Press an element of an output, or move there with the arrow keys. Each output has a kernel of its own."),
      bar,
    ),
  );

  /** Draw everything again, with the kernel of the output that is looked at. */
  function rebuild() {
    const edited = (values) => (i, j, value) => {
      values[i][j] = value;
      update();
    };
    planes = input.map((sheet, c) => {
      const weights = kernels[output][c];
      const partial = element("div", {});
      const image = fields(`Sheet ${c + 1}`, sheet, edited(sheet));
      const kernel = fields(`Kernel ${output + 1}, sheet ${c + 1}`, weights, edited(weights));
      const row = [
        boards.panel(`Sheet ${c + 1}`, sheet, image.grid),
        boards.sign("⋆", "cross-correlated with"),
        boards.panel(`Kernel ${output + 1}`, weights, kernel.grid),
        boards.sign("=", "gives"),
        partial,
      ];
      return { row, partial, image };
    });
    stage.style.setProperty("--wide", 2 * input[0][0].length + 1); // a row's cells, whatever the kernel
    results = element("div", { class: "results" });
    stage.replaceChildren(
      element("div", { class: "planes" }, ...planes.flatMap(({ row }) => row)),
      element("div", { class: "together" }, boards.sign("Σ", "added up"), results),
    );
    bar.replaceChildren(
      size("Sheets", input.length, (n) => [counted(n, ...extent(input[0])), weighed(kernels.length, n, kernels[0][0].length)]),
      size("Outputs", kernels.length, (n) => [input, weighed(n, input.length, kernels[0][0].length)]),
      size(
        "Kernel",
        kernels[0][0].length,
        (n) => [input, weighed(kernels.length, input.length, n)],
        (text) => `${text}×${text}`,
      ),
    );
    update();
  }

  function extent(sheet) {
    return [sheet.length, sheet[0].length];
  }

  /** A list for a size; `make` gives an input and kernels of that size, which count from 0 again. */
  function size(name, now, make, written = (text) => text) {
    const options = whole(1, Math.max(MOST, now)).map(([key, text]) => [key, written(text)]);
    return chooser(name, options, now, (text) => {
      [input, kernels] = make(Number(text));
      output = Math.min(output, kernels.length - 1);
      rebuild();
      bar.querySelector(`[aria-label="${name}"]`).focus();
    }).label;
  }

  function update() {
    const parts = input.map((sheet, c) => corr2d(sheet, kernels[output][c]));
    const sums = kernels.map((kernel) => folded(input.map((sheet, c) => corr2d(sheet, kernel[c]))));
    position = position.map((one, axis) => clamp(one, 0, extent(parts[0])[axis] - 1));
    save(model, { input, kernels, output, position });
    const [i, j] = position;
    const [kh, kw] = extent(kernels[output][0]);
    planes.forEach(({ image, partial }, c) => {
      image.cells.forEach((row, m) =>
        row.forEach((cell, n) => {
          const held = m >= i && m < i + kh && n >= j && n < j + kw;
          cell.parentNode.classList.toggle("held", held);
        }),
      );
      partial.replaceChildren(boards.board(`Result ${c + 1}`, parts[c], (m, n) => ({ held: m === i && n === j })));
    });
    results.replaceChildren(
      ...sums.map((sum, o) => {
        const panel = boards.answers(`Output ${o + 1}`, sum, position, (m, n) => go(o, m, n));
        panel.classList.toggle("other", o !== output);
        return panel;
      }),
    );
    said.textContent = written(parts, sums[output][i][j]);
  }

  /** The products, sheet by sheet; what each sheet comes to; and the sum. */
  function written(parts, total) {
    const [i, j] = position;
    const terms = input.map((sheet, c) =>
      products(sheet, kernels[output][c], i, j).map(({ x, k }) => `${asFactor(x)}·${asFactor(k)}`),
    );
    const grouped = terms.length > 1 && terms[0].length > 1;
    const lines = [terms.map((one) => (grouped ? `(${one.join(" + ")})` : one.join(" + "))).join(" + ")];
    if (parts.length > 1) lines.push(parts.map((part) => asFactor(part[i][j])).join(" + "));
    return [...lines, shown(total)].join(" = ");
  }

  function go(to, i, j) {
    const other = to !== output;
    [output, position] = [to, [i, j]];
    if (other) rebuild();
    else update();
    results.querySelector(`[aria-label="Output ${to + 1}"] .current`).focus();
  }

  rebuild();
}

export const render = living(draw, defaults);
export default { render };
