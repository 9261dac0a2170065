"""The style and the script of the charts in an HTML report; they fetch nothing."""

CHART_STYLE = """
.chart { --light: 55%; }
@media (prefers-color-scheme: dark) { .chart { --light: 76%; } }
.chart svg { display: block; width: 100%; height: auto; max-height: 34rem; touch-action: none;
  border: 1px solid var(--line); border-radius: 4px; background: var(--paper); }
.chart svg:focus-visible, .chart button:focus-visible, .chart input:focus-visible {
  outline: 2px solid var(--accent); }
.chart svg text { fill: var(--quiet); font: 12px system-ui, sans-serif; }
.chart svg line { stroke: var(--line); }
.chart svg .cursor { stroke: var(--accent); stroke-dasharray: 3 3; }
.chart svg polyline { fill: none; stroke-width: 2; vector-effect: non-scaling-stroke; }
.chart svg circle { stroke: var(--paper); stroke-width: 1.5; }
.chart .tools { display: flex; flex-wrap: wrap; gap: .4rem 1rem; align-items: center; margin: .4rem 0; }
.chart .tools output { margin: 0; color: var(--ink); font-weight: 600; }
.chart button { font: inherit; color: inherit; background: var(--band); border: 1px solid var(--quiet);
  border-radius: 4px; padding: .15rem .6rem; cursor: pointer; }
.chart input { min-width: 0; accent-color: var(--accent); }
.chart ul { list-style: none; margin: .5rem 0 0; padding: 0; columns: 26rem auto; column-gap: 2rem; }
.chart li { break-inside: avoid; display: flex; gap: .5rem; align-items: baseline; }
.chart li label { display: flex; gap: .5rem; align-items: baseline; }
.chart li .swatch { flex: none; width: 1.2rem; height: .25rem; border-radius: 2px; align-self: center; }
.chart li output { margin-left: auto; font-variant-numeric: tabular-nums; }
"""

