// The receptive field: what one element of a stack's output sees in every map below it.
import { field, seen, sizes } from "./arithmetic.js";
import { arrow, button, chooser, clamp, drawn, element, living, save, state, whole } from "./common.js";

const defaults = { size: 3, layers: [{ kernel_size: 2 }, { kernel_size: 2 }] };
const LARGEST = 17;
const DEEPEST = 5;
const LIMITS = { kernel_size: [1, 5], stride: [1, 3], padding: [0, 2], dilation: [1, 4] };
const NAMES = { kernel_size: "Kernel", stride: "Stride", padding: "Padding", dilation: "Dilation" };
const PLAIN = { kernel_size: 3, stride: 1, padding: 0, dilation: 1 };
const EXAMPLES = {
  "Two 2×2 layers": { size: 3, layers: [{ kernel_size: 2 }, { kernel_size: 2 }] },
  "Four 3×3 layers": { size: 11, layers: Array(4).fill({ kernel_size: 3 }) },
  "With strides": { size: 17, layers: [2, 1, 1].map((stride) => ({ kernel_size: 3, stride })) },
  "With dilation": { size: 17, layers: [1, 2, 4].map((dilation) => ({ kernel_size: 3, dilation })) },
  "With gaps": { size: 13, layers: [3, 3].map((dilation) => ({ kernel_size: 3, dilation })) },
};

