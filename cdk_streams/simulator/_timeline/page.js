"use strict";
const run = JSON.parse(document.getElementById("run").textContent);
const $ = (id) => document.getElementById(id);
const [AT, KIND, GROUP, LANE_NO, TOOK, AGE, RECORDS, ATTEMPT, TEXT] = [0, 1, 2, 3, 4, 5, 6, 7, 8];
const PITCH = 34, LANE = 34, HEAD = 20, AXIS = 18, BOX = 16, EDGE = 24, PAGE = 300, PLOT = 104;
const RANK = { write: 0, odd: 2, ok: 1, warn: 3, dead: 4, bad: 5 };
const hidden = new Set();
let zoom = 1, shown = PAGE, chosen = -1, followed = -1, width = 0;

const esc = (text) => String(text).replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" }[c]));
const kindOf = (index) => run.kinds[run.events[index][KIND]];
const symbol = (kind) => `<span class="sym t-${kind.tone}" aria-hidden="true">${esc(kind.symbol)}</span>`;
const gutter = () => (innerWidth < 600 ? 84 : 170);
const short = (text, most) => (text.length > most ? text.slice(0, most - 1) + "…" : text);

function clock(ms) {
  const pad = (n, w) => String(n).padStart(w, "0");
  const s = Math.floor(ms / 1000), days = Math.floor(s / 86400);
  return (days ? days + "d " : "") + `${pad(Math.floor(s / 3600) % 24, 2)}:${pad(Math.floor(s / 60) % 60, 2)}:${pad(s % 60, 2)}.${pad(ms % 1000, 3)}`;
}
function span(ms) {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 120000) return `${+(ms / 1000).toFixed(ms < 10000 ? 1 : 0)} s`;
  if (ms < 7200000) return `${+(ms / 60000).toFixed(1)} min`;
  return `${+(ms / 3600000).toFixed(1)} h`;
}
function niceStep(range, count, whole) {
  const units = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 15e3, 3e4, 6e4, 12e4, 3e5, 6e5, 9e5, 18e5, 36e5, 72e5, 108e5, 216e5, 432e5, 864e5];
  const last = whole ? 10 ** Math.ceil(Math.log10(range)) : 864e5;
  return units.find((u) => range / u <= count) || Math.ceil(range / count / last) * last;
}
function holds(index, record) {
  const ranges = run.events[index][RECORDS];
  for (let n = 0; n < ranges.length; n += 2) if (ranges[n] <= record && record <= ranges[n + 1]) return true;
  return false;
}
function recordsOf(index, most) {
  const ranges = run.events[index][RECORDS], found = [];
  for (let n = 0; n < ranges.length; n += 2) for (let r = ranges[n]; r <= ranges[n + 1] && found.length < most; r += 1) found.push(r);
  return found;
}
function sizeOf(index) {
  const ranges = run.events[index][RECORDS];
  let size = 0;
  for (let n = 0; n < ranges.length; n += 2) size += ranges[n + 1] - ranges[n] + 1;
  return size;
}

// Where an event is drawn: a shard's lane; below all of them -2, -3 … for what a consumer does without
// a shard, such as its start, in the row of its name; -1 for what belongs to nothing, as a broken invariant.
const laneOf = (index) => { const event = run.events[index]; return event[LANE_NO] >= 0 || event[GROUP] < 0 ? event[LANE_NO] : -2 - event[GROUP]; };

