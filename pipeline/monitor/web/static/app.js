// The live page: one stream of events says how things stand; articles and dead letters are asked for when they changed.

import { ago, byId, count, draw, make, rate, seconds, size } from "./draw.js";

const KINDS = ["topics", "people", "organisations", "places", "keywords"];
const shown = { version: -1, paused: false, now: "", cards: new Map(), story: "", stories: new Map(), letters: new Map(), asking: false, again: false };

// --- how things stand ---------------------------------------------------------------------------

function counts({ ledger, files }) {
  const settled = ledger.enriched + ledger.duplicates + ledger.rejected;
  return {
    files: files.published,
    received: ledger.received,
    read: settled,
    clean: ledger.enriched + ledger.duplicates,
    originals: ledger.enriched,
    enriched: ledger.enriched,
    duplicates: ledger.duplicates,
    rejected: ledger.rejected,
    watch_rejected: files.rejected,
  };
}

function rates(found) {
  const clean = found.enriched + found.duplicates;
  return { ...found, read: clean + found.rejected, clean, originals: found.enriched };
}

function showFlow(status, speed) {
  const numbers = counts(status);
  const speeds = rates(speed);
  for (const text of document.querySelectorAll("[data-count]")) text.textContent = count(numbers[text.dataset.count]);
  for (const text of document.querySelectorAll("[data-rate]")) {
    const found = speeds[text.dataset.rate];
    text.textContent = found >= 0.05 ? `${rate(found)}/s` : "";
  }
  for (const arrow of document.querySelectorAll("[data-arrow]")) {
    arrow.classList.toggle("moving", speeds[arrow.dataset.arrow] >= 0.05);
  }
}

// How many processes of `run` are ready where not all are; those of other machines are not known here.
function missing({ processes = 0, watchers, workers, stories = [] }) {
  const ready = [...watchers, ...workers, ...stories].filter((one) => one.ready).length;
  return ready < processes ? `${ready} of ${processes} processes ready` : "";
}

function mood(status, speed) {
  const [kind, text] = flowMood(status, speed);
  const lack = missing(status);
  return lack ? [kind === "bad" ? kind : "late", `${text} · ${lack}`] : [kind, text];
}

function flowMood(status, speed) {
  const { in_flight: flying } = status.ledger;
  const settled = speed.enriched + speed.duplicates + speed.rejected;
  if (status.problems.length) return ["bad", "Needs attention"];
  if (settled >= 0.05) return ["flowing", `Flowing, ${rate(settled)} articles a second`];
  if (flying > 0 && status.lag.seconds > 15) {
    return ["late", `${count(flying)} articles in flight, the oldest ${seconds(status.lag.seconds)} old`];
  }
  return flying > 0 ? ["flowing", `${count(flying)} in flight`] : ["quiet", "Quiet: all that came in has come out"];
}

function setMood(kind, text) {
  byId("state").dataset.mood = kind;
  if (byId("state-text").textContent !== text) byId("state-text").textContent = text;
}

function showProblems(problems) {
  byId("problems").hidden = problems.length === 0;
  byId("problems").replaceChildren(...problems.map((text) => make("li", { text })));
}

function showCharts({ throughput, freshness, ...span }) {
  const flow = draw(byId("throughput"), throughput, span, 1, true);
  byId("throughput-top").textContent = `full height: ${rate(flow)}/s`;
  byId("throughput-now").textContent = throughput.length ? `${rate(throughput.at(-1)[2])}/s` : "";
  const fresh = draw(byId("freshness"), freshness, span, 0.5, false);
  byId("freshness-top").textContent = `full height: ${seconds(fresh)}`;
  byId("freshness-now").textContent = freshness.length ? seconds(freshness.at(-1)[1]) : "";
}

function showJumps(waiting) {
  byId("jump-waiting").textContent = count(waiting);
  byId("jump-letters").textContent = count(shown.letters.size);
}

