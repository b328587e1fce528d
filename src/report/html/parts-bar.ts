import { formatMs, type LatencyPart } from "../../measure/index.ts";
import { html, type Markup } from "./markup.ts";

/** What the parts are called for people, and which colour each has. */
const PART_NAMES: ReadonlyMap<string, { readonly name: string; readonly colour: number }> = new Map(
  [
    ["networkThere", { name: "network there", colour: 0 }],
    ["turnDetection", { name: "turn detection", colour: 1 }],
    ["model", { name: "model", colour: 2 }],
    ["injection", { name: "injection", colour: 3 }],
    ["leadingSilence", { name: "leading silence", colour: 4 }],
    ["delivery", { name: "network back and playout", colour: 5 }],
    ["detection", { name: "detection", colour: 1 }],
    ["flush", { name: "flush", colour: 3 }],
    ["tail", { name: "tail", colour: 5 }],
  ],
);

/** A latency as a stacked bar, with the same in words below it. */
export function partsBar(parts: readonly LatencyPart[]): Markup {
  if (parts.length === 0) return html`<span class="muted">–</span>`;
  const shownMs = parts.reduce((sum, { ms }) => sum + Math.max(0, ms), 0);
  const words = parts.map((part) => `${nameOf(part)} ${formatMs(part.ms)}`);
  return html`<div class="bar" role="img" aria-label="${words.join(", ")}">${parts.map(
    (part) => html`<span class="p${colourOf(part)}" style="width:${share(part.ms, shownMs)}%"
 title="${nameOf(part)} ${formatMs(part.ms)}"></span>`,
  )}</div>
<div class="small muted">${parts.map(
    (part, index) =>
      html`<span class="part"><span class="key p${colourOf(part)}" aria-hidden="true"></span>${words[index]}</span> `,
  )}</div>`;
}

function nameOf(part: LatencyPart): string {
  return part.covers.map((name) => PART_NAMES.get(name)?.name ?? name).join(" + ");
}

function colourOf(part: LatencyPart): number {
  return PART_NAMES.get(part.covers.at(-1) ?? "")?.colour ?? 0;
}

function share(ms: number, totalMs: number): string {
  return totalMs > 0 ? ((Math.max(0, ms) / totalMs) * 100).toFixed(2) : "0";
}