// By order, a column holds the events of one moment, each lane once: no mark lies on another.
const columns = [], columnOf = [];
run.events.forEach((event, index) => {
  const last = columns[columns.length - 1], lane = laneOf(index), whole = lane === -1;
  if (!last || last.at !== event[AT] || last.whole || whole || last.lanes.has(lane)) columns.push({ at: event[AT], lanes: new Set(), whole });
  columns[columns.length - 1].lanes.add(lane);
  columnOf.push(columns.length - 1);
});
const timed = () => $("scale").value === "time";
function columnX(column) { return EDGE + column * PITCH * Math.max(zoom, 0.25); }
function timeX(at) { return EDGE + (at / Math.max(1, run.span_ms)) * (width - 2 * EDGE); }
function xOf(index) { return timed() ? timeX(run.events[index][AT]) : columnX(columnOf[index]); }
// Where a moment is; between two columns in proportion to the time between them.
function xAt(at) {
  if (timed() || !columns.length) return timeX(at);
  let low = 0, high = columns.length - 1;
  while (low < high) { const middle = (low + high + 1) >> 1; if (columns[middle].at <= at) low = middle; else high = middle - 1; }
  if (columns[low].at > at) return columnX(0) - 12;
  const next = columns[low + 1];
  return columnX(low) + (next && next.at > columns[low].at ? ((at - columns[low].at) / (next.at - columns[low].at)) * (columnX(low + 1) - columnX(low)) : 0);
}
function firstXAt(at) {
  if (timed()) return timeX(at);
  let low = 0, high = columns.length;
  while (low < high) { const middle = (low + high) >> 1; if (columns[middle].at < at) low = middle + 1; else high = middle; }
  return low < columns.length && columns[low].at === at ? columnX(low) : xAt(at);
}

