import type { CallMetrics } from "../../measure/index.ts";

/** Label tracks for Audacity (File › Import › Labels), one for each side and one for what is between. */
export interface LabelTracks {
  readonly caller: string;
  readonly bot: string;
  readonly turns: string;
}

interface Label {
  readonly fromAt: number;
  readonly toAt: number;
  readonly text: string;
}

/** The speech of both sides and the latencies between them; seconds from the start of the file. */
export function audacityLabels(metrics: CallMetrics): LabelTracks {
  const zero = metrics.heardAt === undefined ? 0 : (metrics.recording?.startedAt ?? 0);
  const track = (labels: readonly Label[]): string => trackOf(labels, zero);
  return {
    caller: track(
      metrics.callerTurns.map(({ onsetAt, offsetAt, purpose, utteranceId }) => ({
        fromAt: onsetAt,
        toAt: offsetAt,
        text: purpose === "speech" ? utteranceId : `${utteranceId} (${purpose})`,
      })),
    ),
    bot: track(
      metrics.botTurns.flatMap(({ segments, responseId }, index) =>
        segments.map(({ startAt, endAt }) => ({
          fromAt: startAt,
          toAt: endAt,
          text: responseId ?? `bot-${index + 1}`,
        })),
      ),
    ),
    turns: track([
      ...metrics.turns.flatMap(({ callerOffsetAt, botOnsetAt, responseLatencyMs }) =>
        botOnsetAt === undefined || responseLatencyMs === undefined
          ? []
          : [spanOf(callerOffsetAt, botOnsetAt, `response ${ms(responseLatencyMs)}`)],
      ),
      ...metrics.bargeIns.flatMap(({ onsetAt, stoppedAt, stopLatencyMs }) =>
        stoppedAt === undefined || stopLatencyMs === undefined
          ? []
          : [spanOf(onsetAt, stoppedAt, `stop ${ms(stopLatencyMs)}`)],
      ),
      ...metrics.conversation.deadAir.map((gap) => ({
        fromAt: gap.startAt,
        toAt: gap.endAt,
        text: `dead air ${ms(gap.ms)}`,
      })),
    ]),
  };
}

/** An overlap runs backwards; a label must not. */
function spanOf(a: number, b: number, text: string): Label {
  return { fromAt: Math.min(a, b), toAt: Math.max(a, b), text };
}

function ms(value: number): string {
  return `${Math.round(value)} ms`;
}

function trackOf(labels: readonly Label[], zero: number): string {
  const seconds = (at: number): string => Math.max(0, (at - zero) / 1000).toFixed(6);
  return labels
    .toSorted((a, b) => a.fromAt - b.fromAt)
    .map(({ fromAt, toAt, text }) => {
      // A tab or a line break would end the field; names come from scripts and facts.
      const plain = text.replaceAll(/\s+/gu, " ");
      return `${seconds(fromAt)}\t${seconds(toAt)}\t${plain}\n`;
    })
    .join("");
}
