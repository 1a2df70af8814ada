// Keeps the page up to date: on a change of the stream it fetches the page anew and swaps the parts marked data-live. All text
// stays as the server escaped it; nothing here builds HTML.
"use strict";

const { prefix, head, kinds, tenant } = document.body.dataset;
const live = document.getElementById("live");
const errorBox = document.getElementById("error");
let refreshing = false, again = false, lastRefresh = 0, timer = 0;

function show(state, text) {
  live.className = "live " + state;
  live.textContent = text;
}

async function refresh() {
  if (refreshing) { again = true; return; }
  refreshing = true;
  lastRefresh = Date.now();
  try {
    const res = await fetch(location.href, { headers: { Accept: "text/html" }, cache: "no-store" });
    if (!res.ok) throw new Error("the server answers " + res.status);
    const fresh = new DOMParser().parseFromString(await res.text(), "text/html");
    for (const old of document.querySelectorAll("[data-live]")) {
      const next = fresh.querySelector('[data-live="' + old.dataset.live + '"]');
      if (next) swap(old, next);
    }
    if (fresh.title) document.title = fresh.title;
    steps();
  } catch (err) {
    show("off", "not up to date: " + err.message);
  } finally {
    refreshing = false;
    if (again) { again = false; soon(); }
  }
}

// swap keeps what the reader has unfolded.
function swap(old, next) {
  const open = [...old.querySelectorAll("details")].map((d) => d.open);
  [...next.querySelectorAll("details")].forEach((d, i) => { d.open = open[i] === true; });
  old.className = next.className;
  old.replaceChildren(...document.importNode(next, true).childNodes);
  old.querySelectorAll("details[data-why]").forEach((d) => { if (reasons.has(d.dataset.why)) tell(d); });
}

// reasons are those that the reader has asked for, by alert.
const reasons = new Map();

// why fetches why an alert is where it is, once.
async function why(details) {
  const alert = details.dataset.why;
  if (reasons.has(alert)) return;
  reasons.set(alert, ["…"]);
  tell(details);
  try {
    const res = await fetch(prefix + "/api/v1/alerts/" + encodeURIComponent(alert) + "/why" + (tenant ? "?tenant=" + encodeURIComponent(tenant) : ""));
    const said = await res.json();
    if (!res.ok) throw new Error(said.detail);
    reasons.set(alert, [said.grouped, said.place && said.place.sentence, ...(said.place ? said.place.others.map((o) => "Also looked at: " + o) : []),
      ...said.moves.map((m) => "Then: " + m.sentence), ...said.quiet.map((q) => q.sentence), said.unknown && "How its item was placed is no longer kept."].filter(Boolean));
  } catch (err) {
    reasons.delete(alert);
    details.querySelector("div").textContent = err.message;
    return;
  }
  tell(document.querySelector('details[data-why="' + alert + '"]') || details);
}

// tell shows what was fetched.
function tell(details) {
  details.querySelector("div").replaceChildren(...reasons.get(details.dataset.why).map((text) => {
    const p = document.createElement("p");
    p.textContent = text;
    return p;
  }));
}

// past tells in a line what was most like the incident before, if the history answers at once; if not, the page goes without.
async function past() {
  const line = document.getElementById("past");
  if (!line) return;
  let found;
  try {
    const res = await fetch(prefix + "/api/v1/incidents/" + encodeURIComponent(line.dataset.past) + "/similar?limit=1" + (tenant ? "&tenant=" + encodeURIComponent(tenant) : ""),
      { signal: AbortSignal.timeout(2000) });
    if (!res.ok) return;
    found = await res.json();
  } catch { return; }
  const last = found.incidents[0];
  if (!last) return;
  const [kind, count] = last.same.includes("trouble") ? ["the same trouble", found.same_trouble]
    : last.same.includes("item") ? ["something else on " + found.ci, found.same_item] : ["the same trouble elsewhere", found.same_alert];
  const took = last.seconds === null ? "" : last.seconds < 60 ? ", " + Math.floor(last.seconds) + "s"
    : last.seconds < 7200 ? ", " + Math.floor(last.seconds / 60) + "m" : ", " + Math.floor(last.seconds / 3600) + "h";
  line.textContent = "Last time: " + last.opened_at.slice(0, 10) + took + (last.resolved_by && ", resolved by " + last.resolved_by) + (last.how && ": " + last.how) +
    " (" + last.incident + (last.origin && " of " + last.origin) + ", " + kind + "; " + count.in_90_days + " in 90 days)";
  line.hidden = false;
}

