// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Style and scripts of pages: what all share, what pages with a heatmap share, and the scripts of html_page and html_token_maps, which find their data in the
// element #data.
#pragma once

#include <string_view>

namespace lrp::detail {

/// Colours of both themes, type, controls, lists and panels.
inline constexpr std::string_view html_shared_style = R"css(
:root { --ink: #1c1e21; --soft: #5f6670; --paper: #ffffff; --line: #d9dde3; --panel: #f5f6f8; --accent: #2f5fc4; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8eaed; --soft: #a3abb6; --paper: #17191c; --line: #383d44; --panel: #202328; --accent: #8ab0ff; } }
* { box-sizing: border-box; }
body { margin: 0; padding: 1.4rem 1.8rem 3rem; font: 15px/1.45 system-ui, sans-serif; color: var(--ink); background: var(--paper); }
h1 { font-size: 1.35rem; margin: 0 0 .2rem; } h2 { font-size: 1.02rem; margin: 1.6rem 0 .5rem; }
p.lead { margin: 0; color: var(--soft); } code { font-family: ui-monospace, monospace; }
.controls { display: flex; gap: 1.2rem; flex-wrap: wrap; align-items: center; margin: .4rem 0 .6rem; }
.controls label { cursor: pointer; } select, input { font: inherit; accent-color: var(--accent); }
#tip { position: fixed; display: none; pointer-events: none; z-index: 5; background: var(--ink); color: var(--paper); padding: .4rem .6rem; border-radius: 5px; font-size: .88em; white-space: pre; }
.cols { display: flex; gap: 3rem; flex-wrap: wrap; align-items: flex-start; }
table.list { border-collapse: collapse; } table.list td, table.list th { padding: .15rem .8rem .15rem 0; text-align: left; vertical-align: middle; white-space: pre; }
table.list th { color: var(--soft); font-weight: 400; } table.list td.n { text-align: right; font-variant-numeric: tabular-nums; }
.bar { display: inline-block; height: .75rem; background: var(--accent); border-radius: 2px; min-width: 1px; }
.panel { background: var(--panel); border: 1px solid var(--line); border-radius: 6px; padding: .8rem 1rem; }
footer table { font-size: .88em; color: var(--soft); }
)css";

/// A coloured prompt, and a table of coloured cells.
inline constexpr std::string_view html_heat_style = R"css(
#prompt { line-height: 2.1; max-width: 70rem; white-space: pre-wrap; overflow-wrap: anywhere; }
#prompt span { padding: .18rem 0; cursor: pointer; border-bottom: 2px solid transparent; color: #111; }
#prompt span.white, td.c.white { color: #fff; } #prompt span.chosen { border-bottom-color: var(--accent); }
.scale { display: inline-flex; align-items: center; gap: .4rem; color: var(--soft); font-size: .9em; }
.scale i { width: 11rem; height: .8rem; border: 1px solid var(--line); border-radius: 2px; }
.wide { overflow-x: auto; border: 1px solid var(--line); border-radius: 6px; max-width: 100%; width: fit-content; }
table.heat { border-collapse: separate; border-spacing: 0; }
table.heat th { font-weight: 400; background: var(--paper); white-space: pre; }
table.heat th.layer { position: sticky; left: 0; z-index: 1; text-align: right; padding: 0 .6rem; border-right: 1px solid var(--line); color: var(--soft); }
table.heat th.row { cursor: pointer; }
table.heat th.token { vertical-align: top; padding: .35rem 0 .5rem; cursor: pointer; }
table.heat th.token div { writing-mode: vertical-rl; max-height: 9rem; overflow: hidden; text-overflow: ellipsis; margin: 0 auto; line-height: 1.3; }
table.heat th.chosen { color: var(--accent); font-weight: 700; }
td.c { width: 1.9rem; min-width: 1.9rem; height: 1.55rem; } td.c:hover { outline: 2px solid var(--ink); outline-offset: -2px; } td.c.chosen { box-shadow: inset 2px 0 var(--accent), inset -2px 0 var(--accent); }
)css";

