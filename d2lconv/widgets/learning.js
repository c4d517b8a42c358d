// The learning loop: gradient descent on the loss over a kernel's two weights, step by step.
import { corr2d, learn, matrix, paraboloid } from "./arithmetic.js";
import {
  arrow,
  button,
  chooser,
  clamp,
  drawn,
  element,
  living,
  player,
  save,
  shortest,
  shown,
  state,
} from "./common.js";
import { number, paint, plot, star } from "./plots.js";

const EDGES = Array.from({ length: 6 }, () => [1, 1, 0, 0, 0, 0, 1, 1]);
const defaults = { image: EDGES, kernel: [[1, -1]], runs: [], initial: null, lr: 0.03, epochs: 10 };
const SIDE = 300; // of the surface, in units of its drawing
const REACH = 2.25; // how far the surface goes from its lowest point
function draw({ model, el }) {
  const { image, kernel, runs, lr: firstRate, initial, epochs } = state(model, defaults);
  const [X, best] = [matrix(image), matrix(kernel)];
  const Y = corr2d(X, best);
  const loss = paraboloid(X, Y);
  const [cx, cy] = best[0];
  let lr = firstRate;
  let start = initial ?? (runs.length ? [runs[0].initial] : [[0, 0]]);
  let chosen = initial || !runs.length ? "" : runs[0].id;
  let done = 0;
  let run = null;

  const play = player("Play", next, 700);
  const choice = chooser(
    "Start from",
    [...runs.map(({ id, title }) => [id, title ?? id]), ["", "my own place"]],
    chosen,
    (id) => {
      chosen = id;
      const found = runs.find((one) => one.id === id);
      if (found) begin([found.initial], id);
    },
  );
  const rate = element("input", {
    type: "range",
    min: 0.001,
    max: 0.04,
    step: 0.001,
    value: lr,
    oninput: () => ((lr = Number(rate.value)), begin(start, chosen)),
  });
  const rateText = element("output", {});
  const canvas = element("canvas", { width: SIDE * 2, height: SIDE * 2, "aria-hidden": "true" });
  const path = drawn("polyline", { class: "path" });
  const halo = drawn("polyline", { class: "halo" });
  const dots = drawn("g", { "aria-hidden": "true" });
  const handle = drawn(
    "g",
    { class: "handle", tabindex: 0, role: "application", onkeydown: nudge },
    drawn("rect", { x: -7, y: -7, width: 14, height: 14 }),
  );
  const overlay = drawn(
    "svg",
    { viewBox: `0 0 ${SIDE} ${SIDE}`, onpointerdown: drag, onmousedown: (event) => event.preventDefault() },
    halo,
    path,
    dots,
    drawn("path", { class: "goal", d: star(...place(cx, cy)) }),
    handle,
  );
  const axes = [
    element("span", { class: "axis along-x" }, "K[0, 0] →"),
    element("span", { class: "axis along-y" }, "↑ K[0, 1]"),
  ];
  const surface = element(
    "figure",
    { class: "surface" },
    element("div", { class: "plate" }, canvas, overlay, ...ticks(), ...axes),
    element(
      "figcaption",
      {},
      "Every point is a kernel of two weights. The darker, the smaller the loss; the star is ",
      `[${shown(cx)}, ${shown(cy)}]. Drag the square to start elsewhere. Where the path zigzags, the steps are too `,
      "long for the steep sides of the valley, and still short for its flat floor.",
    ),
  );
  const status = element("p", { class: "status", "aria-live": "polite" });
  const curve = drawn("svg", { viewBox: `0 0 ${PLOT.width} ${PLOT.height}`, class: "curve", role: "img" });
  const rows = element("tbody", {});
  const head = element("thead", {});
  const step = button("Step", () => (play.stop(), next()));
  const root = element(
    "div",
    { role: "region", class: "d2lconv learning", "aria-label": "The learning loop" },
    element(
      "div",
      { class: "toolbar" },
      choice.label,
      element("label", {}, "Learning rate ", rate, rateText),
    ),
    element(
      "div",
      { class: "toolbar" },
      play.button,
      step,
      button("Back to the start", () => begin(start, chosen)),
    ),
    status,
    element(
      "div",
      { class: "stage" },
      surface,
      element("div", { class: "results" }, curve, element("table", {}, head, rows)),
    ),
  );
  el.append(root);

  function place(k, l) {
    return [((k - cx + REACH) / (2 * REACH)) * SIDE, ((cy + REACH - l) / (2 * REACH)) * SIDE];
  }

  function ticks() {
    return [-2, -1, 0, 1, 2].flatMap((by) =>
      ["x", "y"].map((axis) => {
        const value = (axis === "x" ? cx : cy) + by;
        const share = (100 * (axis === "x" ? by + REACH : REACH - by)) / (2 * REACH);
        return element(
          "span",
          { class: `tick along-${axis}`, style: `--at:${share}%`, "aria-hidden": "true" },
          shown(value),
        );
      }),
    );
  }

  function begin(from, id) {
    play.stop();
    start = matrix(from);
    chosen = choice.select.value = id;
    run = learn(X, Y, start, lr, epochs);
    done = 0;
    save(model, { initial: start, lr });
    update();
  }

  function next() {
    if (done < epochs) done += 1;
    update();
    return done < epochs;
  }

  function update() {
    const kernels = run.kernels.slice(0, done + 1);
    const points = kernels.map(([[k, l]]) => place(k, l).map((v) => clamp(v, -1e4, 1e4)));
    for (const line of [halo, path])
      line.setAttribute("points", points.map((point) => point.join(",")).join(" "));
    dots.replaceChildren(
      ...points
        .slice(1)
        .map(([x, y], n) => drawn("circle", { cx: x, cy: y, r: n + 2 === points.length ? 5 : 3.5 })),
    );
    handle.setAttribute("transform", `translate(${points[0].join(" ")})`);
    handle.setAttribute(
      "aria-label",
      `Start, K = [${start[0].map((k) => shown(k)).join(", ")}]. The arrow keys move it`,
    );
    rateText.textContent = ` ${lr.toFixed(3)}`;
    rate.setAttribute("aria-label", "Learning rate");
    step.disabled = done >= epochs;
    const [now] = kernels.at(-1);
    const text = `K = [${now.map((k) => shortest(k).replace("-", "−")).join(", ")}]`;
    const growing = done > 1 && run.losses[done - 1] > run.losses[done - 2];
    status.replaceChildren(
      done === 0
        ? "At the start, "
        : done < epochs
          ? `After epoch ${done}, `
          : `After all ${epochs} epochs, `,
      element("strong", { class: "kernel" }, text),
      ".",
      growing
        ? element(
            "span",
            { class: "warning" },
            " The loss grows: each step jumps over the valley, and lands higher. Take a smaller learning rate.",
          )
        : "",
    );
    table();
    plot(curve, run.losses, done);
  }

  function table() {
    const published = runs.find(({ id }) => id === chosen);
    const comparable = published && lr === 0.03;
    const cells = (tag, ...texts) =>
      element("tr", {}, ...texts.map((text) => element(tag, tag === "th" ? { scope: "col" } : {}, text)));
    head.replaceChildren(cells("th", "Epoch", "Loss", ...(comparable ? ["Published"] : [])));
    rows.replaceChildren(
      ...Array.from({ length: epochs }, (_, n) => {
        const ours = n < done ? number(run.losses[n]) : "";
        const printed = comparable && n % 2 ? (published.losses[(n - 1) / 2] ?? "") : "";
        return cells(
          "td",
          String(n + 1),
          ours,
          ...(comparable ? [printed && ours === printed ? `${printed} ✓` : printed] : []),
        );
      }),
    );
    if (comparable) {
      const learned = published.learned.map((k) => k.replace("-", "−")).join(", ");
      rows.append(element("tr", {}, element("td", { colspan: 3 }, `Published at the end: K = [${learned}]`)));
    }
  }

  function own(k, l) {
    const inside = (value, centre) => clamp(Math.round(value * 100) / 100, centre - REACH, centre + REACH);
    begin([[inside(k, cx), inside(l, cy)]], "");
  }

  function nudge(event) {
    const by = arrow(event);
    if (!by) return;
    event.preventDefault();
    const size = event.shiftKey ? 0.5 : 0.05;
    own(start[0][0] + by[1] * size, start[0][1] - by[0] * size);
  }

  function drag(down) {
    const move = (event) => {
      const box = overlay.getBoundingClientRect();
      own(
        cx - REACH + ((event.clientX - box.left) / box.width) * 2 * REACH,
        cy + REACH - ((event.clientY - box.top) / box.height) * 2 * REACH,
      );
    };
    overlay.setPointerCapture(down.pointerId);
    overlay.addEventListener("pointermove", move);
    const drop = () => overlay.removeEventListener("pointermove", move);
    for (const name of ["pointerup", "pointercancel"]) overlay.addEventListener(name, drop, { once: true });
    handle.focus({ preventScroll: true });
    move(down);
  }

  paint(canvas, loss, best[0], REACH);
  begin(start, chosen);
  return () => play.stop();
}

export const render = living(draw, defaults);
export default { render };
