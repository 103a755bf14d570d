// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Style and script of the page that shows a neuron store (pipeline/dashboard.hpp), beside what all pages share. Data lie in script elements, each
// packed by zlib and base64; a layer is unpacked when it is looked at, and of a list of units only the rows in sight are elements.
#pragma once

#include <string_view>

namespace lrp::detail {

inline constexpr std::string_view dashboard_style = R"css(
body { padding: 0; display: grid; grid-template-columns: 19rem 1fr; grid-template-rows: auto 1fr; height: 100vh; }
header { grid-column: 1 / 3; padding: .7rem 1.2rem; border-bottom: 1px solid var(--line); display: flex; gap: 1.2rem; flex-wrap: wrap; align-items: center; }
header h1 { margin: 0; } header input[type=search] { width: 17rem; padding: .25rem .5rem; }
aside { border-right: 1px solid var(--line); display: flex; flex-direction: column; min-height: 0; }
aside .controls { padding: .5rem .8rem; margin: 0; gap: .6rem; } #count { color: var(--soft); font-size: .88em; padding: 0 .8rem .4rem; }
#units { overflow-y: auto; flex: 1; position: relative; } #units div.row { position: absolute; left: 0; right: 0; height: 26px; line-height: 26px; padding: 0 .8rem; cursor: pointer;
  white-space: nowrap; overflow: hidden; text-overflow: ellipsis; } #units div.row:hover { background: var(--panel); } #units div.row.chosen { background: var(--accent); color: #fff; }
#units b { display: inline-block; min-width: 4.6rem; font-weight: 600; }
main { overflow-y: auto; padding: .8rem 1.4rem 3rem; } main h2 { margin-top: 1.2rem; } .lists { display: grid; grid-template-columns: repeat(auto-fit, minmax(27rem, 1fr)); gap: 0 1.6rem; }
table.snips { border-collapse: collapse; width: 100%; table-layout: fixed; } table.snips td { border-bottom: 1px solid var(--line); padding: .25rem .4rem .25rem 0; vertical-align: top; }
table.snips td.v { width: 5.2rem; text-align: right; font-variant-numeric: tabular-nums; } table.snips td.p { width: 5.6rem; color: var(--soft); font-size: .85em; }
.snip { white-space: pre-wrap; overflow-wrap: anywhere; line-height: 1.75; } .snip span { color: #111; padding: .1rem 0; } .snip span.white { color: #fff; }
.snip span.here { outline: 2px solid var(--ink); outline-offset: 0; margin: 0 2px; border-radius: 2px; }
table.words { border-collapse: collapse; margin: .6rem 0; } table.words th, table.words td { text-align: left; vertical-align: top; padding: .1rem 1.2rem .1rem 0; font-weight: 400; } table.words th { color: var(--soft); white-space: nowrap; }
p.label { margin: .25rem 0; } .plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(22rem, 32rem)); gap: 0 1.6rem; }
.chip { display: inline-block; background: var(--panel); border: 1px solid var(--line); border-radius: 4px; padding: 0 .4rem; margin: 0 .3rem .3rem 0; white-space: pre; }
button { font: inherit; padding: .1rem .6rem; cursor: pointer; } .facts { color: var(--soft); } .label { font-size: 1.05rem; } svg.hist { display: block; max-width: 100%; }
svg.hist rect { fill: var(--accent); } svg.hist text { fill: var(--soft); font-size: 11px; } svg.hist line { stroke: var(--line); } p.note { color: var(--soft); margin: .3rem 0; }
)css";

inline constexpr std::string_view dashboard_script = R"js(
const M = JSON.parse($("meta").textContent), sites = ["neuron", "head"], names = ["activation_max", "activation_min", "relevance_max", "relevance_min"];
const titles = [["Most active", "Most active, negative", "Most relevant", "Least relevant (most against)"], ["Most active", "Least active", "Most relevant", "Least relevant (most against)"]];
let tokens = [], documents = new Map(), labels = [], rows = [], at = null, ready = new Map();