/// Elements by name, the colour of a value (as diverging_color), numbers as text, and the tip that follows the mouse.
inline constexpr std::string_view html_shared_script = R"js(
"use strict";
const $ = id => document.getElementById(id);
const make = (tag, text, cls) => { const e = document.createElement(tag); if (text !== undefined) e.textContent = text; if (cls) e.className = cls; return e; };
const ends = [[59, 100, 200], [200, 50, 47]];
function rgb(v) { const s = Math.pow(Math.min(Math.abs(v), 1), 0.85), e = ends[v < 0 ? 0 : 1]; return e.map(x => Math.round(255 + s * (x - 255))); }
function paint(element, v) { const c = rgb(v); element.style.backgroundColor = "rgb(" + c.join(",") + ")"; element.classList.toggle("white", 0.299 * c[0] + 0.587 * c[1] + 0.114 * c[2] < 140); }
const peak = row => row.reduce((m, v) => Math.max(m, Math.abs(v)), 0);
const show = v => v === 0 ? "0" : Number(v).toPrecision(9).replace(/\.?0+($|e)/, "$1"), brief = v => show(Number(Number(v).toPrecision(4)));
function tip(e, text) { const b = $("tip"); b.textContent = text; b.style.display = "block"; const w = b.offsetWidth, h = b.offsetHeight;
  b.style.left = Math.min(e.clientX + 14, innerWidth - w - 8) + "px"; b.style.top = (e.clientY + 18 + h > innerHeight ? e.clientY - h - 10 : e.clientY + 18) + "px"; }
function hide() { $("tip").style.display = "none"; }
)js";

/// The data, the prompt coloured by one value a token, rows of coloured cells, lists with bars, and the bar that shows the scale.
inline constexpr std::string_view html_heat_script = R"js(
const D = JSON.parse(document.getElementById("data").textContent);
const quoted = t => "\u201c" + D.tokens[t] + "\u201d";
const axisText = token => /^ +$/.test(token) ? token.replace(/ /g, "\u2423") : token;
const raised = v => $("faint").checked ? Math.sign(v) * Math.sqrt(Math.abs(v)) : v;

function scaled(rows, how) {
  const all = Math.max(...rows.map(r => peak(r.values)));
  return rows.map(r => { const s = how === "layer" ? peak(r.values) : all; return r.values.map(v => s > 0 ? v / s : 0); });
}
// Rows {name, values, choose} over tokens; a row may end early. `row` and `column` are the chosen ones.
function heatTable(rows, how, row, column, choose) {
  const colours = scaled(rows, how), table = make("table", undefined, "heat");
  rows.forEach((r, y) => {
    const line = table.insertRow(), head = make("th", r.name, "layer" + (r.choose ? " row" : "") + (y === row ? " chosen" : ""));
    if (r.choose) head.onclick = r.choose;
    line.appendChild(head);
    r.values.forEach((v, t) => {
      const cell = line.insertCell(); cell.className = "c" + (t === column ? " chosen" : ""); paint(cell, raised(colours[y][t]));
      cell.onmousemove = e => tip(e, r.name + "   token " + t + " " + quoted(t) + "\nrelevance " + show(v) + (how === "none" ? "" : "\nscaled " + show(colours[y][t])));
      cell.onmouseleave = hide; cell.onclick = r.choose || (() => choose(t));
    });
  });
  const foot = table.insertRow(); foot.appendChild(make("th", "", "layer"));
  D.tokens.forEach((token, t) => { const th = make("th", undefined, "token" + (t === column ? " chosen" : "")); th.appendChild(make("div", axisText(token))); th.title = token; th.onclick = () => choose(t); foot.appendChild(th); });
  $("heat").replaceChildren(table);
  $("scale").style.background = "linear-gradient(90deg," + Array.from({ length: 33 }, (_, i) => "rgb(" + rgb(raised(i / 16 - 1)).join(",") + ")").join(",") + ")";
}
function colourPrompt(values, chosen, choose) {
  const m = peak(values) || 1;
  $("prompt").replaceChildren(...D.text.map((text, t) => { const v = t < values.length ? values[t] : 0, s = make("span", text); paint(s, raised(v / m)); if (t === chosen) s.classList.add("chosen");
    s.onmousemove = e => tip(e, "token " + t + "   id " + D.ids[t] + "\nrelevance " + show(v)); s.onmouseleave = hide; s.onclick = () => choose(t); return s; }));
}
// A long prompt opens where it is explained.
function scrollTo(t) { const head = $("heat").querySelectorAll("th.token")[t]; if (head) $("heat").scrollLeft = head.offsetLeft + 1.5 * head.offsetWidth - $("heat").clientWidth; }
function list(head, rows) { const table = make("table", undefined, "list"), h = table.insertRow(); head.forEach(x => h.appendChild(make("th", x)));
  rows.forEach(r => { const line = table.insertRow(); r.forEach(x => { const c = line.insertCell(); if (x instanceof Node) c.appendChild(x); else { c.textContent = x; if (typeof x === "number" || /^[-0-9.e%\u2212]+$/.test(x)) c.className = "n"; } }); }); return table; }
