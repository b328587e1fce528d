import { LADDER_STYLE } from "../ladder/ladder-style.ts";
import { PALETTE } from "./palette.ts";

/** The page's style: system fonts, few colours, light and dark as the reader's system is set. */
export const PAGE_STYLE: string = `${PALETTE}* { box-sizing: border-box; }
body {
  margin: 0; background: var(--bg); color: var(--text);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif;
}
.wrap { max-width: 1240px; margin: 0 auto; padding: 24px 20px 80px; }
h1 { font-size: 22px; margin: 0 0 2px; font-weight: 650; }
h2 { font-size: 17px; margin: 36px 0 10px; font-weight: 650; }
h3 { font-size: 15px; margin: 26px 0 8px; font-weight: 650; }
h4 { font-size: 13px; margin: 20px 0 6px; font-weight: 650; color: var(--muted); }
a { color: var(--accent); }
code, pre, .mono { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
code, .mono { font-size: 0.9em; }
.muted { color: var(--muted); }
.small { font-size: 13px; }
.verdicts { display: flex; flex-wrap: wrap; gap: 10px; margin: 18px 0 6px; padding: 0; list-style: none; }
.verdicts li {
  border: 1px solid var(--line); border-radius: 8px; padding: 8px 14px; min-width: 108px;
  background: var(--panel);
}
.verdicts b { display: block; font-size: 22px; line-height: 1.2; font-variant-numeric: tabular-nums; }
.verdicts .zero b { color: var(--muted); font-weight: 400; }
.pass { color: var(--pass); } .fail { color: var(--fail); }
.inconclusive { color: var(--inconclusive); } .unsupported { color: var(--unsupported); }
.broken { color: var(--broken); }
.badge {
  display: inline-block; min-width: 92px; text-align: center; font-size: 12px; font-weight: 650;
  border: 1px solid currentColor; border-radius: 999px; padding: 0 10px; line-height: 20px;
}
.scroll { overflow-x: auto; } .tall { max-height: 900px; overflow-y: auto; }
table { border-collapse: collapse; width: 100%; font-size: 14px; }
th, td { text-align: left; padding: 5px 12px 5px 0; border-bottom: 1px solid var(--line); vertical-align: top; }
th { font-weight: 600; color: var(--muted); font-size: 13px; }
table.words td { overflow-wrap: anywhere; } table.words td:first-child { white-space: nowrap; }
table.words td:nth-child(2) { min-width: 150px; } table.words td:nth-child(3) { min-width: 180px; } table.words td:nth-child(4) { min-width: 140px; }
table.dialogue td:nth-child(2) { min-width: 0; white-space: nowrap; } table.dialogue td:nth-child(3) { width: 100%; }
p.words { max-width: 80ch; overflow-wrap: anywhere; }
.gap { margin-top: 16px; }
th { white-space: nowrap; }
table.figures td { white-space: nowrap; } table.figures code { white-space: normal; }
table.figures td:has(> .bar) { white-space: normal; min-width: 340px; width: 56%; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
dl.facts { display: flex; flex-wrap: wrap; gap: 4px 26px; margin: 8px 0; }
dl.facts div { display: flex; gap: 8px; }
dl.facts dt { color: var(--muted); } dl.facts dd { margin: 0; font-variant-numeric: tabular-nums; }
dl.definitions dt { font-weight: 600; margin-top: 10px; } dl.definitions dd { margin: 0; }
details.scenario { border: 1px solid var(--line); border-radius: 8px; margin: 10px 0; }
details.scenario > summary {
  display: flex; flex-wrap: wrap; gap: 4px 14px; align-items: baseline; padding: 10px 14px; cursor: pointer;
}
details.scenario > summary .name { font-weight: 600; flex: 1 1 300px; }
details.scenario > .body { padding: 0 16px 16px; border-top: 1px solid var(--line); }
details.more { margin: 10px 0; } details.more > summary { cursor: pointer; color: var(--muted); }
summary:focus-visible, button:focus-visible, canvas:focus-visible, a:focus-visible {
  outline: 2px solid var(--accent); outline-offset: 2px;
}
ol.steps { list-style: none; margin: 12px 0; padding: 0; }
ol.steps li { padding: 2px 0 2px 24px; position: relative; }
ol.steps li::before { position: absolute; left: 2px; content: "–"; color: var(--muted); }
ol.steps li.passed::before { content: "✓"; color: var(--pass); }
ol.steps li.failed::before { content: "✗"; color: var(--fail); }
ol.steps .keyword { color: var(--muted); }
.error {
  white-space: pre-wrap; overflow-wrap: anywhere; background: var(--panel); font-size: 13px;
  border-left: 3px solid var(--fail); padding: 8px 12px; margin: 6px 0;
}
.concerns { border-left: 3px solid var(--inconclusive); background: var(--panel); padding: 8px 12px; }
.chart { position: relative; margin: 8px 0; }
.chart canvas { display: block; width: 100%; height: 380px; cursor: crosshair; touch-action: pan-y; }
.chart .tip {
  position: absolute; pointer-events: none; background: var(--text); color: var(--bg);
  border-radius: 4px; padding: 2px 8px; font-size: 12px; white-space: nowrap; display: none;
}
.tools { display: flex; flex-wrap: wrap; gap: 8px 10px; align-items: center; }
.tools audio { height: 36px; flex: 1 1 320px; min-width: 240px; max-width: 560px; }
button {
  font: inherit; font-size: 13px; color: var(--text); background: var(--panel);
  border: 1px solid var(--line); border-radius: 6px; padding: 3px 10px; cursor: pointer;
}
button.seek { white-space: nowrap;
  background: none; border: 0; padding: 0; color: var(--accent); font-size: inherit;
  font-variant-numeric: tabular-nums; text-decoration: underline; text-underline-offset: 2px;
}
.bar { display: flex; height: 18px; border-radius: 4px; overflow: hidden; min-width: 260px; background: var(--panel); }
.bar span { min-width: 1px; }
.key { display: inline-block; width: 10px; height: 10px; border-radius: 2px; margin-right: 5px; }
.part { white-space: nowrap; margin-right: 8px; }
.p0 { background: var(--part-0); } .p1 { background: var(--part-1); } .p2 { background: var(--part-2); }
.p3 { background: var(--part-3); } .p4 { background: var(--part-4); } .p5 { background: var(--part-5); }
svg.delays { display: block; width: 100%; max-width: 900px; }
svg.delays text { fill: var(--muted); font-size: 11px; } svg.delays .axis { fill: none; stroke: var(--line); }
svg.delays g { stroke-width: 1.5; stroke: none; } svg.delays g path { fill: none; }
svg.delays .of-caller { fill: var(--caller); } svg.delays .of-caller path { stroke: var(--caller); }
svg.delays .of-bot { fill: var(--bot); } svg.delays .of-bot path { stroke: var(--bot); }
.key.of-caller { background: var(--caller); } .key.of-bot { background: var(--bot); }
a.row { text-decoration: none; } a.row:hover .arrow, a.row:focus .arrow { stroke-width: 3; }
pre.sip { white-space: pre-wrap; overflow-wrap: anywhere; font-size: 12px; background: var(--panel); padding: 8px 12px; margin: 4px 0 12px; }
@media print { .tools, .more { display: none; } }
${LADDER_STYLE}`;
