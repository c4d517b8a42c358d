// The page's own: which framework is shown, in which colours, copying, and printing.
(() => {
  const root = document.documentElement;
  const keep = (name, value) => {
    try {
      localStorage.setItem(name, value);
    } catch {
      // a page from disk may not be allowed to remember
    }
  };

  /** The first thing below the header that stays visible in another view. */
  function anchor(view) {
    const top = document.querySelector("header").getBoundingClientRect().bottom;
    const shown = (node) => {
      const views = node.closest("[data-in]")?.dataset.in.split(" ");
      return node.offsetParent && (!views || views.includes(view));
    };
    const nodes = [...document.querySelectorAll("main :is(h1, h2, h3, p, pre, img, .widget)")].filter(shown);
    const below = (edge) => nodes.find((node) => node.getBoundingClientRect()[edge] > top);
    const whole = below("top");
    return whole?.getBoundingClientRect().top < innerHeight ? whole : below("bottom");
  }

  /** Show another framework, everywhere at once, and keep the reader's place. */
  function show(view) {
    const place = anchor(view);
    const before = place?.getBoundingClientRect().top;
    root.dataset.view = view;
    const scroll = place ? place.getBoundingClientRect().top - before : 0;
    window.scrollBy({ top: scroll, behavior: "instant" });
    keep("d2lconv-view", view);
    tell();
  }

  for (const radio of document.querySelectorAll("[name=view]")) {
    radio.checked = radio.value === root.dataset.view;
    if (radio.checked) radio.closest("label").scrollIntoView({ block: "nearest", inline: "nearest" });
    radio.addEventListener("change", () => show(radio.value));
  }
  const tell = () => document.dispatchEvent(new CustomEvent("d2lconv:view", { detail: root.dataset.view }));
  document.addEventListener("DOMContentLoaded", tell); // by then the widgets are there
  window.addEventListener("storage", ({ key, newValue }) => {
    const radio = key === "d2lconv-view" && document.querySelector(`[name=view][value="${newValue}"]`);
    if (!radio) return;
    radio.checked = true;
    show(newValue);
  });

  const themes = { "": ["◐", "as the system has them"], light: ["☀", "light"], dark: ["☾", "dark"] };
  const theme = document.querySelector(".theme");
  function colour(name) {
    if (name) root.dataset.theme = name;
    else delete root.dataset.theme;
    const [sign, words] = themes[name];
    theme.textContent = sign;
    theme.setAttribute("aria-label", `Colours: ${words}`);
    theme.title = `Colours: ${words}`;
    keep("d2lconv-theme", name);
  }
  theme.addEventListener("click", () => {
    const names = Object.keys(themes);
    colour(names[(names.indexOf(root.dataset.theme ?? "") + 1) % names.length]);
  });
  colour(root.dataset.theme ?? "");

  const contents = document.querySelector(".contents");
  contents.addEventListener("click", (event) => event.target.matches("a") && (contents.open = false));
  contents.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    contents.open = false;
    contents.querySelector("summary").focus();
  });
  document.addEventListener("click", (event) => contents.contains(event.target) || (contents.open = false));

  for (const code of document.querySelectorAll("main pre.code")) {
    const button = document.createElement("button");
    Object.assign(button, { type: "button", textContent: "Copy" });
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(code.textContent);
        button.textContent = "Copied";
      } catch {
        getSelection().selectAllChildren(code);
        button.textContent = "Selected";
      }
      setTimeout(() => (button.textContent = "Copy"), 1500);
    });
    const box = document.createElement("div");
    box.className = "copied";
    code.replaceWith(box);
    box.append(code, button);
  }

  // Printing: a handout has nothing that is folded, the other form has everything.
  let folded = [];
  for (const button of document.querySelectorAll("[data-print]"))
    button.addEventListener("click", () => {
      const all = [...document.querySelectorAll("main details")];
      const open = button.dataset.print === "solutions";
      folded = all.filter((node) => node.open !== open).map((node) => [node, node.open]);
      for (const [node] of folded) node.open = open;
      window.print();
    });
  window.addEventListener("afterprint", () => {
    for (const [node, was] of folded) node.open = was;
    folded = [];
  });

  for (const heading of document.querySelectorAll("main :is(h2, h3)[id]")) {
    const link = document.createElement("a");
    Object.assign(link, { className: "anchor", href: `#${heading.id}`, textContent: "#" });
    link.setAttribute("aria-label", "Link to this place");
    heading.append(link);
  }

  // How many exercises are solved: their places to work say so, also when the page opens again.
  const solved = new Set();
  const places = [...document.querySelectorAll('[data-d2lconv="exercises"]')];
  const count = document.createElement("p");
  Object.assign(count, { className: "solved" });
  count.setAttribute("role", "status");
  function headingOf(place) {
    let node = place;
    while (node && !node.matches("h3")) node = node.previousElementSibling;
    return node;
  }
  headingOf(places[0])?.before(count);
  function tally() {
    count.textContent = `${solved.size} of ${places.length} solved`;
  }
  document.addEventListener("d2lconv:verdict", ({ target, detail }) => {
    solved[detail.right ? "add" : "delete"](detail.id);
    headingOf(target)?.classList.toggle("done", detail.right);
    tally();
  });
  tally();
})();
