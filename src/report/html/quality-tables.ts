import { elapsedMs } from "../../environment/index.ts";
import {
  type CallMetrics,
  formatMs,
  type ListeningMetrics,
  type RatingMetrics,
  type SignalFault,
  type SignalMetrics,
  type TempoMetrics,
} from "../../measure/index.ts";
import type { SeekLink } from "./call-tables.ts";
import { html, type Markup } from "./markup.ts";
import { table } from "./table.ts";

/** How good the call sounded: the E-model's estimates and what the signals show. */
export function qualityTables({ quality }: CallMetrics, seek: SeekLink): Markup | undefined {
  if (quality === undefined) return undefined;
  const { ratings, signals, listening, tempo } = quality;
  if (ratings.length === 0 && signals.length === 0) return undefined;
  return html`<details class="more"><summary>Quality</summary>
${ratingTable(ratings)}${listeningTable(listening, seek)}${signalTable(signals)}${faultTable(signals, seek)}${tempoTable(tempo, seek)}</details>`;
}

function ratingTable(ratings: readonly RatingMetrics[]): Markup | undefined {
  return table(
    "Estimate by the E-model (G.107 family), from loss, delay and codec; opinions on different scales cannot be compared",
    [
      "Heard by",
      "MOS (estimate)",
      "At best",
      "R",
      "Scale",
      "Codec",
      "Not heard",
      "Burst ratio",
      "Delay",
      "Rests on",
    ],
    ratings.map((each) => [
      each.party,
      each.mos.toFixed(2),
      each.bestMos.toFixed(2),
      each.r.toFixed(1),
      each.scale,
      each.codec,
      `${(100 * each.lossRatio).toFixed(1)} %`,
      each.burstRatio.toFixed(1),
      `${formatMs(each.delayMs)}${DELAY_WORDS[each.delayFrom]}`,
      html`${each.basis === "assumed" ? html`<span class="inconclusive">assumed</span>: ` : undefined}${each.source}`,
    ]),
  );
}

const DELAY_WORDS: Readonly<Record<RatingMetrics["delayFrom"], string>> = {
  measured: ", measured",
  roundTrip: ", by RTCP",
  incomplete: " without the network's",
};

function listeningTable(
  listening: ListeningMetrics | undefined,
  seek: SeekLink,
): Markup | undefined {
  if (listening === undefined) return undefined;
  const { mosLqo, comparedMs, stretches } = listening;
  return table(
    `ViSQOL: what the caller heard against what the bot sent; MOS-LQO ${mosLqo.toFixed(2)} over ${formatMs(comparedMs)} of speech. It hardly sees loss and clipping: read it beside the tables around it`,
    ["Stretch", "MOS-LQO", "Pieces of 0.4 s", "Not found"],
    stretches.map((each) => [
      seek(each.startAt),
      each.mosLqo.toFixed(2),
      each.patches,
      each.unmatchedPatches,
    ]),
  );
}

function signalTable(signals: readonly SignalMetrics[]): Markup | undefined {
  return table(
    "Signal, as recorded where speech is heard; levels in dBov",
    [
      "Speaker",
      "Speech (P.56)",
      "There for",
      "Noise floor",
      "Speech over noise",
      "Peak",
      "DC",
      "Digital silence",
      "Reaches up to",
    ],
    signals.map((each) => [
      each.speaker,
      each.speechDbov === undefined ? "nothing heard" : each.speechDbov.toFixed(1),
      `${(100 * each.activityFactor).toFixed(0)} %`,
      each.noiseFloorDbov.toFixed(1),
      each.snrDb === undefined ? "no noise" : `${each.snrDb.toFixed(1)} dB`,
      each.peakDbov.toFixed(1),
      `${(100 * each.dcOffset).toFixed(1)} %`,
      formatMs(each.silentMs),
      each.bandwidth === undefined
        ? "too little to tell"
        : `${each.bandwidth.upperHz} Hz of ${each.sampleRateHz / 2} (${each.bandwidth.verdict})`,
    ]),
  );
}

function faultTable(signals: readonly SignalMetrics[], seek: SeekLink): Markup | undefined {
  const rows = signals.flatMap(({ speaker, clipping, gaps, clicks }) => [
    faultRow(speaker, "clipping", clipping, seek),
    faultRow(speaker, "cut out", gaps, seek),
    faultRow(speaker, "click", { ...clicks, ms: 0 }, seek),
  ]);
  return table(
    "Faults that can be heard",
    ["Speaker", "Fault", "Times", "In all", "First at"],
    rows.filter((row) => row !== undefined),
  );
}

function faultRow(
  speaker: string,
  name: string,
  { count, ms, places }: SignalFault,
  seek: SeekLink,
): readonly (string | number | Markup | readonly Markup[])[] | undefined {
  if (count === 0) return undefined;
  const first = places.slice(0, 5).map(({ startAt }) => html`${seek(startAt)} `);
  return [speaker, name, count, ms === 0 ? "–" : formatMs(ms), first];
}

function tempoTable(tempo: readonly TempoMetrics[], seek: SeekLink): Markup | undefined {
  return table(
    "The bot's speech, heard faster or slower than it was sent",
    ["From", "For", "Speed", "What follows came", "Catches up"],
    tempo.map(({ startAt, endAt, ratio, shiftMs, afterStallMs }) => [
      seek(startAt),
      formatMs(elapsedMs(startAt, endAt)),
      `× ${ratio.toFixed(2)}`,
      `${formatMs(Math.abs(shiftMs))} ${shiftMs < 0 ? "sooner" : "later"}`,
      afterStallMs === undefined ? "–" : `${formatMs(afterStallMs)} after a stall`,
    ]),
  );
}
