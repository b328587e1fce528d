import type { MessageSummary } from "../../sip-syntax/index.ts";
import type { LadderMessage } from "./ladder.ts";

const LABEL_MAX = 52;

/** The start line, shortened where it does not fit: "INVITE sip:bot@192.0.2.1", "200 OK". */
export function labelOf({ fact }: LadderMessage): string {
  const line = fact.startLine.replace(/^SIP\/2\.0\s+/u, "").replace(/\s+SIP\/2\.0$/u, "");
  return line.length > LABEL_MAX ? `${line.slice(0, LABEL_MAX - 1)}…` : line;
}

/** "CSeq 1 INVITE · UDP · SDP PCMU, PCMA · sent again · lost". */
export function underlineOf({ fact, isLost }: LadderMessage, summary: MessageSummary): string {
  const parts = [`CSeq ${fact.cseq} ${fact.method}`, fact.transport];
  const { sdp, reason } = summary;
  if (sdp !== undefined) {
    const direction = sdp.direction === "sendrecv" ? "" : ` ${sdp.direction}`;
    parts.push(`${sdp.isEncrypted ? "SRTP" : "SDP"} ${shortList(sdp.codecs)}${direction}`);
  }
  if (reason !== undefined) parts.push(`Reason ${reason}`);
  if (fact.retransmission === true) parts.push("again");
  if (isLost) parts.push("not received");
  return parts.join(" · ");
}

function shortList(names: readonly string[]): string {
  const shown = names.slice(0, 3).join(", ");
  return names.length > 3 ? `${shown}, +${names.length - 3}` : shown;
}

/** What a reader gets by pointing at a message: its addresses, tags and transaction. */
export function tooltipOf({ fact }: LadderMessage, summary: MessageSummary): string {
  const { sdp } = summary;
  const lines: readonly (readonly [string, string | undefined])[] = [
    ["", fact.startLine],
    ["From tag ", summary.fromTag],
    ["To tag ", summary.toTag],
    ["Branch ", summary.branch],
    ["Contact ", summary.contact],
    ["Reason ", summary.reason],
    ["Audio at ", sdp?.address],
    ["Codecs ", sdp?.codecs.join(", ")],
    ["Product ", summary.product],
    ["", `${fact.local} ${fact.direction === "sent" ? "→" : "←"} ${fact.remote}`],
  ];
  return lines
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => name + value)
    .join("\n");
}