function showWaiting({ waiting, waiting_total: total }, watched) {
  byId("waiting-total").textContent = total ? count(total) : "";
  byId("waiting-none").hidden = total > 0;
  byId("waiting-none").textContent = watched ? "None." : "The watcher runs elsewhere; its /status has them.";
  byId("waiting").replaceChildren(...waiting.slice(0, 20).map((one) =>
    make("li", {},
      make("span", { text: one.source, dir: "auto" }), " ",
      make("span", { cls: "quiet", text: "waits: " }), make("span", { cls: "reason", text: one.reason }), " ",
      make("span", { cls: "quiet", text: one.since ? `since ${clock(one.since)}` : "" }))));
}

function clock(time) {
  const found = new Date(time);
  return Number.isNaN(found.getTime()) ? time : found.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
}

function onState({ time, status, rates: speed, series, version, why }) {
  shown.now = time;
  if (status.ledger) {
    byId("kafka").textContent = `Kafka at ${status.broker}`;
    showFlow(status, speed);
    setMood(...mood(status, speed));
    showProblems([...status.problems, ...(why ? [why] : [])]);
    showCharts(series);
    showWaiting(status.files, status.watchers.length > 0);
    showJumps(status.files.waiting_total);
  }
  if (version !== shown.version && !shown.paused) refresh();
}

// --- articles -----------------------------------------------------------------------------------

const FIELDS = ["words", "tag", "source", "language"];

