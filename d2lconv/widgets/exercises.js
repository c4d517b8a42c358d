// A place to work on one exercise: the reader's answer, kept, and the checker's verdict on it.
import { button, element, living, shown, state } from "./common.js";
import { NeedsPython, parse } from "./literals.js";
import { paint, scale } from "./pictures.js";
import { asMatrix, shape } from "./python.js";
import { Slip } from "./tokens.js";
import { Undecided, check } from "./verdicts.js";

const defaults = { id: "1a", framework: "numpy", outcomes: {} };
const MARKS = { right: "✓", wrong: "✗", slip: "!", python: "→" };
const ROWS_SHOWN = [2, 20]; // of the reader's text, at least and at most
const SHOWN = { matrices: 3, side: 32 }; // how many are painted, and how large they may be
const WIDE = 208; // pixels of the longer side of a picture, at most; style.css has them as 13rem
const PROGRAM = /^(?:def|async|class|import|from|for|while|if|with|try|@)/m;
const NAMED = /^(?:(?:async\s+)?def\s+([\p{L}_][\p{L}\p{N}_]*)|([\p{L}_][\p{L}\p{N}_]*)\s*=(?!=))/gmu;

/** What a browser keeps from one visit to the next; it may refuse to. */
const memory = {
  read(key) {
    try {
      return localStorage.getItem(key) ?? "";
    } catch {
      return "";
    }
  },
  write(key, text) {
    try {
      if (text) localStorage.setItem(key, text);
      else localStorage.removeItem(key);
    } catch {
      // then it lasts as long as the page
    }
  },
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
  if (!/\bd2l\./.test(body) || /\bas d2l\b|^d2l *=/m.test(body)) return lines;
  const meant = framework === "together" ? "d2l = dc" : `from d2lconv import ${framework} as d2l`;
  return `${meant}\n${simple ? "" : "\n"}${lines}`;
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
  const { id, framework, outcomes } = state(model, defaults);
  const about = id === "3"; // only this exercise has an answer for each framework
  const key = `d2lconv:exercise:${id}`;
  let view = framework;

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
  }

  function silence() {
    verdict.replaceChildren();
    more.replaceChildren();
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
      const answer = parse(text);
      if (about && view === "together" && !(answer instanceof Map))
        return tell("slip", "For which framework?", `They differ, so answer for each: ${byFramework()}`);
      const { right, message } = check(id, answer, { framework: view, outcomes });
      const [title] = message.split(" ", 1);
      const pictures = element("div", { class: "pictures" }, ...paintable(answer).map(picture));
      return tell(right ? "right" : "wrong", title, message.slice(title.length + 1), pictures);
    } catch (error) {
      if (error instanceof NeedsPython) return toPython(text);
      if (error instanceof Undecided) return tell("slip", "Not checked:", error.message);
      if (!(error instanceof Slip)) throw error;
      return slip(text, error);
    }
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
    tell(
      "python",
      "Only Python can check this.",
      [
        "The page reads data, but runs no program. After ",
        element("code", {}, "import d2lconv as dc"),
        ", this checks your answer:",
      ],
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

  area.value = memory.read(key);
  edited();
  entitle();
  document.addEventListener("d2lconv:view", look);
  return () => document.removeEventListener("d2lconv:view", look);
}

export const render = living(draw, defaults);
export default { render };
