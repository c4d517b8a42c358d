// What the widgets share: elements, numbers, state, and playing. No widget needs more than this.

/** An element with attributes (on...: listeners) and children. */
export function element(tag, attributes = {}, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

/** The same for SVG. */
export function drawn(tag, attributes = {}, ...children) {
  return filled(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

function filled(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value != null) node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

/** The shortest decimal number that float32 reads back as this one. */
export function shortest(value) {
  for (let digits = 1; digits < 9; digits += 1) {
    const text = value.toPrecision(digits);
    if (Math.fround(Number(text)) === value) return String(Number(text));
  }
  return Number.isFinite(value) ? String(Number(value.toPrecision(9))) : String(value);
}

/** A number to read: all of it if it is short, else so many digits; with a real minus sign. */
export function shown(value, digits = 4) {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "NaN" : value > 0 ? "∞" : "−∞";
  if (Math.abs(value) >= 1e6)
    return value
      .toExponential(digits - 1)
      .replace(/\.?0*e\+/, "e")
      .replace("-", "−");
  const text = shortest(value);
  const short = text.length <= digits + 2 ? text : String(Number(value.toPrecision(digits)));
  return short.replaceAll("-", "−");
}

/** A number as a factor, in parentheses if it is negative. */
export function asFactor(value, digits = 4) {
  return value < 0 ? `(${shown(value, digits)})` : shown(value, digits);
}

/** What the reader typed as a float32, also with a comma or a fraction; NaN if it is no number. */
export function typed(text) {
  const [above, below = "1"] = text.trim().replaceAll("−", "-").replaceAll(",", ".").split("/");
  const value = above.trim() === "" || below.trim() === "" ? NaN : Number(above) / Number(below);
  return Number.isFinite(Math.fround(value)) ? Math.fround(value) : NaN;
}

/** Values by name: the notebook's model where there is one and it has them, else the defaults. */
export function state(model, defaults) {
  const values = {};
  for (const [name, value] of Object.entries(defaults)) values[name] = model?.get(name) ?? value;
  return values;
}

let saving = false;

/** Tell the notebook's Python side about new values. */
export function save(model, values) {
  if (!model?.set) return;
  saving = true;
  for (const [name, value] of Object.entries(values)) model.set(name, structuredClone(value));
  saving = false;
  model.save_changes();
}

/** A `render` that draws now, and again whenever the notebook's Python side changes a value. */
export function living(draw, defaults) {
  return ({ model, el }) => {
    let stop = null;
    const again = () => {
      if (saving) return;
      stop?.();
      el.replaceChildren();
      stop = draw({ model, el });
    };
    const events = Object.keys(defaults).map((name) => `change:${name}`);
    for (const event of events) model?.on?.(event, again);
    el.addEventListener("keydown", kept);
    again();
    return () => {
      stop?.();
      for (const event of events) model?.off?.(event, again);
      el.removeEventListener("keydown", kept);
    };
  };
}

/** Keys that a widget answers do not turn the slide that it is on, nor run the notebook's cell. */
function kept(event) {
  if (event.defaultPrevented || event.target.matches("input, select, textarea")) event.stopPropagation();
}

/** The kernel if it fits inside the image, else one that always does. */
export function fitting(kernel, image) {
  return kernel.length <= image.length && kernel[0].length <= image[0].length ? kernel : [[1]];
}

/** A button that plays: calls `step` again and again until it gives false, or is pressed again. */
export function player(label, step, pause = 900) {
  let timer = null;
  const button = element("button", { type: "button", class: "play", onclick: toggle }, `▶ ${label}`);
  function stop() {
    clearTimeout(timer);
    timer = null;
    button.textContent = `▶ ${label}`;
  }
  function tick() {
    if (!button.isConnected || step() === false) stop();
    else timer = setTimeout(tick, pause);
  }
  function toggle() {
    if (timer !== null) return stop();
    button.textContent = "❚❚ Pause";
    timer = setTimeout(tick, 0);
  }
  return { button, stop };
}

export function button(label, onclick, attributes = {}) {
  return element("button", { type: "button", onclick, ...attributes }, label);
}

/** A list to choose from, with its label before it; `more` is for ears only. Options: [value, text]. */
export function chooser(label, options, value, onchange, more = "") {
  const select = element("select", { "aria-label": label + more, onchange: () => onchange(select.value) });
  for (const [key, text] of options) select.append(element("option", { value: key }, text));
  select.value = value;
  return { label: element("label", {}, `${label} `, select), select };
}

export function whole(from, to) {
  return Array.from({ length: to - from + 1 }, (_, n) => [String(from + n), String(from + n)]);
}

/** Smaller type for what is long, so that it fits into its cell. */
export function sized(cell, text) {
  cell.style.fontSize = `min(1.05rem, calc(var(--size) * 1.3 / ${Math.max(text.length, 1)}))`;
}

/** A matrix of number fields. `onedit(i, j, value)` is called with numbers only. */
export function fields(name, values, onedit) {
  const cells = values.map((row, i) =>
    row.map((value, j) => {
      const input = element("input", {
        type: "text",
        inputmode: "text",
        autocomplete: "off",
        spellcheck: "false",
        "aria-label": `${name}, row ${i + 1}, column ${j + 1}`,
        oninput: () => {
          const number = typed(input.value);
          input.setAttribute("aria-invalid", String(Number.isNaN(number)));
          sized(input, input.value);
          if (!Number.isNaN(number)) onedit(i, j, number);
        },
        onfocus: () => input.select(),
      });
      input.value = shown(value);
      sized(input, input.value);
      return input;
    }),
  );
  const grid = element("div", { class: "cells", role: "group", "aria-label": name });
  grid.style.setProperty("--columns", values[0].length);
  grid.append(...cells.flat().map((input) => element("span", { class: "cell" }, input)));
  return { grid, cells };
}

const ARROWS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

/** What an arrow key asks for, as rows down and columns right; null for other keys. */
export function arrow(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return null;
  return ARROWS[event.key] ?? null;
}

export function clamp(value, low, high) {
  return Math.max(low, Math.min(high, value));
}