function place() {
  let y = AXIS, names = "";
  const tops = { "-1": 0 }, most = gutter() < 100 ? 11 : 24;
  let row = 0;
  run.groups.forEach((group, g) => {
    tops[-2 - g] = y;
    names += `<text class="group" x="0" y="${y + 15}">${esc(short(group.name, most))}<title>${esc(group.name)}, ${esc(group.of)}</title></text>`;
    y += HEAD;
    group.lanes.forEach((lane) => {
      const shard = gutter() < 100 ? "" : lane.shards.length > 1 ? `${lane.shards.length} shards` : "…" + lane.shards[0].slice(-12);
      names += `<text x="2" y="${y + 15}">${esc(short(lane.letter, 14))}<tspan class="soft" dx="8">${esc(shard)}</tspan><title>${esc(lane.shards.join(", "))}</title></text>`;
      tops[row] = y; row += 1; y += LANE;
    });
  });
  return { tops, names, height: y + 4 };
}
function axis(from, to, height) {
  let out = "", last = -1e9;
  const tick = (x, at) => {
    if (x - last < 92 || x < from || x > to) return;
    last = x;
    out += `<line x1="${x}" x2="${x}" y1="${AXIS}" y2="${height}" stroke="var(--line)"/><text class="soft" x="${x + 3}" y="12">${at ? span(at) : "0"}</text>`;
  };
  if (timed()) { const step = niceStep(Math.max(1, run.span_ms), Math.max(2, width / 110)); for (let at = 0; at <= run.span_ms; at += step) tick(timeX(at), at); }
  else columns.forEach((column, n) => { if (!n || columns[n - 1].at !== column.at) tick(columnX(n), column.at); });
  return out;
}
// An event without a shard, such as a broken invariant, is a line through everything.
function rules(from, to, height, named) {
  let out = "";
  run.events.forEach((event, index) => {
    if (laneOf(index) !== -1 || hidden.has(event[KIND])) return;
    const x = xOf(index);
    if (x < from || x > to) return;
    const line = `<line x1="${x}" x2="${x}" y1="0" y2="${height}" stroke="var(--bad)" stroke-width="2"/>`;
    const end = x > width - 180;
    out += named ? mark(index, `${line}<rect x="${end ? x - 118 : x}" y="0" width="118" height="16" fill="var(--card)"/><rect class="ring fill" x="${x - 8}" y="0" width="16" height="16" rx="4"/>`, `<text class="sign" x="${x}" y="12">${esc(kindOf(index).symbol)}</text><text class="rule" x="${x + (end ? -12 : 12)}" y="12" text-anchor="${end ? "end" : "start"}">${kindOf(index).symbol === "!" ? "invariant broke" : ""}</text>`) : line;
  });
  return out;
}
// What is written on a mark stands beside it: its name says the same in words.
function mark(index, inner, text) {
  const classes = ["mark", `t-${kindOf(index).tone}`], apart = followed >= 0 && !holds(index, followed) ? "apart" : "";
  if (index === chosen) classes.push("chosen");
  if (apart) classes.push(apart);
  const label = `${clock(run.events[index][AT])}: ${kindOf(index).meaning}; ${run.events[index][TEXT]}`;
  return `<g class="${classes.join(" ")}" role="button" data-index="${index}" tabindex="${index === chosen ? 0 : -1}" aria-label="${esc(label)}" aria-pressed="${index === chosen}">${inner}<title>${esc(label)}</title></g><g class="${apart}" aria-hidden="true">${text}</g>`;
}
function oneMark(index, y, merged) {
  const x = xOf(index), kind = kindOf(index), size = sizeOf(index), attempt = run.events[index][ATTEMPT];
  let under = "";
  if (merged > 1) under = `×${merged}`;
  else if (kind.group === "call") under = attempt > 1 ? `${size}·a${attempt}` : `${size}`;
  else if (kind.group !== "write" && size) under = `${size}`;
  const text = under ? `<text class="size" x="${x}" y="${y + 30}">${under}</text>` : "";
  return mark(index, `<rect class="ring fill" x="${x - BOX / 2}" y="${y + 3}" width="${BOX}" height="${BOX}" rx="4"/>`, `<text class="sign" x="${x}" y="${y + 15}">${esc(kind.symbol)}</text>${text}`);
}
// By time, marks that would overlap are one with their number, in the colour of the gravest.
function laneMarks(from, to) {
  const lanes = new Map();
  run.events.forEach((event, index) => {
    const x = xOf(index), lane = laneOf(index);
    if (lane === -1 || hidden.has(event[KIND]) || x < from || x > to) return;
    if (!lanes.has(lane)) lanes.set(lane, []);
    const bins = lanes.get(lane), last = bins[bins.length - 1];
    if (last && x - last.x < BOX + 4 && (timed() || zoom < 0.6)) last.members.push(index);
    else bins.push({ x, members: [index] });
  });
  return lanes;
}
function draw() {
  const pane = $("laneScroll");
  $("laneNames").style.width = gutter() + "px";
  const room = Math.max(160, pane.clientWidth), natural = EDGE * 2 + Math.max(0, columns.length - 1) * PITCH * Math.max(zoom, 0.25);
  width = timed() ? Math.round(room * Math.max(1, zoom)) : Math.max(room, Math.round(natural));
  const at = place();
  $("laneNames").innerHTML = `<svg width="${gutter()}" height="${at.height}" aria-hidden="true">${at.names}</svg>`;
  pane.innerHTML = `<svg width="${width}" height="${at.height}" role="group" aria-label="Events of each shard over time"></svg>`;
  drawMarks();
  drawPlots();
  drawOverview();
}
function drawMarks() {
  const pane = $("laneScroll"), from = pane.scrollLeft - 600, to = pane.scrollLeft + pane.clientWidth + 600, at = place();
  let out = axis(from, to, at.height);
  Object.entries(at.tops).forEach(([lane, y]) => { if (lane >= 0) out += `<rect x="0" y="${y}" width="${width}" height="${LANE - 2}" fill="var(--lane)" rx="4"/>`; });
  run.standing.forEach(([lane, begun, ended, attempts, over]) => {
    const x = firstXAt(begun), end = over ? xAt(ended) : Math.max(xAt(ended), width - 6);
    const what = `stands still for ${span(ended - begun)}: ${attempts} call${attempts > 1 ? "s" : ""} settled nothing`;
    out += `<rect class="still" x="${x}" y="${at.tops[lane]}" width="${Math.max(2, end - x)}" height="${LANE - 2}" fill="var(--still)"><title>${what}</title></rect>`;
  });
  run.events.forEach((event, index) => {
    if (event[LANE_NO] < 0 || !event[TOOK] || hidden.has(event[KIND])) return;
    const x1 = xAt(event[AT] - event[TOOK]), x2 = xOf(index);
    if (x2 - x1 > 3 && x2 > from && x1 < to) out += `<rect class="fill t-${kindOf(index).tone}" x="${x1}" y="${at.tops[event[LANE_NO]] + 9}" width="${x2 - x1}" height="4" rx="2" opacity=".5"/>`;
  });
  if (followed >= 0) {
    const points = run.events.map((event, index) => (event[LANE_NO] >= 0 && holds(index, followed) ? `${xOf(index)},${at.tops[event[LANE_NO]] + 11}` : "")).filter(Boolean);
    out += `<polyline points="${points.join(" ")}" fill="none" stroke="var(--ink)" stroke-width="1.5" stroke-dasharray="4 3"/>`;
  }
  laneMarks(from, to).forEach((bins, lane) => bins.forEach((bin) => {
    const index = bin.members.includes(chosen) ? chosen : bin.members.reduce((a, b) => (RANK[kindOf(b).tone] > RANK[kindOf(a).tone] ? b : a));
    out += oneMark(index, at.tops[lane], bin.members.length);
  }));
  $("laneScroll").firstChild.innerHTML = out + rules(from, to, at.height, true);
}
function drawOverview() {
  const all = $("overview").clientWidth || 300, worst = new Map();
  run.events.forEach((event, index) => {
    const x = Math.round((xOf(index) / width) * (all - 2)), tone = kindOf(index).tone;
    if (!worst.has(x) || RANK[tone] > RANK[worst.get(x)]) worst.set(x, tone);
  });
  const pane = $("laneScroll"), x = (pane.scrollLeft / width) * all, w = (pane.clientWidth / width) * all;
  $("overview").innerHTML = `<rect x="0" y="4" width="${all}" height="10" rx="3" fill="var(--lane)"/>` + [...worst].map(([at, tone]) => `<rect class="fill t-${tone}" x="${at}" y="${RANK[tone] > 3 ? 1 : 5}" width="2" height="${RANK[tone] > 3 ? 16 : 8}"/>`).join("") + `<rect x="${x + 0.5}" y="0.5" width="${Math.max(6, w - 1)}" height="17" rx="3" fill="none" stroke="var(--soft)"/>`;
  $("overview").toggleAttribute("hidden", w >= all - 1);
}
function drawPlots() {
  run.plots.forEach((plot, p) => drawPlot(plot, p));
  syncPlots();
}
function drawPlot(plot, p) {
  const values = plot.lines.flatMap(([, points]) => points.map(([, value]) => value));
  const most = values.reduce((a, b) => Math.max(a, b), 1), step = niceStep(most, 3, !plot.unit), ceiling = Math.ceil(most / step) * step;
  const top = AXIS + 6, bottom = PLOT - 8, yOf = (value) => bottom - (value / ceiling) * (bottom - top), say = (value) => (plot.unit ? (value ? span(value) : "0") : value);
  let out = axis(0, width, PLOT), names = "", above = [];
  for (let value = 0; value <= ceiling; value += step) {
    out += `<line x1="0" x2="${width}" y1="${yOf(value)}" y2="${yOf(value)}" stroke="var(--line)"/>`;
    names += `<text class="soft" x="${gutter() - 8}" y="${yOf(value) + 4}" text-anchor="end">${say(value)}</text>`;
  }
  plot.limits.forEach(([name, value]) => {
    if (value > ceiling) above.push(`${name} (${say(value)}) is above`);
    else out += `<line class="limit" x1="0" x2="${width}" y1="${yOf(value)}" y2="${yOf(value)}" stroke="var(--bad)" stroke-dasharray="6 4"><title>${esc(name)}: ${say(value)}</title></line>`;
  });
  const within = plot.limits.filter(([, value]) => value <= ceiling).map(([name, value]) => `dashed: ${name} (${say(value)})`);
  let keys = "";
  plot.lines.forEach(([name, points], n) => {
    const path = [];
    points.forEach(([at, value], i) => {
      const x = i && points[i - 1][0] === at ? path[path.length - 1][0] + (timed() ? 0 : 1) : (plot.stepped ? firstXAt(at) : xAt(at));
      if (plot.stepped && path.length) path.push([x, path[path.length - 1][1]]);
      path.push([x, yOf(value)]);
    });
    if (plot.stepped && path.length) path.push([width - EDGE / 2, path[path.length - 1][1]]);
    const kept = path.length > 4000 ? thinned(path) : path, dash = ["", "6 3", "2 3"][Math.floor(n / 6) % 3];
    out += `<g class="k${n % 6}"><polyline fill="none" stroke="var(--tone)" stroke-width="1.8" stroke-linejoin="round" stroke-dasharray="${dash}" points="${kept.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join(" ")}"/>${!plot.stepped && kept.length < 200 ? kept.map(([x, y]) => `<circle cx="${x}" cy="${y}" r="2.6" fill="var(--tone)"/>`).join("") : ""}</g>`;
    keys += `<span class="k${n % 6}"><i></i>${esc(name)}</span>`;
  });
  keys += [...within, ...above].map((text) => `<span>${esc(text)}</span>`).join("");
  $(`keys${p}`).innerHTML = keys;
  $(`names${p}`).innerHTML = `<svg width="${gutter()}" height="${PLOT}" aria-hidden="true">${names}</svg>`;
  const peak = values.reduce((a, b) => Math.max(a, b), 0);
  $(`plot${p}`).innerHTML = `<svg width="${width}" height="${PLOT}" role="img" aria-label="${esc(plot.name)} over time: at most ${say(peak)}">${out}${rules(-1, width + 1, PLOT, false)}</svg>`;
}
// The highest value in each pixel: a peak must not vanish because points are many.
function thinned(path) {
  const best = new Map();
  path.forEach(([x, y]) => { const at = Math.round(x); if (!best.has(at) || best.get(at) > y) best.set(at, y); });
  return [...best].sort((a, b) => a[0] - b[0]);
}
function syncPlots() { run.plots.forEach((_, p) => { $(`plot${p}`).scrollLeft = $("laneScroll").scrollLeft; }); }

