// A place to work on one exercise: the reader's answer, kept, and the checker's verdict on it.
import { button, element, living, shown, state } from "./common.js";
import { essay } from "./essay.js";
import { NeedsPython, parse } from "./literals.js";
import { paint, scale } from "./pictures.js";
import { asMatrix, shape } from "./python.js";
import { memory, samples } from "./samples.js";
import { Slip } from "./tokens.js";
import { Undecided, check } from "./verdicts.js";

const defaults = { id: "1a", framework: "numpy", outcomes: {}, hint: "", task: null };
const MARKS = { right: "✓", wrong: "✗", slip: "!", python: "→" };
const ROWS_SHOWN = [2, 20]; // of the reader's text, at least and at most
const SHOWN = { matrices: 3, side: 32 }; // how many are painted, and how large they may be
const WIDE = 208; // pixels of the longer side of a picture, at most; style.css has them as 13rem
const PROGRAM = /^(?:def|async|class|import|from|for|while|if|with|try|@)/m;
const NAMED = /^(?:(?:async\s+)?def\s+([\p{L}_][\p{L}\p{N}_]*)|([\p{L}_][\p{L}\p{N}_]*)\s*=(?!=))/gmu;

const IMPORTS = {
  np: "import numpy as np",
  torch: "import torch",
  tf: "import tensorflow as tf",
  jnp: "import jax.numpy as jnp",
  jax: "import jax",
  math: "import math",
};

