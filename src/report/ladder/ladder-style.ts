/** How a ladder looks; colours are those of `PALETTE`. */
export const LADDER_STYLE = `
.ladder text { fill: var(--text); font-size: 12.5px; }
.ladder .who { font-size: 14px; font-weight: 650; }
.ladder .at { fill: var(--muted); font-size: 12px; font-variant-numeric: tabular-nums; }
.ladder .under { fill: var(--muted); font-size: 11px; }
.ladder .label, .ladder .under, .ladder .note { paint-order: stroke; stroke: var(--bg); stroke-width: 3px; stroke-linejoin: round; }
.ladder .life { stroke: var(--line); stroke-width: 1.5; }
.ladder line.media { stroke: var(--bot); stroke-width: 5; stroke-opacity: 0.45; }
.ladder .arrow { stroke: var(--accent); stroke-width: 1.5; } .ladder .head { fill: var(--accent); }
.ladder .again { stroke-dasharray: 5 4; } .ladder .lost { stroke: var(--fail); }
.ladder .cross { stroke: var(--fail); stroke-width: 2; fill: none; }
.ladder .note { font-size: 12px; } .ladder circle { stroke: none; fill: var(--muted); }
.ladder circle.media { fill: var(--bot); } .ladder text.media { fill: var(--bot); }
.ladder circle.digit, .ladder text.digit { fill: var(--bracket); }
.ladder circle.fault, .ladder text.fault { fill: var(--fail); }
.ladder text.end { fill: var(--muted); }
`;