function drawRows() {
  const visible = run.events.map((_, index) => index).filter((index) => !hidden.has(run.events[index][KIND]) && (followed < 0 || holds(index, followed)));
  let begin = 0;
  if (visible.length > shown && chosen >= 0) begin = Math.max(0, visible.indexOf(chosen) - Math.floor(shown / 2));
  const part = visible.slice(begin, begin + shown);
  $("rows").innerHTML = part.map((index) => `<tr id="e${index}"${index === chosen ? ' class="chosen"' : ""}><td class="time"><button type="button" data-index="${index}">${clock(run.events[index][AT])}</button></td><td class="kind">${symbol(kindOf(index))}</td><td>${esc(run.events[index][TEXT])}</td></tr>`).join("");
  $("count").textContent = part.length < visible.length ? `${(begin + 1).toLocaleString("en")} to ${(begin + part.length).toLocaleString("en")} of ${visible.length.toLocaleString("en")}` : `${visible.length.toLocaleString("en")} of ${run.events.length.toLocaleString("en")}`;
  $("more").parentElement.hidden = part.length === visible.length;
  const row = $("e" + chosen);
  if (row) $("list").scrollTop = row.offsetTop - $("list").offsetTop - 60;
}
function drawDetail() {
  let out = "";
  if (chosen >= 0) {
    const event = run.events[chosen], records = recordsOf(chosen, 12), more = sizeOf(chosen) - records.length;
    out += `<p>${symbol(kindOf(chosen))} <b>${clock(event[AT])}</b> ${esc(kindOf(chosen).meaning)}: ${esc(event[TEXT])}${event[TOOK] ? `, began ${clock(event[AT] - event[TOOK])}` : ""}</p>`;
    if (records.length) out += `<div class="followed"><span class="soft">follow</span>${records.map((r) => recordButton(r)).join("")}${more ? `<span class="soft">and ${more.toLocaleString("en")} more</span>` : ""}</div>`;
  }
  if (followed >= 0) out += `<div class="followed"><span>record <code>${esc(run.records[followed][0])}</code> is followed</span><button type="button" id="unfollow">Show all</button></div>`;
  $("detail").innerHTML = out;
}
function recordButton(record) { return `<button class="record" type="button" data-record="${record}" aria-pressed="${record === followed}">${esc(run.records[record][1])}</button>`; }
function drawChips() {
  $("chips").innerHTML = run.kinds.map((kind, k) => kind.count ? `<button class="chip" type="button" data-kind="${k}" aria-pressed="${!hidden.has(k)}">${symbol(kind)}<span>${esc(kind.meaning)} · ${kind.count.toLocaleString("en")}</span></button>` : "").join("");
}
function tree(node) {
  const step = (index) => `<button type="button" data-index="${index}" aria-label="${esc(`${kindOf(index).meaning}; ${run.events[index][TEXT]}`)}">${symbol(kindOf(index))}</button>`;
  const calls = node.attempts.length, failure = node.failure === null ? "" : step(node.failure);
  return `<li><b>${esc(node.name)}</b> ${node.attempts.map(step).join("")}${failure} <span class="soft">${calls} call${calls > 1 ? "s" : ""}</span>${node.parts.length ? `<ul>${node.parts.map(tree).join("")}</ul>` : ""}</li>`;
}
function drawFixed() {
  document.title = $("title").textContent = run.title;
  $("facts").innerHTML = run.facts.map(([name, value, alarm]) => `<div class="fact${alarm ? " alarm" : ""}"><b>${esc(value)}</b><span>${esc(name)}</span></div>`).join("");
  $("causes").innerHTML = run.causes.slice(0, 4).map(([text, index]) => `<li><button type="button" data-index="${index}">${esc(text)}</button></li>`).join("") + (run.causes.length > 4 ? `<li>and ${(run.causes.length - 4).toLocaleString("en")} more</li>` : "");
  $("causeCard").hidden = !run.causes.length;
  $("trees").innerHTML = `<ul>${run.trees.slice(0, 50).map(tree).join("")}</ul>${run.trees.length > 50 ? `<p class="soft">and ${run.trees.length - 50} more</p>` : ""}`;
  $("treeCard").hidden = !run.trees.length;
  $("plots").innerHTML = run.plots.map((plot, p) => `<section class="card" aria-labelledby="plotHead${p}"><div class="tools"><h2 id="plotHead${p}">${esc(plot.name)}</h2><div class="keys" id="keys${p}"></div></div><div class="frame"><div class="names" id="names${p}"></div><div class="scroll" id="plot${p}" tabindex="0" role="region" aria-labelledby="plotHead${p}"></div></div></section>`).join("");
  const { seed, replay, consumers } = run.setup;
  const settings = ([name, values]) => `<h3>${esc(name)}</h3><table><tbody>${Object.entries(values).map(([key, value]) => `<tr><th scope="row">${esc(key)}</th><td>${esc(typeof value === "string" ? value : JSON.stringify(value))}</td></tr>`).join("")}</tbody></table>`;
  $("setup").innerHTML = (replay ? `<p>seed ${esc(seed)}; to replay: <code>${esc(replay)}</code></p>` : "") + consumers.map(settings).join("");
  $("setupCard").hidden = !replay && !consumers.length;
}

