import type { DelayModel } from "./delay-model.ts";
import type { LinkPlan, LinkSettings } from "./link-settings.ts";
import type { LossModel } from "./loss-model.ts";
import type { NetworkPlan } from "./profiles.ts";

/** A network in words, e.g. "sent: 5 % lost; received: 80 ms ± 20 ms (normal)". */
export function describeNetwork({ sent, received }: NetworkPlan): string {
  const parts = [
    ...(sent === undefined ? [] : [`sent: ${describeLink(sent)}`]),
    ...(received === undefined ? [] : [`received: ${describeLink(received)}`]),
  ];
  return parts.length === 0 ? "nothing done" : parts.join("; ");
}

function describeLink(plan: LinkPlan): string {
  const { changes = [], ...settings } = plan;
  const parts = [
    ...wordsOf(settings),
    ...changes.map(({ atMs, durationMs, settings: changed }) => {
      const until = durationMs === undefined ? "" : ` for ${durationMs} ms`;
      return `after ${atMs} ms${until}: ${wordsOf(changed).join(", ") || "nothing done"}`;
    }),
  ];
  return parts.join(", ") || "nothing done";
}

function wordsOf(settings: LinkSettings): string[] {
  const { loss, delay, reorderRatio, duplicateRatio, corruptRatio, rate, keepsOrder } = settings;
  return [
    ...(loss === undefined ? [] : [lossWords(loss)]),
    ...(delay === undefined ? [] : [delayWords(delay)]),
    ...shareWords(reorderRatio, "overtaking"),
    ...shareWords(duplicateRatio, "twice"),
    ...shareWords(corruptRatio, "corrupted"),
    ...(rate === undefined ? [] : [`${rate.bitsPerSecond / 1000} kbit/s`]),
    ...(keepsOrder === true ? ["in order"] : []),
  ];
}

function lossWords(loss: LossModel): string {
  if (loss.kind === "bernoulli") return `${percent(loss.lossRatio)} lost`;
  if (loss.kind === "scripted") {
    return `packets ${loss.lost.map(([first, last]) => `${first} to ${last}`).join(", ")} lost`;
  }
  const { toBadRatio, toGoodRatio, lossInBadRatio = 1, lossInGoodRatio = 0 } = loss;
  const figures = [toBadRatio, toGoodRatio, lossInBadRatio, lossInGoodRatio].map(percent);
  return `Gilbert-Elliott ${figures.join(" / ")} lost`;
}

function delayWords({ delayMs, jitterMs = 0, distribution = "normal" }: DelayModel): string {
  return jitterMs === 0 ? `${delayMs} ms` : `${delayMs} ms ± ${jitterMs} ms (${distribution})`;
}

function shareWords(ratio: number | undefined, what: string): string[] {
  return ratio === undefined ? [] : [`${percent(ratio)} ${what}`];
}

function percent(ratio: number): string {
  return `${Number((ratio * 100).toFixed(3))} %`;
}
