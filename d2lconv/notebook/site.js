// The search, over all lessons and the reference: the library finds, this shows.
(() => {
  const search = new MiniSearch({
    fields: ["title", "text"],
    storeFields: ["address", "title", "where", "text"],
    searchOptions: {
      boost: { title: 4 },
      boostDocument: (id, term, { address }) => (address.includes("#") ? 1 : 2), // a whole page
      prefix: true,
      fuzzy: 0.15,
      combineWith: "AND",
    },
  });
  search.addAll(INDEX);
  const field = document.querySelector("#q");
  const found = document.querySelector("#found");
  const MOST = 12;

  function element(tag, attributes, ...inside) {
    const node = Object.assign(document.createElement(tag), attributes);
    node.append(...inside);
    return node;
  }

  /** The words around the first match, with the matches marked. */
  function excerpt({ text, terms }) {
    const escaped = terms.map((term) => term.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
    const pattern = new RegExp(`(${escaped.join("|")})`, "i");
    const at = Math.max(0, text.search(pattern));
    const start = at < 60 ? 0 : text.indexOf(" ", at - 60) + 1;
    const parts = text.slice(start, start + 180).split(new RegExp(pattern.source, "gi"));
    const marked = parts.map((part, n) => (n % 2 ? element("mark", {}, part) : part));
    return [start ? "… " : "", ...marked, "…"];
  }

  function show() {
    const asked = field.value.trim();
    if (!asked) return found.replaceChildren();
    const every = search.search(asked);
    const results = every.length ? every : search.search(asked, { combineWith: "OR", prefix: false });
    const rows = results.slice(0, MOST).map((one) =>
      element(
        "li",
        {},
        element("a", { href: one.address }, one.title),
        element("span", { className: "where" }, `, ${one.where}`),
        element("p", {}, ...excerpt(one)),
      ),
    );
    const count = results.length > MOST ? `The best ${MOST} of ${results.length} places` : `${results.length} places`;
    const best = results.length === 1 ? "1 place" : count;
    const said = !results.length
      ? "Nothing has any of these words."
      : every.length
        ? best
        : `Nothing has all of these words. ${best} with some of them`;
    return found.replaceChildren(element("p", {}, said), element("ol", {}, ...rows));
  }

  field.value = new URLSearchParams(location.search).get("q") ?? "";
  field.addEventListener("input", show);
  field.form.addEventListener("submit", (event) => {
    event.preventDefault();
    show();
  });
  show();
})();
