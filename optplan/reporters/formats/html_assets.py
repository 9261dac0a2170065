"""The styles and the scripts of an HTML report, of its tabs and of its long tables; they fetch nothing."""

STYLE = """
:root { color-scheme: light dark; --paper: #ffffff; --ink: #1d2129; --quiet: #5c6470;
  --line: #d9dde3; --band: #f4f6f8; --accent: #0b62c4; --alarm: #b3261e; --bar: #3b82d6; --shade: #b9d3f1;
  --cold: #eef4fb; --hot: #f2a45c; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #14171c; --ink: #e4e7ec; --quiet: #9aa4b2; --line: #333a45;
    --band: #1d222a; --accent: #7ab7ff; --alarm: #ff8a80; --bar: #5b9ee8; --shade: #2b4a70;
    --cold: #1a2634; --hot: #9a4f14; } }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 96rem; margin: 0 auto; padding: 1.5rem; }
h1 { font-size: 1.5rem; margin: 0 0 .5rem; overflow-wrap: anywhere; }
h1 small { color: var(--quiet); font-weight: normal; }
h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
p { margin: .15rem 0; }
input { font: inherit; padding: .25rem .5rem; min-width: 18rem; color: inherit;
  background: var(--paper); border: 1px solid var(--quiet); border-radius: 4px; }
output { color: var(--quiet); margin-left: .75rem; }
.scroll { overflow: auto; max-height: 85vh; margin-top: .5rem; }
thead th { position: sticky; top: 0; z-index: 1; background: var(--paper); box-shadow: inset 0 -2px var(--line); }
table { border-collapse: collapse; width: 100%; }
th { text-align: left; border-bottom: 2px solid var(--line); white-space: nowrap; }
th button { all: unset; cursor: pointer; padding: .3rem .6rem; font-weight: 600; }
th button:focus-visible, input:focus-visible, .scroll:focus-visible { outline: 2px solid var(--accent); }
th[aria-sort] button { color: var(--accent); }
th[aria-sort=ascending] button::after { content: " \\2191"; }
th[aria-sort=descending] button::after { content: " \\2193"; }
td { white-space: nowrap; padding: .2rem .6rem; border-bottom: 1px solid var(--line); vertical-align: top; }
tbody tr:hover { background: var(--band); }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.name { font-family: ui-monospace, monospace; font-size: .9em; white-space: pre; }
.above, .quiet, footer { color: var(--quiet); }
.alarm { color: var(--alarm); font-weight: 600; }
.bar { display: block; height: .35rem; margin-left: auto; width: 7rem; border-radius: 2px; background:
  linear-gradient(to right, var(--bar) calc(var(--low) * 100%), var(--shade) 0 calc(var(--high) * 100%),
  transparent 0); }
.heat { background: color-mix(in oklab, var(--hot) calc(var(--heat) * 100%), var(--cold)); }
footer { margin-top: 2rem; }
[hidden] { display: none; }
"""

SCRIPT = """
"use strict";
for (const section of document.querySelectorAll("section:not(.virtual)")) {
  const body = section.querySelector("tbody");
  if (!body) continue;
  const rows = Array.from(body.rows);
  const input = section.querySelector("input");
  const output = section.querySelector("output");
  const texts = rows.map((row) => row.textContent.toLowerCase());
  const heads = Array.from(section.querySelectorAll("th"));

  function filter() {
    const words = input.value.toLowerCase().split(/\\s+/).filter(Boolean);
    let shown = 0;
    rows.forEach((row, place) => {
      row.hidden = !words.every((word) => texts[place].includes(word));
      shown += !row.hidden;
    });
    output.textContent = words.length ? shown + " of " + rows.length + " rows" : "";
  }

  function key(row, column) {
    const cell = row.cells[column];
    const order = cell.dataset.order;
    return order === undefined ? cell.textContent : Number(order);
  }

  function compare(a, b) {
    if (typeof a === typeof b) {
      return typeof a === "number" ? a - b : a.localeCompare(b, "en", { numeric: true });
    }
    return typeof a === "number" ? -1 : 1;
  }

  function sort(column) {
    const before = heads[column].getAttribute("aria-sort");
    const next = before === null ? "ascending" : before === "ascending" ? "descending" : null;
    heads.forEach((head) => head.removeAttribute("aria-sort"));
    let order = rows;
    if (next !== null) {
      heads[column].setAttribute("aria-sort", next);
      const sign = next === "ascending" ? 1 : -1;
      const keyed = rows.map((row) => [key(row, column), row]);
      keyed.sort((a, b) => sign * compare(a[0], b[0]));
      order = keyed.map((pair) => pair[1]);
    }
    body.append(...order);
  }

  input.addEventListener("input", filter);
  heads.forEach((head, column) => {
    head.querySelector("button").addEventListener("click", () => sort(column));
  });
}
"""


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
