// A place to answer in words: nothing judges them, so the reader compares them with a model answer.
import { button, element } from "./common.js";
import { memory } from "./samples.js";

/** The place; `told(all)` hears whether the reader has found every point in the text. */
export function essay(id, { points, model }, told) {
  const key = `d2lconv:exercise:${id}`;
  const ticked = new Set(JSON.parse(memory.read(`${key}:ticked`) || "[]"));
  const area = element("textarea", { rows: 4, oninput: () => memory.write(key, area.value) });
  area.value = memory.read(key);
  const boxes = points.map((point, n) => {
    const box = element("input", {
      type: "checkbox",
      onchange: () => {
        ticked[box.checked ? "add" : "delete"](n);
        memory.write(`${key}:ticked`, JSON.stringify([...ticked]));
        told(ticked.size === points.length);
      },
    });
    box.checked = ticked.has(n);
    return element("label", { class: "point" }, box, element("span", {}, point));
  });
  const below = element(
    "div",
    { class: "compare" },
    element("p", {}, element("strong", {}, "A model answer. "), model),
    element("fieldset", {}, element("legend", {}, "Does yours say this?"), ...boxes),
  );
  below.hidden = !ticked.size;
  const compare = button("Compare", () => (below.hidden = false), { class: "play" });
  if (ticked.size === points.length) setTimeout(() => told(true));
  return element(
    "div",
    { role: "region", class: "d2lconv exercises", "aria-label": `Exercise ${id}, your answer` },
    element("label", {}, element("span", { class: "name" }, "Your answer, in words"), area),
    element("div", { class: "toolbar" }, compare),
    below,
  );
}
