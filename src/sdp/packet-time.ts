import type { AudioMedia } from "./audio-media.ts";
import type { LocalFormat } from "./media-capabilities.ts";

/** Packet lengths that are sent on request. */
const PTIMES_MS: readonly number[] = [10, 20, 30, 40, 60];

/**
 * The length of the packets to send: the peer's a=ptime if it names one that we make, else our
 * own; within its maxptime (RFC 8866 §6.5) and minptime (for Opus in the fmtp, RFC 7587 §6.1).
 * Where nothing fits, the next shorter length, at worst the shortest.
 */
export function packetTime(
  ownPtimeMs: number,
  remote: Pick<AudioMedia, "ptimeMs" | "maxPtimeMs" | "minPtimeMs">,
  codec: { readonly local: LocalFormat; readonly remoteFmtp: string | undefined },
): number {
  const possible = [...new Set([...PTIMES_MS, ownPtimeMs])]
    .filter((ptimeMs) => codec.local.supportsPtime?.(ptimeMs) ?? true)
    .toSorted((left, right) => left - right);
  const maximum = remote.maxPtimeMs ?? Number.POSITIVE_INFINITY;
  const minimum = Math.min(minPtimeOf(remote, codec.remoteFmtp), maximum);
  const allowed = possible.filter((ptimeMs) => ptimeMs >= minimum && ptimeMs <= maximum);
  const asked = remote.ptimeMs ?? ownPtimeMs;
  const wished = possible.includes(asked) ? asked : ownPtimeMs;
  const notLonger = allowed.findLast((ptimeMs) => ptimeMs <= wished);
  return notLonger ?? allowed[0] ?? possible[0] ?? ownPtimeMs;
}

function minPtimeOf(
  remote: Pick<AudioMedia, "minPtimeMs">,
  remoteFmtp: string | undefined,
): number {
  const match = /(?:^|[;\s])minptime\s*=\s*(\d{1,3})(?:[;\s]|$)/iu.exec(remoteFmtp ?? "");
  return Math.max(remote.minPtimeMs ?? 0, Number(match?.[1] ?? 0));
}
