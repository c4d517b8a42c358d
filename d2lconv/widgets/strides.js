// Padding, strides, dilation: an image in a frame, the windows on it, and how many there are.
import { LESSON, build, matrix } from "./arithmetic.js";
import { arrow, button, chooser, clamp, element, fitting, living, save, shown, state, whole } from "./common.js";
import { boards } from "./boards.js";
import { count, framed, held, sameFrame, strided } from "./places.js";

const defaults = {
  input: LESSON.X,
  kernel: LESSON.K,
  padding: [
    [1, 1],
    [1, 1],
  ],
  stride: [1, 1],
  dilation: [1, 1],
  position: [0, 0],
};
const SIDES = [
  ["above", "below"],
  ["left", "right"],
];
const MOST = { input: 8, kernel: 3, padding: 2, stride: 3, dilation: 2 };

function draw({ model, el }) {
  let { input, kernel, padding, stride, dilation, position } = state(model, defaults);
  [input, kernel] = [matrix(input), matrix(fitting(kernel, input))];
  [padding, stride, dilation] = [padding.map((pair) => [...pair]), [...stride], [...dilation]];

  const stage = element("div", { class: "stage" });
  const said = element("p", { class: "sum", "aria-live": "polite" });
  const formula = element("p", { class: "formula" });
  const bar = element("div", { class: "toolbar sizes" });
  el.append(
    element(
      "div",
      { role: "region", class: "d2lconv strides", "aria-label": "Padding and strides" },
      stage,
      said,
      formula,
      bar,
    ),
  );
  const sizes = () => [
    [input.length, kernel.length],
    [input[0].length, kernel[0].length],
  ];

  function update(focus = null) {
    const places = sizes().map(([n, k], axis) => count(n, k, padding[axis], stride[axis], dilation[axis]));
    const fits = places.every((one) => one > 0);
    position = position.map((one, axis) => clamp(one, 0, Math.max(places[axis] - 1, 0)));
    save(model, { input, kernel, padding, stride, dilation, position });
    const inside = framed(input, padding);
    const size = [kernel.length, kernel[0].length];
    const window = fits ? held(position, size, stride, dilation) : [];
    const isHeld = (i, j) => window.some(([m, n]) => m === i && n === j);
    const isFrame = (i, j) =>
      i < padding[0][0] || i >= padding[0][0] + input.length || j < padding[1][0] || j >= padding[1][0] + input[0].length;
    const Y = fits ? strided(input, kernel, padding, stride, dilation) : [];
    const image = boards.board("Input", inside, (i, j) => ({ held: isHeld(i, j), outside: isFrame(i, j) }));
    image.querySelector(".cells").append(...borders());
    stage.replaceChildren(
      image,
      boards.sign("⋆", "cross-correlated with"),
      boards.board("Kernel", kernel, () => ({})),
      boards.sign("=", "gives"),
      fits ? boards.answers("Output", Y, position, go) : element("p", { class: "warning" }, "no place at all"),
    );
    if (focus === "answer") stage.querySelector(".current")?.focus();
    const terms = window.map(([m, n], t) => [inside[m][n], kernel.flat()[t]]);
    const written = terms.map(([x, k]) => `${shown(x)}·${shown(k)}`).join(" + ");
    said.textContent = fits ? `${written} = ${shown(Y[position[0]][position[1]])}` : "The window is larger than the image with its frame.";
    formula.replaceChildren(
      ...["Height", "Width"].flatMap((name, axis) => {
        const [n, k] = sizes()[axis];
        const reach = dilation[axis] > 1 ? `${dilation[axis]}·(${k} − 1) − 1` : `${k}`;
        const zeros = padding[axis][0] + padding[axis][1];
        const line = [
          `${name}: ⌊(${n} + `,
          element("b", { class: "k" }, String(zeros)),
          ` − ${reach}) / ${stride[axis]}⌋ + 1 = ${Math.max(places[axis], 0)}`,
        ];
        return axis ? [element("br"), ...line] : line;
      }),
    );
  }

  /** What drags each border of the image: a handle for the pointer and for the arrow keys. */
  function borders() {
    return SIDES.flatMap((pair, axis) =>
      pair.map((side, end) =>
        button("", () => {}, {
          class: `border ${side}`,
          "aria-label": `Border ${side}, ${padding[axis][end]} deep. The arrow keys drag it`,
          onkeydown: (event) => {
            const by = arrow(event)?.[axis];
            if (!by) return;
            event.preventDefault();
            drag(axis, end, padding[axis][end] + (end ? by : -by));
          },
          onpointerdown: (down) => grab(down, axis, end),
        }),
      ),
    );
  }

  function drag(axis, end, zeros) {
    const wanted = clamp(zeros, 0, MOST.padding);
    if (wanted === padding[axis][end]) return;
    padding[axis][end] = wanted;
    refresh(null);
    stage.querySelector(`.border.${SIDES[axis][end]}`).focus();
  }

  /** Drag a border: a row or a column of zeros for each cell that the pointer moves away. */
  function grab(down, axis, end) {
    const place = (event) => (axis ? event.clientX : event.clientY);
    const box = stage.querySelector(".number").getBoundingClientRect();
    const unit = (axis ? box.width : box.height) * (end ? 1 : -1);
    const zeros = padding[axis][end];
    const move = (event) => drag(axis, end, zeros + Math.round((place(event) - place(down)) / unit));
    const drop = () => {
      window.removeEventListener("pointermove", move);
      for (const name of ["pointerup", "pointercancel"]) window.removeEventListener(name, drop);
    };
    window.addEventListener("pointermove", move);
    for (const name of ["pointerup", "pointercancel"]) window.addEventListener(name, drop);
  }

  function go(i, j) {
    position = [i, j];
    update("answer");
  }

  function chosen(name, low, high, now, set) {
    const { label } = chooser(name, whole(low, high), now, (text) => {
      set(Number(text));
      refresh(name);
    });
    return label;
  }

  function counted(values, axis, length) {
    const size = [values.length, values[0].length];
    size[axis] = length;
    return build(...size, (i, j) => i * size[1] + j);
  }

  /** Draw everything again, and keep the reader at the control that was used. */
  function refresh(used) {
    const rows = ["rows", "columns"].map((what, axis) =>
      element(
        "div",
        { class: "toolbar" },
        chosen(`Input ${what}`, sizes()[axis][1], MOST.input, sizes()[axis][0], (n) => (input = counted(input, axis, n))),
        chosen(`Kernel ${what}`, 1, Math.min(MOST.kernel, sizes()[axis][0]), sizes()[axis][1], (n) => (kernel = counted(kernel, axis, n))),
        ...SIDES[axis].map((side, n) =>
          chosen(`Zeros ${side}`, 0, MOST.padding, padding[axis][n], (zeros) => (padding[axis][n] = zeros)),
        ),
        chosen(`Stride, ${what}`, 1, MOST.stride, stride[axis], (n) => (stride[axis] = n)),
        chosen(`Dilation, ${what}`, 1, MOST.dilation, dilation[axis], (n) => (dilation[axis] = n)),
      ),
    );
    const presets = Object.entries({
      "No frame": () => [0, 0],
      "One all around": () => [1, 1],
      "“same”": (axis) => sameFrame(...sizes()[axis], stride[axis], dilation[axis]),
    }).map(([name, frame]) =>
      element(
        "button",
        {
          type: "button",
          onclick: () => {
            padding = [0, 1].map(frame);
            refresh(name);
          },
        },
        name,
      ),
    );
    bar.replaceChildren(element("div", { class: "toolbar" }, ...presets), ...rows);
    for (const one of bar.querySelectorAll("select, button"))
      if (used && (one.getAttribute("aria-label") ?? one.textContent) === used) one.focus();
    update();
  }

  refresh(null);
}

export const render = living(draw, defaults);
export default { render };
