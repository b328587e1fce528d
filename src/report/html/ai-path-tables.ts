import {
  type AiPathDirection,
  type CallMetrics,
  carrierWords,
  formatMs,
} from "../../measure/index.ts";
import type { CallSummary, RunSummary } from "../run-summary.ts";
import type { SeekLink } from "./call-tables.ts";
import { html, type Markup } from "./markup.ts";
import { table } from "./table.ts";

/**
 * Calls whose AI was reached over an injured network, side by side: what the network did, and what
 * became of the bot's speech.
 */
export function aiPathsSection({ calls, scenarios }: RunSummary): Markup | undefined {
  const rows = calls
    .filter(({ metrics }) => metrics.aiPath !== undefined)
    .map((call) => {
      const scenario = scenarios.find(({ callIds }) => callIds.includes(call.id));
      return pathRow(call, scenario?.name ?? call.id);
    });
  if (rows.length === 0) return undefined;
  return html`<h2 id="ai-networks">Injured networks to the AI</h2>
${table("What they did, and what became of the bot's speech", PATH_COLUMNS, rows)}
<p class="small muted">Held up: 40 ms and more beyond the network's own delay, on the way from the AI. Stalls: the
bot had nothing to play in mid-answer. Gaps: silence cut into its speech, as the caller heard it.</p>`;
}

const PATH_COLUMNS: readonly string[] = [
  "Call",
  "Carried by",
  "Lost from the AI",
  "Held up (longest)",
  "Stalls (longest)",
  "Gaps heard",
  "Concealed",
  "Answered after",
];

function pathRow({ id, metrics }: CallSummary, name: string): (string | Markup)[] {
  const { aiPath, turns } = metrics;
  const received = aiPath?.received ?? {};
  const waits = turns.flatMap(({ responseLatencyMs, uncertain }) =>
    responseLatencyMs === undefined || uncertain ? [] : [formatMs(responseLatencyMs)],
  );
  return [
    html`<a href="#call-${id}">${name}</a>${aiPath?.plans.map(
      ({ description }) => html`<br><span class="small muted">${description}</span>`,
    )}`,
    aiPath === undefined ? "–" : carrierWords(aiPath),
    lostWords(received),
    heldUpWords(received),
    stallWords(metrics),
    gapWords(metrics),
    concealedWords(metrics),
    waits.join(", ") || "–",
  ];
}

/** The network to the AI and back, and how steadily the bot could play what came. */
export function aiPathTables(metrics: CallMetrics, seek: SeekLink): Markup {
  return html`${pathTable(metrics)}${planTable(metrics, seek)}${playoutTable(metrics)}${stallTable(metrics, seek)}`;
}

function pathTable({ aiPath }: CallMetrics): Markup | undefined {
  if (aiPath === undefined) return undefined;
  const ways = [
    ["to the AI", aiPath.sent],
    ["from the AI", aiPath.received],
  ] as const;
  return table(
    `The injured network to the AI: ${carrierWords(aiPath)}`,
    ["Way", "Packets lost", "Held up (longest)", "In all", "Waited for", "TCP sent again", "UDP"],
    ways.map(([way, of]) => [
      way,
      lostWords(of),
      heldUpWords(of),
      of.stalls === undefined ? "not seen" : formatMs(of.stalls.totalMs),
      of.stalls?.causes.join(", ") || "–",
      tcpWords(of),
      audioWords(of),
    ]),
  );
}

function planTable({ aiPath }: CallMetrics, seek: SeekLink): Markup | undefined {
  return table(
    "What that network was asked to be",
    ["Since", "Network"],
    (aiPath?.plans ?? []).map(({ at, description }) => [seek(at), description]),
  );
}

function lostWords({ packets }: AiPathDirection): string {
  if (packets === undefined) return "not counted";
  const { offered, lost, overflowed } = packets;
  const share = offered === 0 ? 0 : (100 * (lost + overflowed)) / offered;
  return `${lost + overflowed} of ${offered} (${share.toFixed(1)} %)`;
}

function heldUpWords({ stalls }: AiPathDirection): string {
  if (stalls === undefined) return "not seen";
  return stalls.count === 0 ? "nothing" : `${stalls.count} (${formatMs(stalls.longestMs)})`;
}

function stallWords({ bridge }: CallMetrics): string {
  const playout = bridge?.playout;
  if (playout === undefined || playout.playedMs === 0) return "–";
  const { stalls, stallMsMax } = playout;
  return stalls.length === 0 ? "none" : `${stalls.length} (${formatMs(stallMsMax)})`;
}

function gapWords({ quality }: CallMetrics): string {
  const gaps = quality?.signals.find(({ speaker }) => speaker === "bot")?.gaps;
  if (gaps === undefined) return "–";
  return gaps.count === 0 ? "none" : `${gaps.count}, ${formatMs(gaps.ms)}`;
}

/** Of stalls by the injection buffer, of packets by the receiver of UDP. */
function concealedWords({ aiPath, bridge }: CallMetrics): string {
  const stalls = bridge?.playout?.stalls ?? [];
  const stallMs = stalls.reduce((sum, { concealedMs = 0 }) => sum + concealedMs, 0);
  return formatMs(stallMs + (aiPath?.received.audio?.concealedMs ?? 0));
}

function tcpWords({ tcp }: AiPathDirection): string {
  if (tcp === undefined) return "–";
  const { retransmissions, segments, tailLossProbes, timeouts } = tcp;
  return `${retransmissions} of ${segments}; ${tailLossProbes} probes, ${timeouts} timeouts`;
}

function audioWords({ audio }: AiPathDirection): string {
  if (audio === undefined) return "–";
  const { playedMs, concealedMs, fecRecoveredMs } = audio;
  return `played ${formatMs(playedMs)}, concealed ${formatMs(concealedMs)}, by FEC ${formatMs(fecRecoveredMs)}`;
}

/** What became of the AI's speech between its arrival and the call. */
function playoutTable({ bridge }: CallMetrics): Markup | undefined {
  const playout = bridge?.playout;
  if (playout === undefined || playout.playedMs === 0) return undefined;
  return table(
    "Playout of the AI's speech (injection buffer)",
    ["Played", "Stalls", "Per minute", "Longest", "Silent in all", "Held back (most)", "Slower by"],
    [
      [
        formatMs(playout.playedMs),
        playout.stalls.length,
        playout.stallsPerMinute.toFixed(1),
        formatMs(playout.stallMsMax),
        formatMs(playout.gapMs),
        `${formatMs(playout.heldMsMean)} (${formatMs(playout.heldMsMax)})`,
        formatMs(playout.stretchedMs),
      ],
    ],
  );
}

function stallTable({ bridge }: CallMetrics, seek: SeekLink): Markup | undefined {
  return table(
    "Stalls of the bot's speech",
    ["From", "For", "Concealed", "Response"],
    (bridge?.playout?.stalls ?? [])
      .slice(0, STALLS_MAX)
      .map(({ startAt, ms, concealedMs, responseId }) => [
        seek(startAt),
        formatMs(ms),
        concealedMs === undefined ? "–" : formatMs(concealedMs),
        responseId,
      ]),
  );
}

/** Stalls that are listed one by one. */
const STALLS_MAX = 50;
