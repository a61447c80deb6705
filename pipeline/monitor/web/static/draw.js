// Elements, numbers and charts. Whatever comes from outside becomes text, never markup.

export const byId = (id) => document.getElementById(id);

// An element with a class, text and children; `text` is only ever text.
export function make(name, { cls = "", text = "", ...attributes } = {}, ...children) {
  const found = document.createElement(name);
  if (cls) found.className = cls;
  if (text) found.textContent = text;
  for (const [key, value] of Object.entries(attributes)) found.setAttribute(key, value);
  found.append(...children);
  return found;
}

const whole = new Intl.NumberFormat("en");
const compact = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
export const count = (number) => (number < 100000 ? whole.format(number) : compact.format(number));
export const rate = (number) => (number >= 10 ? whole.format(Math.round(number)) : number.toFixed(1));

export function seconds(value) {
  if (value < 10) return `${value.toFixed(value < 1 ? 2 : 1)} s`;
  if (value < 120) return `${Math.round(value)} s`;
  if (value < 7200) return `${Math.round(value / 60)} min`;
  return `${Math.round(value / 3600)} h`;
}

export function size(bytes) {
  if (bytes < 1024) return `${bytes} bytes`;
  return bytes < 1048576 ? `${(bytes / 1024).toFixed(1)} KB` : `${(bytes / 1048576).toFixed(1)} MB`;
}

export function ago(time, now) {
  const passed = Math.floor(Math.max(0, (Date.parse(now) - Date.parse(time)) / 1000));
  return passed < 10 ? "just now" : `${seconds(passed)} ago`;
}

const WIDTH = 600, HEIGHT = 132, PAD = 6;

function svg(name, attributes) {
  const found = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) found.setAttribute(key, value);
  return found;
}

// The next round number at or above `value`: 1, 2 or 5 times a power of ten.
export function roof(value, least) {
  const wanted = Math.max(value, least);
  const power = 10 ** Math.floor(Math.log10(wanted));
  return [1, 2, 5, 10].map((factor) => factor * power).find((found) => found >= wanted - 1e-9);
}

// Draws points [step, one, two] into `chart`; returns the value at its upper edge.
export function draw(chart, points, { first, last }, least, joined) {
  const top = roof(Math.max(0, ...points.map((point) => Math.max(point[1], point[2]))), least);
  const x = (step) => ((step - first) / Math.max(1, last - first)) * (WIDTH - 8) + 4;
  const y = (value) => HEIGHT - PAD - (value / top) * (HEIGHT - 2 * PAD);
  const parts = [0, 0.5, 1].map((part) =>
    svg("line", { class: "grid", x1: 0, x2: WIDTH, y1: y(part * top), y2: y(part * top) }));
  const path = (index) => points.map((p, n) => `${n ? "L" : "M"}${x(p[0]).toFixed(1)} ${y(p[index]).toFixed(1)}`).join("");
  const dots = (index) => points.map((p) => `M${x(p[0]).toFixed(1)} ${y(p[index]).toFixed(1)}h0`).join("");
  if (points.length && joined) {
    const ground = HEIGHT - PAD;
    const area = `${path(2)}L${x(points.at(-1)[0]).toFixed(1)} ${ground}L${x(points[0][0]).toFixed(1)} ${ground}Z`;
    parts.push(svg("path", { class: "area", d: area }));
    parts.push(svg("path", { class: "line one", d: path(1) }), svg("path", { class: "line two", d: path(2) }));
  } else if (points.length) {
    parts.push(svg("path", { class: "point one", d: dots(2) }), svg("path", { class: "point two", d: dots(1) }));
  }
  chart.replaceChildren(...parts);
  return top;
}
