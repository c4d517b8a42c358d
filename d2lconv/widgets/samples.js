// What the reader's program gives for a few samples, typed in by the reader: pages run no programs, and
// so can check one all the same. And what a browser keeps from one visit to the next.
import { button, element } from "./common.js";
import { Tuple, parse } from "./literals.js";

/** The browser may refuse to keep anything, as it may for a page from disk. */
export const memory = {
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

const DIRECTIONS = [
  [1, 0],
  [0, 1],
  [1, 1],
  [1, -2],
];
const EYE = "X = [[1, 0, 0], [0, 1, 0], [0, 0, 1]]";
const one = ([value]) => value;

/** For each exercise the samples, and the answer that their values are together. */
const SAMPLES = {
  "1a": { labels: ["your image"], answer: one },
  "1b": { labels: [EYE], answer: one },
  "1c": { labels: [EYE], answer: one },
  "1d": { labels: [EYE], answer: one },
  "2a": {
    labels: DIRECTIONS.map((v) => `v = (${v.join(", ")})`),
    answer: (kernels) => new Map(DIRECTIONS.map((v, n) => [Tuple.from(v, BigInt), kernels[n]])),
  },
  "2b": { labels: ["your kernel"], answer: one },
  "2c": { labels: ["your kernel"], answer: one },
  "2d": { labels: [1, 2, 3, 4].map((d) => `d = ${d}`), answer: (sizes) => sizes },
  3: { labels: ["the outcome: 'gradient', 'none' or 'error'"], answer: one },
  "4a": { labels: ["X = [[0, 1, 2], [3, 4, 5], [6, 7, 8]], size (2, 2)"], answer: one },
  "4b": { labels: ["K = [[0, 1], [2, 3]], shape (3, 3)"], answer: one },
};

/** The samples of an exercise that is data. */
function sampled({ labels }) {
  return labels.length ? { labels, answer: (values) => values } : { labels: ["your answer"], answer: one };
}

/** Fields for an exercise's samples; `judge(answer)` gets what they say, `failed(error, label)` why not. */
export function samples(id, task, key, judge, failed) {
  const { labels, answer } = task ? sampled(task) : SAMPLES[id];
  const kept = (memory.read(key) || "[]").startsWith("[") ? JSON.parse(memory.read(key) || "[]") : [];
  const areas = labels.map((label, n) =>
    Object.assign(
      element("textarea", {
        rows: 1,
        spellcheck: "false",
        autocapitalize: "off",
        "aria-label": `What your program gives for ${label}`,
        oninput: () => memory.write(key, JSON.stringify(areas.map((area) => area.value))),
      }),
      { value: kept[n] ?? "" },
    ),
  );
  function check() {
    const values = [];
    for (const [n, area] of areas.entries()) {
      try {
        values.push(parse(area.value));
        area.removeAttribute("aria-invalid");
      } catch (error) {
        area.setAttribute("aria-invalid", "true");
        return failed(error, labels[n]);
      }
    }
    return judge(answer(values));
  }
  const rows = areas.map((area, n) => element("label", {}, element("code", {}, labels[n]), area));
  return element(
    "div",
    { class: "samples" },
    ...rows,
    element("div", { class: "toolbar" }, button("Check these values", check, { class: "play" })),
  );
}