function reveal(index) {
  const pane = $("laneScroll"), x = xOf(index);
  if (x < pane.scrollLeft + 30 || x > pane.scrollLeft + pane.clientWidth - 30) pane.scrollLeft = x - pane.clientWidth * 0.7;
}
function choose(index, focus) {
  chosen = index;
  reveal(index);
  drawMarks(); drawRows(); drawDetail();
  if (focus) { const found = document.querySelector(`.mark[data-index="${index}"]`); if (found) found.focus({ preventScroll: true }); }
}
function follow(record) {
  followed = record;
  history.replaceState(null, "", record < 0 ? "#" : `#record=${run.records[record][0]}`);
  drawMarks(); drawRows(); drawDetail();
}
// Where keys go: along a lane, or to the event of the next lane that is nearest in time.
function neighbour(key) {
  const tops = place().tops, lane = laneOf(chosen), open = (index) => !hidden.has(run.events[index][KIND]);
  const all = run.events.map((_, index) => index).filter(open), same = all.filter((index) => laneOf(index) === lane), here = same.indexOf(chosen);
  if (key === "ArrowRight") return same[here + 1];
  if (key === "ArrowLeft") return same[here - 1];
  if (key === "Home") return all[0];
  if (key === "End") return all[all.length - 1];
  const lanes = [...new Set(all.map(laneOf))].sort((a, b) => tops[a] - tops[b]), next = lanes[lanes.indexOf(lane) + (key === "ArrowDown" ? 1 : -1)];
  if (next === undefined) return undefined;
  return all.filter((index) => laneOf(index) === next).reduce((a, b) => (Math.abs(columnOf[b] - columnOf[chosen]) < Math.abs(columnOf[a] - columnOf[chosen]) ? b : a));
}
function zoomTo(next) {
  zoom = Math.min(timed() ? 64 : 4, Math.max(timed() ? 1 : 0.25, next));
  draw();
  if (chosen >= 0) { reveal(chosen); drawMarks(); }
}
function go() {
  const wanted = new URLSearchParams(location.hash.slice(1));
  const record = run.records.findIndex(([number]) => number === wanted.get("record"));
  if (record >= 0) {
    followed = record;
    const last = run.events.map((_, index) => index).filter((index) => holds(index, record)).pop();
    return choose(last);
  }
  if (wanted.has("t") && run.events.length) {
    const at = Number(wanted.get("t"));
    return choose(run.events.reduce((best, event, index) => (Math.abs(event[AT] - at) < Math.abs(run.events[best][AT] - at) ? index : best), 0));
  }
  if (run.events.length) choose(run.causes.length ? run.causes[0][1] : run.events.length - 1);
}