function swatch(v, m) { const b = make("span", undefined, "bar"); b.style.width = (90 * Math.abs(v) / (m || 1)) + "px"; b.style.background = "rgb(" + ends[v < 0 ? 0 : 1].join(",") + ")"; return b; }
)js";

inline constexpr std::string_view html_trace_script = R"js(
let chosen = -1;

function heat() {
  const rows = D.residual.map((values, l) => ({ name: "layer " + l, values })).reverse();
  if ($("embedding").checked) rows.push({ name: "embedding", values: D.embedding });
  heatTable(rows, $("how").value, -1, chosen, choose);
}
function prompt() { colourPrompt(D.embedding, chosen, choose); }
function choose(t) {
  chosen = chosen === t ? -1 : t; heat(); prompt();
  const box = $("token"); box.hidden = chosen < 0; if (chosen < 0) return;
  const parts = [make("h2", "Token " + t + " " + quoted(t))], cols = make("div", undefined, "cols");
  const column = D.residual.map(r => r[t]), below = D.embedding[t], m = peak([...column, below]);
  const add = (title, table) => { const d = make("div"); d.appendChild(make("p", title, "lead")); d.appendChild(table); cols.appendChild(d); };
  add("Through the layers", list(["layer", "relevance", ""], [...column.map((v, l) => [String(l), brief(v), swatch(v, m)]).reverse(), ["embedding", brief(below), swatch(below, m)]]));
  if (D.heads) add("Most relevant heads", list(["layer", "head", "relevance", ""], D.heads[t].map(h => [String(h[0]), String(h[1]), brief(h[2]), swatch(h[2], Math.abs(D.heads[t][0][2]))])));
  if (D.neurons) add("Most relevant neurons", list(["layer", "neuron", "relevance", ""], D.neurons[t].map(h => [String(h[0]), String(h[1]), brief(h[2]), swatch(h[2], Math.abs(D.neurons[t][0][2]))])));
  box.replaceChildren(...parts, cols);
}
$("predictions").replaceChildren(list(["", "token", "id", "logit", "probability", ""], D.predictions.map((p, i) => {
  const b = make("span", undefined, "bar"); b.style.width = (160 * p[3]) + "px"; return [String(i + 1), "\u201c" + p[0] + "\u201d", String(p[1]), p[2].toFixed(4), (100 * p[3]).toFixed(2) + "%", b]; })));
$("how").value = D.normalize; $("how").onchange = $("embedding").onchange = heat; $("faint").onchange = () => { heat(); prompt(); };
prompt(); heat(); scrollTo(D.position);
)js";

/// Of the chosen position above: the prompt coloured by where its relevance comes from, and lists of where it comes from and goes to.
inline constexpr std::string_view html_maps_script = R"js(
let chosen = D.position;

function at() { return D.maps[Number($("map").value)]; }
function draw() {
  const map = at();
  heatTable(map.values.map((values, j) => ({ name: j + " " + quoted(j), values, choose: () => choose(j) })), $("how").value, chosen, -1, choose);
  colourPrompt(map.values[chosen], chosen, choose);
  $("title").textContent = map.title; $("what").textContent = chosen + " " + quoted(chosen);
  const strongest = pairs => pairs.filter(p => p[1] !== 0).sort((a, b) => Math.abs(b[1]) - Math.abs(a[1])).slice(0, 12), cols = make("div", undefined, "cols");
  const add = (title, pairs) => { const all = pairs.reduce((s, p) => s + p[1], 0), top = strongest(pairs), d = make("div"); d.appendChild(make("p", title + ", " + brief(all) + " in all", "lead"));
    d.appendChild(list(["token", "", "relevance", ""], top.map(([t, v]) => [String(t), quoted(t), brief(v), swatch(v, Math.abs(top[0][1]))]))); cols.appendChild(d); };
  add("Comes from", map.values[chosen].map((v, i) => [i, v]));
  add("Goes to", map.values.slice(chosen).map((row, k) => [chosen + k, row[chosen]]));
  $("token").replaceChildren(make("h2", "Token " + chosen + " " + quoted(chosen)), cols);
}
function choose(t) { chosen = t; hide(); draw(); }
D.maps.forEach((map, i) => $("map").append(new Option(map.name, String(i))));
$("map").value = String(D.first); $("how").value = D.normalize; $("map").onchange = $("how").onchange = $("faint").onchange = draw;
draw(); scrollTo(D.position);
)js";

}  // namespace lrp::detail