// soon bundles changes: at most one refresh a second, the first one at once.
function soon() {
  if (timer) return;
  timer = setTimeout(() => { timer = 0; refresh(); }, Math.max(50, lastRefresh + 1000 - Date.now()));
}

function follow() {
  const stream = new EventSource(prefix + "/api/v1/stream?after=" + encodeURIComponent(head) +
    (tenant ? "&tenant=" + encodeURIComponent(tenant) : ""));
  stream.addEventListener("hello", () => { show("on", "live"); soon(); });
  stream.addEventListener("truncated", soon);
  for (const kind of kinds.split(" ")) stream.addEventListener(kind, soon);
  stream.onerror = () => {
    show("off", "connection lost at " + new Date().toLocaleTimeString() + ", trying again");
    if (stream.readyState === EventSource.CLOSED) setTimeout(follow, 5000);
  };
}

// steps shows the forms of those steps that the incident can take from where it is.
function steps() {
  const possible = document.getElementById("steps");
  if (!possible) return;
  const words = possible.dataset.steps.split(/\s+/);
  for (const form of document.querySelectorAll("form[data-step]")) {
    form.hidden = !form.dataset.step.split(" ").some((step) => words.includes(step));
  }
}

// fieldsOf is what a form sends. A field whose name ends in :bool is one in JSON.
function fieldsOf(form, submitter) {
  const fields = {};
  for (const [name, value] of new FormData(form, submitter)) {
    const [field, kind] = name.split(":");
    fields[field] = kind === "bool" ? value === "true" : value;
  }
  return fields;
}

async function act(form, submitter) {
  const incident = form.closest("[data-incident]").dataset.incident;
  const buttons = form.querySelectorAll("button");
  const fields = fieldsOf(form, submitter);
  const init = { method: form.dataset.method || "POST", headers: {} };
  if (tenant) init.headers["Tocsin-Tenant"] = tenant;
  if (Object.keys(fields).length) {
    init.headers["Content-Type"] = "application/json";
    init.body = JSON.stringify(fields);
  }
  errorBox.hidden = true;
  buttons.forEach((b) => { b.disabled = true; });
  try {
    const res = await fetch(prefix + "/api/v1/incidents/" + encodeURIComponent(incident) + "/" + form.dataset.action, init);
    if (!res.ok) {
      const problem = await res.json();
      throw new Error([problem.detail, problem.hint].filter(Boolean).join(" – "));
    }
    form.reset();
    refresh();
  } catch (err) {
    errorBox.textContent = err.message;
    errorBox.hidden = false;
  } finally {
    buttons.forEach((b) => { b.disabled = false; });
  }
}

steps();
past();
document.querySelectorAll(".actions").forEach((section) => { section.hidden = false; });
document.addEventListener("submit", (e) => {
  if (!e.target.dataset.action) return;
  e.preventDefault();
  act(e.target, e.submitter);
});
document.addEventListener("toggle", (e) => {
  if (e.target.open && e.target.dataset.why) why(e.target);
}, true);
// A key leads to the control that names it; Enter does it, since a verdict cannot be taken back.
document.addEventListener("keydown", (e) => {
  if (e.ctrlKey || e.metaKey || e.altKey || !/^[a-z]$/.test(e.key) || e.target.closest("input, select, textarea")) return;
  const control = document.querySelector('[data-key="' + e.key + '"]');
  if (!control) return;
  e.preventDefault();
  control.focus();
});
follow();
setInterval(refresh, 30000); // ages move on