async function ask(path) {
  const answer = await fetch(path, { headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error((await answer.text()).trim());
  return answer.json();
}

// One question at a time; a change in between asks once more.
async function refresh() {
  if (shown.asking) { shown.again = true; return; }
  shown.asking = true;
  try {
    const query = new URLSearchParams([...FIELDS.map((name) => [name, byId(name).value.trim()]), ["story", shown.story]]);
    const [found, dead] = await Promise.all([ask(`articles?${query}`), ask("letters")]);
    shown.version = found.version;
    showArticles(found);
    showStories(found.stories);
    showLetters(dead.letters);
  } catch {
    // The stream of events says when we are back.
  } finally {
    shown.asking = false;
    if (shown.again) { shown.again = false; refresh(); }
  }
}

function showArticles({ articles, found, total, facets }) {
  keep(byId("articles"), shown.cards, articles, (one) => one.id, articleCard);
  byId("found").textContent = found === total ? `${count(total)} in the window` : `${count(found)} of ${count(total)}`;
  byId("none").hidden = found > 0;
  byId("none").textContent = total ? "Nothing in the window matches." : "Nothing here yet. Drop a file into the inbox.";
  choices(byId("tags"), facets.tags);
  choices(byId("sources"), facets.sources);
  const chosen = byId("language").value;
  choices(byId("language"), ["", ...facets.languages], (code) => (code ? languageName(code) : "any"));
  byId("language").value = facets.languages.includes(chosen) ? chosen : "";
}

function choices(list, values, name = null) {
  const known = JSON.stringify(values);
  if (list.dataset.known === known) return;
  list.dataset.known = known;
  list.replaceChildren(...values.map((value) => make("option", { value, text: name ? name(value) : "" })));
}

// Make the children of `box` those of `items`, in order, and leave alone what did not change: an open card stays open.
function keep(box, known, items, key, build) {
  const first = known.size === 0;
  const wanted = new Map(items.map((one) => [key(one), one]));
  for (const [name, had] of known) if (!wanted.has(name)) { had.element.remove(); known.delete(name); }
  let before = box.firstElementChild;
  for (const [name, one] of wanted) {
    const had = known.get(name);
    if (had && had.changed === one.changed) {
      if (had.element === before) before = before.nextElementSibling;
      else box.insertBefore(had.element, before);
      continue;
    }
    const element = build(one, had?.element);
    if (had) { if (had.element === before) before = before.nextElementSibling; had.element.replaceWith(element); }
    else { if (!first) element.classList.add("new"); box.insertBefore(element, before); }
    known.set(name, { element, changed: one.changed });
  }
}

function articleCard(one, before) {
  const opened = new Set([...(before?.querySelectorAll("details[open]") ?? [])].map((found) => found.dataset.part));
  const card = make("article", { cls: "card", tabindex: "0" });
  const facts = [clock(one.time), one.publisher, one.by, one.located, one.language && languageName(one.language),
    one.words ? `${count(one.words)} words` : "", one.source];
  card.append(make("h3", { text: one.headline || "(no headline)", dir: "auto", lang: one.language || "und" }),
    make("p", { cls: "facts" }, ...facts.filter(Boolean).map((text) => make("span", { text, dir: "auto" }))));
  if (one.story_articles > 1) card.append(storyButton(one));
  if (one.revision) card.append(make("p", { cls: "mark", text: `Revision ${one.revision}` }));
  if (one.untagged) card.append(make("p", { cls: "mark", text: "Without tags: the tagger failed" }));
  if (one.lead) card.append(make("p", { cls: "lead", text: one.lead, dir: "auto", lang: one.language || "und" }));
  // What is a place, say, and a keyword too is shown once.
  const kinds = new Map(KINDS.toReversed().flatMap((kind) => one.tags[kind].slice(0, 6).map((name) => [name.toLowerCase(), kind])));
  const tags = KINDS.flatMap((kind) => one.tags[kind].filter((name) => kinds.get(name.toLowerCase()) === kind).map((name) => tagButton(kind, name)));
  if (tags.length) card.append(make("div", { cls: "tags" }, ...tags));
  if (one.copies_total) card.append(copies(one, opened.has("copies")));
  card.append(more(one, opened.has("more")));
  return card;
}

function storyButton(one) {
  const found = make("button", { cls: "story", type: "button", text: `Story of ${count(one.story_articles)} articles`, title: "show the articles of this story" });
  found.addEventListener("click", () => showStory(one.story, one.headline));
  return found;
}

// Only the articles of the story `id`; all again where it is empty.
function showStory(id, headline) {
  shown.story = id;
  byId("one-story").hidden = !id;
  byId("one-story-name").textContent = headline || "(no headline)";
  refresh();
  if (id) byId("newest").scrollIntoView({ block: "nearest" });
}

function tagButton(kind, name) {
  const found = make("button", { cls: `tag ${kind}`, type: "button", text: name, title: `${kind}: show articles with this tag` });
  found.addEventListener("click", () => { byId("tag").value = name; refresh(); });
  return found;
}

function part(name, title, open, cls = "") {
  const found = make("details", { "data-part": name, cls }, make("summary", { text: title }));
  found.open = open;
  return found;
}

function copies(one, open) {
  const title = `${count(one.copies_total)} duplicate${one.copies_total === 1 ? "" : "s"}`;
  const rows = one.copies.toReversed().map((copy) => make("li", {},
    make("span", { text: copy.headline || "(no headline)", dir: "auto" }),
    make("span", { cls: "quiet", dir: "auto", text: `${copy.method} ${Math.round(copy.similarity * 100)}% · ${clock(copy.time)} · ${copy.source}` })));
  const found = part("copies", title, open, "copies");
  found.append(make("ul", {}, ...rows));
  return found;
}

function more(one, open) {
  const found = part("more", "More", open, "more");
  const lines = [["id", one.id], ["own date", one.published], ["warnings", one.warnings.join(", ")],
    ...KINDS.map((kind) => [kind, one.tags[kind].join(", ")])];
  found.append(...lines.filter(([, text]) => text).map(([name, text]) =>
    make("p", {}, make("span", { cls: "quiet", text: `${name} ` }), make("span", { text, dir: "auto" }))));
  return found;
}

const names = new Intl.DisplayNames(["en"], { type: "language" });
function languageName(code) {
  try { return names.of(code); } catch { return code; }
}

// --- stories ------------------------------------------------------------------------------------

function showStories(stories) {
  byId("stories-none").hidden = stories.length > 0;
  const changed = (one) => `${one.articles} ${one.duplicates} ${one.last} ${one.headline}`;
  keep(byId("stories"), shown.stories, stories.map((one) => ({ ...one, changed: changed(one) })), (one) => one.id, storyRow);
}

function storyRow(one) {
  const headline = make("button", { cls: "plain", type: "button", text: one.headline || "(no headline)", dir: "auto", title: "show the articles of this story" });
  headline.addEventListener("click", () => showStory(one.id, one.headline));
  const facts = [`${count(one.articles)} articles`, one.duplicates ? `${count(one.duplicates)} duplicate${one.duplicates === 1 ? "" : "s"}` : "",
    `since ${when(one.first)}`, one.languages.length > 1 ? one.languages.map(languageName).join(", ") : ""];
  return make("li", {}, headline, make("span", { cls: "quiet", text: facts.filter(Boolean).join(" · "), dir: "auto" }));
}

// The time of day; before today's, the day with it.
function when(time) {
  const found = new Date(time);
  if (Number.isNaN(found.getTime())) return time;
  const today = new Date(shown.now || found).toDateString() === found.toDateString();
  return today ? clock(time) : `${found.toLocaleDateString([], { weekday: "short", day: "numeric", month: "short" })} ${clock(time)}`;
}

// --- dead letters -------------------------------------------------------------------------------

function showLetters(letters) {
  byId("letters-total").textContent = letters.length ? `newest ${count(letters.length)}` : "";
  byId("letters-none").hidden = letters.length > 0;
  keep(byId("letters"), shown.letters, letters.slice(0, 50), (one) => `${one.partition}/${one.offset}`, letterRow);
}

function letterRow(one) {
  const path = `letters/${Number(one.partition)}/${Number(one.offset)}`;
  const summary = make("summary", {}, make("span", { cls: "reason", text: one.reason }), " ",
    make("span", { text: one.source, dir: "auto" }),
    make("span", { cls: "quiet", text: `${one.error} (${one.stage}, ${ago(one.time, shown.now || one.time)})`, dir: "auto" }));
  const found = make("details", { cls: "letter" }, summary);
  found.addEventListener("toggle", () => { if (found.open && !found.dataset.read) readLetter(found, path); });
  return found;
}

async function readLetter(row, path) {
  row.dataset.read = "yes";
  const wait = make("p", { cls: "quiet", text: "Reading …" });
  row.append(wait);
  try {
    const { kind, text, bytes, shown: part } = await ask(path);
    const cut = part < bytes ? `, the first ${size(part)} shown` : "";
    wait.textContent = bytes ? `Original, ${size(bytes)}${cut}. ` : "Original: no bytes at all. ";
    if (bytes) {
      wait.append(make("a", { href: `${path}/bytes`, download: "", text: "Download" }));
      row.append(make("pre", { cls: kind, text, tabindex: "0" }));
    }
  } catch (error) {
    wait.textContent = error.message;
    delete row.dataset.read;
  }
}

// --- hands --------------------------------------------------------------------------------------

function pause() {
  shown.paused = !shown.paused;
  byId("pause").setAttribute("aria-pressed", String(shown.paused));
  byId("pause").textContent = shown.paused ? "Paused" : "Pause";
  if (!shown.paused) refresh();
}

function step(by) {
  const cards = [...document.querySelectorAll(".card")];
  const at = cards.indexOf(document.activeElement?.closest(".card"));
  cards[Math.min(cards.length - 1, Math.max(0, at + by))]?.focus();
}

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const typing = event.target.closest("input, select");
  if (event.key === "Escape" && typing) { if (typing.tagName === "INPUT") typing.value = ""; refresh(); typing.blur(); return; }
  if (typing) return;
  if (event.key === "/") { event.preventDefault(); byId("words").focus(); }
  if (event.key === "j") step(1);
  if (event.key === "k") step(-1);
  if (event.key === "p") pause();
  if (event.key === "Enter" && event.target.matches(".card")) {
    for (const found of event.target.querySelectorAll("details")) found.open = !found.open;
  }
}

let soon = 0;
byId("search").addEventListener("submit", (event) => event.preventDefault());
byId("search").addEventListener("input", () => { clearTimeout(soon); soon = setTimeout(refresh, 150); });
byId("pause").addEventListener("click", pause);
byId("all-stories").addEventListener("click", () => showStory("", ""));
document.addEventListener("keydown", onKey);

const events = new EventSource("events");
events.addEventListener("message", (event) => onState(JSON.parse(event.data)));
events.addEventListener("error", () => setMood("bad", "Not connected to copydesk; trying again"));
refresh();
