// The deck: what does not fit on its slide is shown smaller, and no smaller than can be read.
(() => {
  const SIZE = { width: 1280, height: 720 };
  const LEAST = 0.5;
  const print = new URLSearchParams(location.search).has("print-pdf");

  function fit(section) {
    const box = section?.querySelector(":scope > .fitted");
    const sheet = section?.closest(".pdf-page") ?? section;
    if (!box) return;
    const corners = [...document.querySelectorAll(".controls button, .slide-number")]
      .map((part) => part.getBoundingClientRect())
      .filter((part) => !print && part.height);
    const bottom = Math.min(
      sheet.getBoundingClientRect().bottom,
      ...corners.map((part) => part.top),
    );
    for (let zoom = 1; zoom >= LEAST; zoom *= 0.97) {
      box.style.zoom = zoom;
      box.style.setProperty("--zoom", zoom); // by which code does not shrink
      const ends = [...box.children].map((part) => part.getBoundingClientRect().bottom);
      if (Math.max(...ends) <= bottom) break;
    }
  }

  const deck = new Reveal({
    ...SIZE,
    margin: 0.04,
    center: false,
    hash: true,
    slideNumber: "c/t",
    navigationMode: "linear",
    transition: "none",
    pdfSeparateFragments: false,
    pdfMaxPagesPerSlide: 1,
    view: print ? "print" : null,
    plugins: [RevealNotes],
  });
  const all = () => document.querySelectorAll(".slides section:not(.stack)").forEach(fit);
  deck.on("slidechanged", ({ currentSlide }) => fit(currentSlide));
  deck.on("pdf-ready", all);
  document.addEventListener("toggle", () => fit(deck.getCurrentSlide()), true);
  deck.initialize().then(() => (print ? all() : fit(deck.getCurrentSlide())));
  window.deck = deck;
})();