function draw({ model, el }) {
  let { size, layers } = state(model, defaults);
  layers = layers.map((one) => ({ ...PLAIN, ...one }));
  let chosen = null; // the map, the row and the column that the reader points at

  const maps = element("div", { class: "maps" });
  const result = element("p", { class: "status", "aria-live": "polite" });
  const formula = element("p", { class: "formula" });
  const stack = element("div", { class: "stack" });
  const examples = element(
    "div",
    { class: "toolbar" },
    element("span", { class: "soft" }, "Examples"),
    ...Object.entries(EXAMPLES).map(([name, one]) =>
      button(name, () => {
        size = one.size;
        layers = one.layers.map((each) => ({ ...PLAIN, ...each }));
        rebuild();
      }),
    ),
  );
  el.append(
    element(
      "div",
      { role: "region", class: "d2lconv receptive", "aria-label": "Receptive fields" },
      maps,
      result,
      formula,
      stack,
      examples,
    ),
  );

  function rebuild() {
    save(model, { size, layers });
    chosen = null;
    const ends = sizes(layers, size);
    maps.replaceChildren(
      ...ends.map((end, depth) => {
        maps.style.setProperty("--maps", ends.length);
        const name = depth ? `Layer ${depth}` : "Input";
        const grid = map(end, depth, name);
        const panel = element(
          "div",
          { class: "panel" },
          element("div", { class: "name" }, name, element("span", { class: "soft" }, ` ${end}×${end}`)),
          grid,
        );
        return depth
          ? element(
              "div",
              { class: "together" },
              element("div", { class: "sign", "aria-hidden": "true" }, "→"),
              panel,
            )
          : panel;
      }),
    );
    stack.replaceChildren(
      chooser(
        "Input size",
        whole(1, LARGEST).map(([n, text]) => [n, `${text}×${text}`]),
        String(size),
        (text) => {
          size = Number(text);
          again("select", 0);
        },
      ).label,
      element("ol", {}, ...layers.map(row)),
      button(
        "+ Add a layer",
        () => {
          layers.push({ ...layers.at(-1) });
          again(".add", 0);
        },
        { class: "add", disabled: layers.length >= DEEPEST },
      ),
    );
    const last = ends.length - 1;
    show(last, ...[0, 1].map(() => Math.floor((ends[last] - 1) / 2)));
  }

  /** Rebuild, and give the focus back to what replaced the control that had it. */
  function again(selector, index) {
    rebuild();
    stack.querySelectorAll(selector)[index]?.focus();
  }

  function row(one, n) {
    const lists = Object.entries(LIMITS).map(
      ([name, limits], m) =>
        chooser(
          NAMES[name],
          whole(...limits).map(([k, text]) => [k, name === "kernel_size" ? `${text}×${text}` : text]),
          String(one[name]),
          (text) => {
            layers[n] = { ...one, [name]: Number(text) };
            again("select", 1 + n * Object.keys(LIMITS).length + m);
          },
          ` of layer ${n + 1}`,
        ).label,
    );
    return element(
      "li",
      {},
      element("span", { class: "soft" }, `Layer ${n + 1}`),
      ...lists,
      button(
        "Remove",
        () => {
          layers.splice(n, 1);
          again("li button", Math.min(n, layers.length - 1));
        },
        { "aria-label": `Remove layer ${n + 1}`, disabled: layers.length < 2 },
      ),
    );
  }

  function map(end, depth, name) {
    const cells = drawn("g", { class: "squares" });
    for (let i = 0; i < end; i += 1)
      for (let j = 0; j < end; j += 1)
        cells.append(drawn("rect", { x: j + 0.04, y: i + 0.04, width: 0.92, height: 0.92 }));
    const at = (event) => {
      const box = event.currentTarget.getBoundingClientRect();
      const cell = (from, length, by) =>
        clamp(Math.floor(((by - from) / length) * (end + 0.2) - 0.1), 0, end - 1);
      show(depth, cell(box.top, box.height, event.clientY), cell(box.left, box.width, event.clientX));
    };
    return drawn(
      "svg",
      {
        viewBox: `-0.1 -0.1 ${end + 0.2} ${end + 0.2}`,
        class: "map",
        style: `--side:${end}`,
        tabindex: 0,
        role: "application",
        "aria-label": `${name}, ${end} by ${end}. The arrow keys choose an element`,
        onpointermove: at,
        onpointerdown: at,
        onfocus: () =>
          chosen[0] !== depth && show(depth, Math.floor((end - 1) / 2), Math.floor((end - 1) / 2)),
        onkeydown: (event) => {
          const by = arrow(event);
          if (!by) return;
          event.preventDefault();
          show(
            depth,
            ...by.map((step, axis) => clamp((chosen[0] === depth ? chosen[1 + axis] : 0) + step, 0, end - 1)),
          );
        },
      },
      cells,
      drawn("rect", { class: "around", rx: 0.15 }),
    );
  }

  function show(depth, i, j) {
    if (chosen?.join() === [depth, i, j].join()) return;
    chosen = [depth, i, j];
    const ends = sizes(layers, size);
    const [rows, columns] = [i, j].map((place) => seen(layers, size, depth, place));
    maps.querySelectorAll("svg").forEach((svg, level) => {
      const inside = (n) =>
        level <= depth &&
        rows[level].includes(Math.floor(n / ends[level])) &&
        columns[level].includes(n % ends[level]);
      svg
        .querySelectorAll(".squares rect")
        .forEach((square, n) =>
          square.setAttribute("class", inside(n) ? (level === depth ? "chosen" : "seen") : ""),
        );
      const around = svg.querySelector(".around");
      const some = level < depth && rows[level].length && columns[level].length;
      around.toggleAttribute("hidden", !some);
      if (!some) return;
      const [top, left] = [rows[level][0], columns[level][0]];
      for (const [name, value] of Object.entries({
        x: left,
        y: top,
        width: columns[level].at(-1) - left + 1,
        height: rows[level].at(-1) - top + 1,
      }))
        around.setAttribute(name, value);
    });
    describe(depth, i, j, rows[0].length * columns[0].length, ends);
  }

  function describe(depth, i, j, count, ends) {
    const cut = ends.length <= layers.length;
    const where = `[${i}, ${j}]`;
    result.replaceChildren(
      depth === 0
        ? `The input’s element ${where} sees itself. Point at an element of a later map.`
        : element(
            "span",
            {},
            `After layer ${depth}, element ${where} sees `,
            element("strong", {}, `${count} of ${size * size}`),
            " input elements.",
          ),
      cut
        ? element(
            "span",
            { class: "warning" },
            ` Layer ${ends.length} does not fit: its window is larger than what it gets. Take a larger input or a smaller kernel.`,
          )
        : "",
    );
    const { size: side, jump } = field(layers.slice(0, depth));
    const terms = layers.slice(0, depth).map(({ kernel_size, dilation }, n) => {
      const steps = layers
        .slice(0, n)
        .map(({ stride }) => stride)
        .filter((stride) => stride > 1);
      return ` + (${kernel_size} − 1)${[dilation > 1 ? [dilation] : [], steps]
        .flat()
        .map((f) => `·${f}`)
        .join("")}`;
    });
    formula.textContent = depth
      ? `Side of the field: 1${terms.join("")} = ${side}. From one element to the next it moves by ${jump}.`
      : "\u00a0";
  }

  rebuild();
}

export const render = living(draw, defaults);
export default { render };
