// Boards of numbers: what is looked at, and the answers, which are buttons that move the window.
import { arrow, button, clamp, element, shown, sized } from "./common.js";

function panel(name, values, grid) {
  const size = element("span", { class: "soft" }, ` ${values.length}×${values[0].length}`);
  return element("div", { class: "panel" }, element("div", { class: "name" }, name, size), grid);
}

function laid(name, values, cells) {
  const grid = element("div", { class: "cells", role: "group", "aria-label": name }, ...cells.flat());
  grid.style.setProperty("--columns", values[0].length);
  return panel(name, values, grid);
}

/** Numbers to look at; `about(i, j)` says which are held by the window, and which stand outside. */
function board(name, values, about, written = (value) => shown(value)) {
  const cells = values.map((row, i) =>
    row.map((value, j) => {
      const cell = element("span", { class: "number" }, written(value, i, j));
      for (const [kind, is] of Object.entries(about(i, j))) cell.classList.toggle(kind, is);
      sized(cell, cell.textContent);
      return cell;
    }),
  );
  return laid(name, values, cells);
}

/** The answers, each a button that takes the window to its place; `go(i, j)` does. */
function answers(name, values, [row, column], go) {
  const cells = values.map((line, i) =>
    line.map((value, j) => {
      const here = i === row && j === column;
      const cell = button(shown(value), () => go(i, j), {
        class: here ? "answer current" : "answer",
        tabindex: here ? 0 : -1,
        "aria-label": `${name}, row ${i + 1}, column ${j + 1}: ${shown(value)}`,
        onkeydown: (event) => {
          const by = arrow(event);
          if (!by) return;
          event.preventDefault();
          go(clamp(i + by[0], 0, values.length - 1), clamp(j + by[1], 0, line.length - 1));
        },
      });
      sized(cell, cell.textContent);
      return cell;
    }),
  );
  return laid(name, values, cells);
}

function sign(text, spoken) {
  return element("div", { class: "sign", role: "img", "aria-label": spoken }, text);
}

export const boards = { answers, board, panel, sign };