async function unpack(id) {
  const text = $(id).textContent.trim(), raw = Uint8Array.from(atob(text), c => c.charCodeAt(0));
  const stream = new Blob([raw]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Response(stream).arrayBuffer();
}
const json = async id => JSON.parse(new TextDecoder().decode(await unpack(id)));
async function layer(site, l) {
  const key = sites[site] + "." + l;
  if (!ready.has(key)) {
    const [numbers, facts] = await Promise.all([unpack("n." + key), json("j." + key)]);
    ready.set(key, { view: new DataView(numbers), facts });
    if (ready.size > 4) ready.delete(ready.keys().next().value);
  }
  return ready.get(key);
}
const width = M.before + 1 + M.after, entrySize = 20 + 2 * width, histSize = 2 * M.bins * 4, unitSize = histSize + 4 * M.top * entrySize;
function entries(view, unit, list) {
  const out = [];
  for (let i = 0; i < M.top; ++i) {
    const o = unit * unitSize + histSize + (list * M.top + i) * entrySize, document = view.getInt32(o, true);
    if (document < 0) break;
    const scales = [view.getFloat32(o + 12, true), view.getFloat32(o + 16, true)];
    const values = [0, 1].map(q => Array.from({ length: width }, (_, t) => view.getInt8(o + 20 + q * width + t) / 127 * scales[q]));
    out.push({ document, position: view.getInt32(o + 4, true), value: view.getFloat32(o + 8, true), values, scales });
  }
  return out;
}
function name(site, l, u) { return (site ? "head " : "") + l + "/" + u; }
const labelOf = new Map();
function labelText(site, l, u) { return labelOf.get(site + "," + l + "," + u) || ""; }

// The list of units: rows in sight alone.
const rowHeight = 26;
function drawRows() {
  const box = $("units"), first = Math.max(0, Math.floor(box.scrollTop / rowHeight) - 5), last = Math.min(rows.length, first + Math.ceil(box.clientHeight / rowHeight) + 10);
  const pad = make("div"); pad.style.height = rows.length * rowHeight + "px";
  const shown = [pad];
  for (let i = first; i < last; ++i) {
    const [s, l, u] = rows[i], text = rows[i][3] || labelText(s, l, u), row = make("div", undefined, "row" + (at && at[0] === s && at[1] === l && at[2] === u ? " chosen" : ""));
    row.style.top = i * rowHeight + "px"; row.append(make("b", name(s, l, u)), " " + text); row.title = text; row.onclick = () => go(s, l, u); shown.push(row);
  }
  const top = box.scrollTop; box.replaceChildren(...shown); box.scrollTop = top;
}
function fillRows() {
  const words = $("search").value.toLowerCase().split(/\s+/).filter(w => w), s = Number($("site").value), l = $("layer").value;
  if (words.length) {
    const seen = new Set();
    rows = labels.filter(x => words.every(w => x[5].toLowerCase().includes(w))).filter(x => { const key = x.slice(0, 3).join(); return !seen.has(key) && seen.add(key); }).map(x => [x[0], x[1], x[2], x[5] + " (" + x[3] + ")"]);
    $("count").textContent = rows.length + " units whose label has these words, in all layers";
  } else {
    rows = []; const from = l === "all" ? 0 : Number(l), to = l === "all" ? M.layers : from + 1;
    for (let i = from; i < to; ++i) for (let u = 0; u < M.units[s]; ++u) rows.push([s, i, u]);
    $("count").textContent = rows.length + " units";
  }
  $("units").scrollTop = 0; drawRows();
}

function hist(counts, title) {
  const total = counts.reduce((a, b) => a + b, 0) || 1, logs = counts.map(c => Math.log10(1 + c)), peakLog = Math.max(...logs), w = 520, h = 90, n = counts.length, step = w / n;
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg"); svg.setAttribute("class", "hist"); svg.setAttribute("viewBox", `0 0 ${w} ${h + 30}`); svg.setAttribute("width", w);
  const add = (tag, attributes, text) => { const e = document.createElementNS(svg.namespaceURI, tag); for (const k in attributes) e.setAttribute(k, attributes[k]); if (text) e.textContent = text; svg.appendChild(e); return e; };
  logs.forEach((v, i) => { const b = add("rect", { x: i * step + 0.5, y: h - v / peakLog * (h - 8), width: Math.max(step - 1, 1), height: v / peakLog * (h - 8) });
    b.addEventListener("mousemove", e => tip(e, range(i) + "\n" + counts[i] + " values (" + (100 * counts[i] / total).toPrecision(3) + " %)")); b.addEventListener("mouseleave", hide); });
  add("line", { x1: 0, x2: w, y1: h, y2: h });
  const zero = (n - 1) / 2;
  add("text", { x: (zero + 0.5) * step, y: h + 14, "text-anchor": "middle" }, "0");
  for (const [k, text] of [[18, "2\u207b\u2078"], [26, "1"]]) for (const sign of [1, -1])
    add("text", { x: (sign > 0 ? zero + k : zero - k + 1) * step, y: h + 14, "text-anchor": "middle" }, (sign < 0 ? "\u2212" : "") + text);
  add("text", { x: w / 2, y: h + 27, "text-anchor": "middle" }, title + " (octaves; height is the logarithm of the count)");
  return svg;
}
function range(i) { const z = M.zero, k = Math.abs(i - z); if (k === 0) return "exactly 0"; const sign = i < z ? "\u2212" : ""; return k === 1 ? "below 2^\u221224, " + (i < z ? "negative" : "positive") : sign + "2^" + (k - 26) + " to " + sign + "2^" + (k - 25); }

function snippet(e, q) {
  const box = make("div", undefined, "snip"), ids = documents.get(e.document) || [], scale = e.scales[q] || 1;
  for (let t = 0; t < width; ++t) {
    const p = e.position - M.before + t; if (p < 0 || p >= ids.length) continue;
    const s = make("span", tokens[ids[p]]); paint(s, e.values[q][t] / scale); if (p === e.position) s.classList.add("here");
    s.onmousemove = ev => tip(ev, "position " + p + "\nactivation " + e.values[0][t].toPrecision(3) + "\nrelevance " + e.values[1][t].toPrecision(3)); s.onmouseleave = hide; box.appendChild(s);
  }
  return box;
}
// The tokens of both poles side by side.
function words(kinds) {
  const table = make("table", undefined, "words"), names = new Set(Object.keys(kinds).map(k => k.split("_")[0]));
  if (names.size) { const row = table.insertRow(); for (const text of ["", "pole max", "pole min"]) row.append(make("th", text)); }
  for (const kind of names) {
    const row = table.insertRow(); row.append(make("th", kind));
    for (const pole of ["max", "min"]) { const cell = row.insertCell(); (kinds[kind + "_" + pole] || []).forEach(x => { const text = tokens[x[0]], c = make("span", text.trim() ? text : "'" + text + "'", "chip"); c.title = String(x[1]); cell.append(c); }); }
  }
  return table;
}
function link(s, l, u, before, behind) { const b = make("button", before + name(s, l, u) + behind); b.title = labelText(s, l, u); b.onclick = () => go(s, l, u); return b; }
async function go(s, l, u, quiet) {
  at = [s, l, u]; if (!quiet) location.hash = sites[s] + "/" + l + "/" + u;
  const data = await layer(s, l); if (at[0] !== s || at[1] !== l || at[2] !== u) return;
  const facts = data.facts[u] || {}, out = [], colour = Number($("colour").value);
  const title = make("h2", sites[s] + " " + l + "/" + u); out.push(title);
  const way = make("div", undefined, "controls");
  if (u > 0) way.append(link(s, l, u - 1, "\u2190 ", "")); if (u + 1 < M.units[s]) way.append(link(s, l, u + 1, "", " \u2192"));
  (facts.n || []).forEach(x => way.append(link(x[0], x[1], x[2], "", ", " + x[3] + " places in common"))); out.push(way);
  if (!(facts.n || []).length) out.push(make("p", "No other unit has three or more of its most active places.", "note"));
  labels.filter(x => x[0] === s && x[1] === l && x[2] === u).forEach(x => { const p = make("p", x[5], "label"); p.append(make("span", "   " + x[3] + ", " + x[4] + (x[6] === null ? "" : ", score " + x[6].toFixed(3) + " (shuffled labels " + x[7].toFixed(3) + ")"), "facts")); out.push(p); });
  out.push(words(facts.t || {}));
  if (facts.s) out.push(make("p", facts.s, "facts"));
  const plots = make("div", undefined, "plots");
  for (let q = 0; q < 2; ++q) { const counts = []; for (let i = 0; i < M.bins; ++i) counts.push(data.view.getUint32(u * unitSize + (q * M.bins + i) * 4, true)); plots.append(hist(counts, ["activation", "relevance"][q])); }
  out.push(plots);
  out.push(make("p", "Each line: value, document : position, text; red is positive, blue negative, the place itself is framed.", "note"));
  const lists = make("div", undefined, "lists");
  for (let k = 0; k < 4; ++k) {
    const part = make("div"), table = make("table", undefined, "snips"); part.append(make("h2", titles[s][k]), table);
    entries(data.view, u, k).forEach(e => { const row = table.insertRow(); const v = row.insertCell(); v.className = "v"; v.textContent = e.value.toPrecision(4);
      const p = row.insertCell(); p.className = "p"; p.textContent = e.document + " : " + e.position; p.title = "document : position"; row.insertCell().appendChild(snippet(e, colour < 0 ? (k < 2 ? 0 : 1) : colour)); });
    lists.append(part);
  }
  out.push(lists); $("main").replaceChildren(...out); $("main").scrollTop = 0; reveal(s, l, u);
}
// Brings the unit's row into sight; without a search the list goes along to its layer.
function reveal(s, l, u) {
  if (!$("search").value.trim() && (Number($("site").value) !== s || ($("layer").value !== "all" && Number($("layer").value) !== l))) { $("site").value = String(s); $("layer").value = String(l); fillRows(); }
  const i = rows.findIndex(x => x[0] === s && x[1] === l && x[2] === u), box = $("units");
  if (i >= 0 && (i * rowHeight < box.scrollTop || (i + 1) * rowHeight > box.scrollTop + box.clientHeight)) box.scrollTop = i * rowHeight - box.clientHeight / 2;
  drawRows();
}
function fromHash() { const m = /^#(neuron|head)\/(\d+)\/(\d+)$/.exec(location.hash); return m ? [sites.indexOf(m[1]), Number(m[2]), Number(m[3])] : null; }
const valid = x => x && x[1] < M.layers && x[2] < M.units[x[0]];
async function start() {
  [tokens, labels] = await Promise.all([json("tokens"), json("labels")]);
  const words = new DataView(await unpack("documents"));
  for (let o = 0; o < words.byteLength;) { const id = words.getInt32(o, true), n = words.getInt32(o + 4, true), ids = new Int32Array(n); for (let i = 0; i < n; ++i) ids[i] = words.getInt32(o + 8 + 4 * i, true); documents.set(id, ids); o += 8 + 4 * n; }
  labels.forEach(x => { const k = x[0] + "," + x[1] + "," + x[2]; if (!labelOf.has(k)) labelOf.set(k, x[5]); });
  for (let l = 0; l < M.layers; ++l) $("layer").append(new Option("layer " + l, String(l))); $("layer").append(new Option("all layers", "all"));
  const h = fromHash(), first = valid(h) ? h : [0, 0, 0];
  $("site").value = String(first[0]); $("layer").value = String(first[1]); fillRows(); await go(...first, true);
}
$("site").onchange = $("layer").onchange = fillRows; $("search").oninput = fillRows; $("units").onscroll = drawRows; $("colour").onchange = () => at && go(...at, true); window.onresize = drawRows;
window.onhashchange = () => { const h = fromHash(); if (valid(h) && (!at || h.join() !== at.join())) go(...h, true); };
start().catch(e => { $("main").replaceChildren(make("p", "This page needs a browser of 2023 or later (" + e + ")", "note")); });
)js";

}  // namespace lrp::detail