document.addEventListener("click", (click) => {
  const found = click.target.closest("[data-index]"), record = click.target.closest("[data-record]"), chip = click.target.closest("[data-kind]");
  if (record) follow(Number(record.dataset.record) === followed ? -1 : Number(record.dataset.record));
  else if (click.target.id === "unfollow") follow(-1);
  else if (found) choose(Number(found.dataset.index), Boolean(click.target.closest(".mark")));
  else if (chip) {
    const kind = Number(chip.dataset.kind);
    if (!hidden.delete(kind)) hidden.add(kind);
    drawChips(); drawMarks(); drawRows();
    document.querySelector(`[data-kind="${kind}"]`).focus();
  }
});
$("laneScroll").addEventListener("keydown", (press) => {
  if (chosen < 0) return;
  if (press.key === "Enter" || press.key === " ") {
    const [record] = recordsOf(chosen, 1);
    if (record !== undefined) { follow(record === followed ? -1 : record); choose(chosen, true); }
    press.preventDefault();
  } else if (["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End"].includes(press.key)) {
    const next = neighbour(press.key);
    if (next !== undefined) choose(next, true);
    press.preventDefault();
  }
});
let asked = false;
$("laneScroll").addEventListener("scroll", () => {
  if (asked) return;
  asked = true;
  requestAnimationFrame(() => {
    asked = false;
    const inside = $("laneScroll").contains(document.activeElement);
    drawMarks(); syncPlots(); drawOverview();
    if (inside) { const found = document.querySelector(`.mark[data-index="${chosen}"]`); if (found) found.focus({ preventScroll: true }); }
  });
});
$("overview").addEventListener("click", (click) => { $("laneScroll").scrollLeft = (click.offsetX / $("overview").clientWidth) * width - $("laneScroll").clientWidth / 2; });
$("in").onclick = () => zoomTo(zoom * 2);
$("out").onclick = () => zoomTo(zoom / 2);
$("scale").onchange = () => zoomTo(1);
$("more").onclick = () => { shown += PAGE; drawRows(); };
$("theme").onclick = () => {
  const dark = getComputedStyle(document.documentElement).colorScheme === "dark" || (!document.documentElement.dataset.theme && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.dataset.theme = dark ? "light" : "dark";
};
addEventListener("resize", draw);
addEventListener("hashchange", go);
drawFixed(); drawChips(); draw(); drawRows(); go(); draw();
if (chosen >= 0) { reveal(chosen); drawMarks(); syncPlots(); drawOverview(); }
