import { elapsedMs, type Instant } from "../../environment/index.ts";
import { formatPosition } from "../../measure/index.ts";
import type { Fact, SipMessageFact } from "../../timeline/index.ts";
import { redactSip } from "../redact.ts";
import { partyOfSip, sipLabel } from "./call-events.ts";
import { html, type Markup } from "./markup.ts";

const LEFT_X = 190;
const RIGHT_X = 560;
const WIDTH = 680;
const ROW = 30;
const TOP = 34;

/** The SIP messages of a call between two lifelines, as one end saw them, and their texts. */
export function sipLadder(facts: readonly Fact[], zero: Instant): Markup | undefined {
  const seenBy = partyOfSip(facts);
  const messages = facts.filter(
    (fact): fact is SipMessageFact => fact.kind === "sipMessage" && fact.party === seenBy,
  );
  if (messages.length === 0) return undefined;
  const height = TOP + messages.length * ROW + 12;
  return html`<h4>SIP messages, as the ${seenBy} saw them</h4>
<div class="scroll"><svg class="ladder" width="${WIDTH}" height="${height}" role="img"
 aria-label="SIP ladder with ${messages.length} messages; their texts follow">
<text x="${LEFT_X}" y="14" text-anchor="middle">caller</text>
<text x="${RIGHT_X}" y="14" text-anchor="middle">bot</text>
<line x1="${LEFT_X}" y1="22" x2="${LEFT_X}" y2="${height}" /><line x1="${RIGHT_X}" y1="22" x2="${RIGHT_X}" y2="${height}" />
${messages.map((message, index) => arrow(message, index, zero))}
</svg></div>
<details class="more"><summary>Texts of the SIP messages</summary>
${messages.map(
  (message) => html`<div class="small">${formatPosition(elapsedMs(zero, message.at))}
 ${message.direction} <b>${sipLabel(message)}</b></div><pre class="sip">${redactSip(message.text).trim()}</pre>`,
)}</details>`;
}

function arrow(message: SipMessageFact, index: number, zero: Instant): Markup {
  const y = TOP + index * ROW + 14;
  const isRightward = (message.party === "caller") === (message.direction === "sent");
  const [from, to] = isRightward ? [LEFT_X, RIGHT_X] : [RIGHT_X, LEFT_X];
  const back = isRightward ? -8 : 8;
  const again = message.retransmission === true;
  return html`<text class="time" x="${LEFT_X - 14}" y="${y + 4}" text-anchor="end">${formatPosition(elapsedMs(zero, message.at))}</text>
<text x="${(LEFT_X + RIGHT_X) / 2}" y="${y - 5}" text-anchor="middle">${sipLabel(message)}${again ? " (again)" : ""}</text>
<line class="arrow${again ? " again" : ""}" x1="${from}" y1="${y}" x2="${to}" y2="${y}" />
<path class="head" d="M${to} ${y} l${back} -4 v8 z" />`;
}
