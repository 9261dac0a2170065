"""The style and the script of tabs and of long tables in an HTML report; they fetch nothing."""

PAGE_STYLE = """
[role=tablist] { display: flex; flex-wrap: wrap; gap: .25rem; margin: 1rem 0 .5rem; border-bottom: 1px solid var(--line); }
[role=tab] { font: inherit; color: var(--quiet); background: none; border: 0; border-bottom: 3px solid transparent;
  padding: .35rem .8rem; cursor: pointer; }
[role=tab][aria-selected=true] { color: var(--ink); border-bottom-color: var(--accent); font-weight: 600; }
[role=tab]:focus-visible, [role=tabpanel]:focus-visible { outline: 2px solid var(--accent); }
.virtual .scroll { overflow: auto; height: min(75vh, 60rem); border-bottom: 1px solid var(--line); }
.virtual table { border-collapse: separate; border-spacing: 0; }
.virtual td { height: 1.7rem; line-height: 1.7rem; padding-top: 0; padding-bottom: 0; white-space: pre; }
.virtual tr.space td { height: auto; padding: 0; border: 0; }
"""

TAB_SCRIPT = """
const tabs = Array.from(document.querySelectorAll("[role=tab]"));
function choose(tab, focus) {
  for (const one of tabs) {
    const chosen = one === tab;
    one.setAttribute("aria-selected", String(chosen));
    one.tabIndex = chosen ? 0 : -1;
    document.getElementById(one.getAttribute("aria-controls")).hidden = !chosen;
  }
  if (focus) tab.focus();
  document.dispatchEvent(new Event("shown"));
}
tabs.forEach((tab, place) => {
  tab.addEventListener("click", () => {
    history.replaceState(null, "", "#" + tab.dataset.name);
    choose(tab, false);
  });
  tab.addEventListener("keydown", (event) => {
    const to = { ArrowLeft: place - 1, ArrowRight: place + 1, Home: 0, End: tabs.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    choose(tabs[(to + tabs.length) % tabs.length], true);
  });
});
function follow() {
  const asked = tabs.find((tab) => "#" + tab.dataset.name === decodeURIComponent(location.hash));
  if (asked) choose(asked, false);
}
window.addEventListener("hashchange", follow);
follow();
"""

VIRTUAL_SCRIPT = """
for (const section of document.querySelectorAll("section.virtual")) {
  const view = section.querySelector(".scroll"), body = section.querySelector("tbody");
  const input = section.querySelector("input"), output = section.querySelector("output");
  const heads = Array.from(section.querySelectorAll("th"));
  let rows = null, order = null, texts = null, kept = null, height = 28, first = -1;

  const text = (cell) => typeof cell === "string" ? cell : cell[0];
  const whole = (cell) => typeof cell === "string" ? cell : cell[3] + cell[0];

  function read() {
    rows = JSON.parse(section.querySelector("script").textContent);
    order = rows.map((row, place) => place);
    kept = order;
  }

  function made(place, number) {
    const line = document.createElement("tr");
    line.setAttribute("aria-rowindex", number + 2);
    rows[place].forEach((cell, column) => {
      const shown = document.createElement("td");
      shown.className = heads[column].dataset.kind || "";
      if (typeof cell === "string") shown.textContent = cell;
      else {
        if (cell[2]) shown.className += " " + cell[2];
        if (cell[3]) {
          const above = document.createElement("span");
          above.className = "above";
          above.textContent = cell[3];
          shown.append(above);
        }
        shown.append(cell[0]);
        if (cell[4] !== null) { shown.classList.add("heat"); shown.style.setProperty("--heat", cell[4]); }
      }
      line.append(shown);
    });
    return line;
  }

  function space(size) {
    const line = document.createElement("tr"), cell = document.createElement("td");
    line.className = "space";
    line.setAttribute("aria-hidden", "true");
    cell.colSpan = heads.length;
    cell.style.height = size + "px";
    line.append(cell);
    return line;
  }

  function draw(again) {
    if (section.closest("[hidden]")) return;
    if (rows === null) read();
    const many = Math.ceil(view.clientHeight / height) + 40;
    const start = Math.max(0, Math.min(Math.floor(view.scrollTop / height) - 20, kept.length - many));
    if (start === first && !again) return;
    first = start;
    const end = Math.min(kept.length, start + many);
    const shown = kept.slice(start, end).map((place, at) => made(place, start + at));
    body.replaceChildren(space(start * height), ...shown, space((kept.length - end) * height));
    const real = shown.length ? shown[0].getBoundingClientRect().height : height;
    if (real && Math.abs(real - height) > 0.01) { height = real; draw(true); }
  }

  function filter() {
    const words = input.value.toLowerCase().split(/\\s+/).filter(Boolean);
    if (words.length && texts === null) texts = rows.map((row) => row.map(whole).join(" ").toLowerCase());
    kept = words.length ? order.filter((place) => words.every((word) => texts[place].includes(word))) : order;
    output.textContent = words.length ? kept.length + " of " + rows.length + " rows" : "";
    section.querySelector("table").setAttribute("aria-rowcount", kept.length + 1);
    view.scrollTop = 0;
    draw(true);
  }

  function key(cell) { return typeof cell === "string" || cell[1] === null ? whole(cell) : cell[1]; }

  const words = new Intl.Collator("en", { numeric: true });

  function compare(a, b) {
    if (typeof a === typeof b) return typeof a === "number" ? a - b : words.compare(a, b);
    return typeof a === "number" ? -1 : 1;
  }

  function sort(column) {
    const before = heads[column].getAttribute("aria-sort");
    const next = before === null ? "ascending" : before === "ascending" ? "descending" : null;
    heads.forEach((head) => head.removeAttribute("aria-sort"));
    order = rows.map((row, place) => place);
    if (next !== null) {
      heads[column].setAttribute("aria-sort", next);
      const sign = next === "ascending" ? 1 : -1;
      const keys = rows.map((row) => key(row[column]));
      order.sort((a, b) => sign * compare(keys[a], keys[b]) || a - b);
    }
    filter();
  }

  input.addEventListener("input", filter);
  heads.forEach((head, column) => head.querySelector("button").addEventListener("click", () => sort(column)));
  view.addEventListener("scroll", () => draw(false), { passive: true });
  window.addEventListener("resize", () => draw(true));
  document.addEventListener("shown", () => draw(true));
  draw(true);
}
"""