CHART_SCRIPT = """
for (const section of document.querySelectorAll("section.chart")) {
  const data = JSON.parse(section.querySelector("script").textContent);
  const svg = section.querySelector("svg");
  const readOff = section.querySelector(".tools output");
  const scale = section.querySelector("input[name=scale]");
  const boxes = Array.from(section.querySelectorAll("li input"));
  const outputs = Array.from(section.querySelectorAll("li output"));
  const swatches = Array.from(section.querySelectorAll("li .swatch"));
  const steps = data.steps;
  const box = { left: 76, top: 14, right: 946, bottom: 372 };
  let place = 0;
  let axis = null;

  function node(name, attributes, text) {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const key in attributes) made.setAttribute(key, attributes[key]);
    if (text !== undefined) made.textContent = text;
    svg.append(made);
    return made;
  }

  function colour(number) {
    return "oklch(var(--light) 0.16 " + (285 - 260 * data.settings[number].rank).toFixed(1) + ")";
  }

  function curve(number) { return data.curves[data.settings[number].curve]; }

  function text(value) {
    if (value === null) return "–";
    const short = Number(value.toPrecision(6));
    return short !== 0 && Math.abs(short) < 1e-4 ? short.toExponential() : String(short);
  }

  function x(step) {
    const last = steps[steps.length - 1] || 1;
    return box.left + (box.right - box.left) * step / last;
  }

  function y(value) {
    let share;
    if (axis.low === axis.high) share = 0.5;
    else if (axis.log) share = Math.log(Math.max(value, axis.low) / axis.low) / Math.log(axis.high / axis.low);
    else share = (value - axis.low) / (axis.high - axis.low);
    return box.bottom - (box.bottom - box.top) * share;
  }

  // curves that coincide are drawn once, in the colour of the first
  function drawn() {
    const seen = new Set();
    return shown().filter((number) => {
      const own = data.settings[number].curve;
      return seen.has(own) ? false : seen.add(own);
    });
  }

  function shown() { return boxes.map((input, number) => number).filter((number) => boxes[number].checked); }

  function fit() {
    const values = shown().flatMap((number) => curve(number)).filter((value) => value !== null);
    if (!values.length) values.push(0, 1);
    const high = values.reduce((a, b) => Math.max(a, b));
    const low = values.reduce((a, b) => Math.min(a, b));
    const positive = values.filter((value) => value > 0);
    const least = positive.length ? positive.reduce((a, b) => Math.min(a, b)) : 0;
    if (scale.checked && least > 0) return { log: true, low: Math.max(least, high / 1e6), high: high };
    return { log: false, low: Math.min(low, 0), high: high };
  }

  function marks() {
    const found = [];
    if (axis.log) {
      const first = Math.ceil(Math.log10(axis.low) - 1e-9), last = Math.floor(Math.log10(axis.high) + 1e-9);
      for (let power = first; power <= last; power++) found.push(Number("1e" + power));
      if (found.length < 2) found.push(axis.low, axis.high);
    } else {
      const part = (axis.high - axis.low) / 4 || 1, power = 10 ** Math.floor(Math.log10(part));
      const size = [1, 2, 5, 10].find((one) => one * power >= part * 0.999) * power;
      const first = Math.ceil(axis.low / size - 1e-9), last = Math.floor(axis.high / size + 1e-9);
      for (let at = first; at <= last; at++) found.push(at * size);
    }
    return found;
  }

  function draw() {
    svg.replaceChildren();
    axis = fit();
    for (const value of marks()) {
      node("line", { x1: box.left, x2: box.right, y1: y(value), y2: y(value) });
      node("text", { x: box.left - 8, y: y(value) + 4, "text-anchor": "end" }, text(Number(value.toPrecision(3))));
    }
    let free = -Infinity;
    for (const step of data.ticks) {
      node("line", { x1: x(step), x2: x(step), y1: box.top, y2: box.bottom });
      if (x(step) < free) continue;
      const written = step.toLocaleString("en");
      const label = node("text", { x: x(step), y: box.bottom + 18, "text-anchor": "middle" }, written);
      free = x(step) + written.length * 8 + 8;
      if (x(step) > box.right - 20) label.setAttribute("text-anchor", "end");
    }
    node("text", { x: (box.left + box.right) / 2, y: box.bottom + 38, "text-anchor": "middle" }, data.unit);
    for (const number of drawn()) {
      let points = [];
      const values = curve(number);
      values.forEach((value, at) => { if (value !== null) points.push(x(steps[at]) + "," + y(value)); });
      const line = node("polyline", { points: points.join(" "), "data-setting": number });
      line.style.stroke = colour(number);
    }
    point();
  }

  function point() {
    svg.querySelectorAll(".cursor, circle").forEach((old) => old.remove());
    const step = steps[place];
    node("line", { class: "cursor", x1: x(step), x2: x(step), y1: box.top, y2: box.bottom });
    for (const number of drawn()) {
      const value = curve(number)[place];
      if (value !== null) {
        const dot = node("circle", { cx: x(step), cy: y(value), r: 4 });
        dot.style.fill = colour(number);
      }
    }
    const epoch = data.per_epoch ? " (epoch " + Math.floor(step / data.per_epoch) + ")" : "";
    readOff.textContent = data.unit + " " + step.toLocaleString("en") + epoch;
    outputs.forEach((output, number) => { output.textContent = text(curve(number)[place]); });
  }

  function nearest(event) {
    const frame = svg.getBoundingClientRect();
    const at = (event.clientX - frame.left) / frame.width * 960;
    let best = 0;
    steps.forEach((step, number) => { if (Math.abs(x(step) - at) < Math.abs(x(steps[best]) - at)) best = number; });
    return best;
  }

  function move(to) { place = Math.min(Math.max(to, 0), steps.length - 1); point(); }

  svg.addEventListener("pointermove", (event) => move(nearest(event)));
  svg.addEventListener("pointerdown", (event) => move(nearest(event)));
  svg.addEventListener("keydown", (event) => {
    const far = Math.max(1, Math.round(steps.length / 20));
    const to = { ArrowLeft: place - 1, ArrowRight: place + 1, PageUp: place + far, PageDown: place - far,
      Home: 0, End: steps.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    move(to);
  });
  boxes.forEach((input) => input.addEventListener("change", draw));
  scale.addEventListener("change", draw);
  section.querySelectorAll(".tools button").forEach((button) => button.addEventListener("click", () => {
    boxes.forEach((input) => { input.checked = button.name === "all"; });
    draw();
  }));
  swatches.forEach((swatch, number) => { swatch.style.background = colour(number); });
  draw();
}
"""