/** The program that has the reader's answer checked by the library. */
function program(id, text, framework) {
  const body = text.trim();
  const alone = body.replace(/^[\p{L}_][\p{L}\p{N}_]*\s*=(?!=)\s*/u, "");
  const simple = !/[\n#;]/.test(alone) && !PROGRAM.test(alone) && !hasComma(alone);
  const names = Array.from(body.matchAll(NAMED), ([, made, given]) => made ?? given);
  const name = names.includes("answer") ? "answer" : names.at(-1);
  const lines = simple
    ? `dc.check("${id}", ${alone})`
    : `${name ? "" : "answer = "}${body}\n\ndc.check("${id}", ${name ?? "answer"})`;
  const known = { d2l: framework === "together" ? "d2l = dc" : `from d2lconv import ${framework} as d2l`, ...IMPORTS };
  const missing = Object.keys(known).filter(
    (name) =>
      new RegExp(`(?<![\\w.])${name}\\.`).test(body) && !new RegExp(`(?:as|import) ${name}\\b|^${name} *=`, "m").test(body),
  );
  if (!missing.length) return lines;
  return `${missing.map((name) => known[name]).join("\n")}\n${simple ? "" : "\n"}${lines}`;
}

/** Whether commas part the text into what a call would take for several arguments. */
function hasComma(text) {
  let outside = text.split(/\blambda\b/)[0];
  for (let before = ""; before !== outside;) {
    before = outside;
    outside = outside.replace(/[([{][^()[\]{}]*[)\]}]/g, "");
  }
  return outside.includes(",");
}

/** The matrices in an answer that can be painted, each with its key in a dictionary, or "". */
function paintable(answer) {
  const parts = shape(answer)?.length === 2 ? [["", answer]] : [...(answer?.entries?.() ?? [])];
  return parts
    .filter(([, one]) => {
      const sizes = shape(one) ?? [];
      return sizes.length === 2 && Math.max(...sizes) <= SHOWN.side;
    })
    .slice(0, SHOWN.matrices)
    .flatMap(([key, one]) => {
      try {
        return [[typeof key === "string" ? key : "", asMatrix(one, "")]];
      } catch {
        return []; // the verdict says why it is none
      }
    });
}

function picture([key, A]) {
  const canvas = element("canvas", {
    role: "img",
    "aria-label": `Your ${key || "matrix"}, ${A.length} by ${A[0].length}, from ${ends(A)
      .map((one) => shown(one))
      .join(" to ")}`,
  });
  paint(canvas, A, scale(A).colour, null, 2 * WIDE); // twice, for fine screens
  canvas.style.setProperty("--columns", A[0].length);
  canvas.style.setProperty("--side", Math.max(A.length, A[0].length));
  return element("figure", {}, canvas, element("figcaption", {}, `${key} ${A.length}×${A[0].length}`.trim()));
}

function ends(A) {
  return [Math.min, Math.max].map((which) => A.flat().reduce((one, other) => which(one, other)));
}

function draw({ model, el }) {
  const { id, framework, outcomes, hint, task } = state(model, defaults);
  const about = id === "3"; // only this exercise has an answer for each framework
  const key = `d2lconv:exercise:${id}`;
  let view = framework;
  if (task?.points) {
    el.append(essay(id, task, (right) => solved(right)));
    return undefined;
  }

  const whose = element("span", { class: "soft" });
  const area = element("textarea", {
    spellcheck: "false",
    autocomplete: "off",
    autocapitalize: "off",
    oninput: edited,
    onkeydown: (event) => {
      if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
      event.preventDefault();
      judge();
    },
  });
  const verdict = element("div", { class: "verdict", "aria-live": "polite" });
  const more = element("div", { class: "more" });
  el.append(
    element(
      "div",
      { role: "region", class: "d2lconv exercises", "aria-label": `Exercise ${id}, your answer` },
      element("label", {}, element("span", { class: "name" }, "Your answer", whose), area),
      element(
        "div",
        { class: "toolbar" },
        button("Check", judge, { class: "play" }),
        button("Clear", clear),
        element("span", { class: "hint" }, "or Ctrl+Enter"),
      ),
      verdict,
      more,
    ),
  );

  function edited() {
    memory.write(key, area.value);
    memory.write(`${key}:checked`, "");
    area.rows = Math.max(ROWS_SHOWN[0], Math.min(ROWS_SHOWN[1], area.value.split("\n").length));
    area.removeAttribute("aria-invalid");
    verdict.classList.add("old"); // it was about another text
  }

  /** Empty the field, so that the browser's "undo" brings the text back where it can. */
  function clear() {
    area.focus();
    area.select();
    if (!document.execCommand?.("delete")) area.value = "";
    edited();
    silence();
    told(false);
  }

  function silence() {
    verdict.replaceChildren();
    more.replaceChildren();
  }

  /** Tell the page, which counts, and what is checked again at the next visit. */
  function told(right, checked = "") {
    memory.write(`${key}:checked`, checked);
    solved(right);
  }

  function solved(right) {
    el.dispatchEvent(new CustomEvent("d2lconv:verdict", { bubbles: true, detail: { id, right } }));
  }

  function tell(kind, title, text, ...below) {
    verdict.className = "verdict";
    verdict.dataset.kind = kind;
    area.setAttribute("aria-invalid", String(kind === "slip"));
    verdict.replaceChildren(
      element("span", { class: "mark", "aria-hidden": "true" }, MARKS[kind]),
      element("p", {}, element("strong", {}, title), " ", ...[text].flat()),
    );
    more.replaceChildren(...below);
  }

  function judge() {
    const text = area.value;
    try {
      give(parse(text), "text");
    } catch (error) {
      if (error instanceof NeedsPython) toPython(text);
      else if (error instanceof Slip) slip(text, error);
      else throw error;
    }
  }

  /** Give the verdict on an answer, which the reader typed as a whole or by its samples. */
  function give(answer, from, ...below) {
    if (about && view === "together" && !(answer instanceof Map))
      return tell("slip", "For which framework?", `They differ, so answer for each: ${byFramework()}`, ...below);
    try {
      const { right, message } = check(id, answer, { framework: view, outcomes, task });
      const [title] = message.split(" ", 1);
      const pictures = element("div", { class: "pictures" }, ...paintable(answer).map(picture));
      const offer = !right && hint ? [hinted()] : [];
      tell(right ? "right" : "wrong", title, message.slice(title.length + 1), ...offer, pictures, ...below);
      return told(right, from);
    } catch (error) {
      if (!(error instanceof Undecided)) throw error;
      return tell("slip", "Not checked:", error.message, ...below);
    }
  }

  /** An offer of the hint. */
  function hinted() {
    return element("details", { class: "offer" }, element("summary", {}, "Show me the hint"), element("p", {}, hint));
  }

  function slip(text, { message, place }) {
    if (area.matches(":focus")) area.setSelectionRange(place, place + 1);
    const before = text.slice(0, place).split("\n").at(-1);
    const [after] = text.slice(place + 1).split("\n");
    const here = element("mark", {}, text[place]?.trim() || "\u00a0");
    const line = element("pre", {}, before.slice(-30), here, after.slice(0, 30));
    return tell("slip", "Not readable yet.", message, ...(text.trim() ? [line] : []));
  }

  /** What the page cannot run, it hands over to Python. */
  function toPython(text) {
    const code = program(id, text, view);
    const backend = about && !["numpy", "together"].includes(view) ? ` --backend ${view}` : "";
    const copy = button("Copy", async () => {
      copy.textContent = (await copied(code)) ? "Copied" : "Press Ctrl+C";
    });
    const lines = element("pre", { class: "code" }, code);
    const python = element(
      "details",
      {},
      element("summary", {}, "Or have Python check the program"),
      element("p", {}, "After ", element("code", {}, "import d2lconv as dc"), ", run:"),
      lines,
      element("div", { class: "toolbar" }, copy),
      element(
        "p",
        { class: "hint" },
        "In a terminal: save a program that defines ",
        element("code", {}, "answer"),
        " as mine.py, say, and run ",
        element("code", {}, `d2lconv exercise check ${id} mine.py${backend}`),
      ),
    );
    const form = samples(
      id,
      task,
      `${key}:samples`,
      (answer) => give(answer, "samples", form, python),
      (error, label) =>
        tell("slip", `Not readable yet, for ${label}:`, error.message || "give data, not a program.", form, python),
    );
    tell(
      "python",
      "What does it give?",
      "The page runs no programs. Fill in what yours gives for these, and it is checked:",
      form,
      python,
    );
    async function copied(text) {
      try {
        await navigator.clipboard.writeText(text);
        return true;
      } catch {
        getSelection().selectAllChildren(lines); // which older ways, or the reader's keys, can copy
        return document.execCommand?.("copy") ?? false;
      }
    }
  }

  /** What was checked at the last visit. */
  function again(checked) {
    judge();
    if (checked === "samples" && verdict.dataset.kind === "python") more.querySelector(".samples button").click();
  }

  function byFramework() {
    return `{${Object.keys(outcomes)
      .map((name) => `'${name}': ...`)
      .join(", ")}}`;
  }

  /** The page shows another framework, or all of them side by side. */
  function look(event) {
    if (typeof event.detail !== "string" || event.detail === view) return;
    view = event.detail;
    if (about) silence();
    entitle();
  }

  function entitle() {
    const together = view === "together";
    whose.textContent = !about
      ? ""
      : together
        ? ", for each framework"
        : ` for ${outcomes[view]?.framework ?? view}`;
    area.placeholder = about && together ? byFramework() : "answer = ...";
  }

  const checked = memory.read(`${key}:checked`);
  area.value = memory.read(key);
  edited();
  entitle();
  if (checked) again(checked);
  document.addEventListener("d2lconv:view", look);
  return () => document.removeEventListener("d2lconv:view", look);
}

export const render = living(draw, defaults);
export default { render };
