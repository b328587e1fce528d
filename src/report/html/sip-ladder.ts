import { elapsedMs, type Instant } from "../../environment/index.ts";
import { formatPosition } from "../../measure/index.ts";
import { CALL_FILES, type Fact } from "../../timeline/index.ts";
import { type Ladder, type LadderMessage, ladderOf } from "../ladder/ladder.ts";
import { drawLadder } from "../ladder/ladder-svg.ts";
import { labelOf } from "../ladder/message-label.ts";
import { redactSip } from "../redact.ts";
import { html, type Markup } from "./markup.ts";

/** Which call a ladder belongs to. */
export interface LadderPlace {
  readonly id: string;
  /** The call's place on the page: makes the names of its texts unique. */
  readonly index: number;
  readonly zero: Instant;
}

/** The SIP messages of a call between its participants, and their texts, to which they lead. */
export function sipLadder(facts: readonly Fact[], place: LadderPlace): Markup | undefined {
  const ladder = ladderOf(facts);
  if (ladder === undefined) return undefined;
  const { zero, id } = place;
  const messages = ladder.rows.filter((row) => row.kind === "message");
  const nameOf = (message: LadderMessage): string =>
    `sip-${place.index}-${messages.indexOf(message)}`;
  const { width, height, content } = drawLadder({
    ladder,
    zero,
    linkTo: (message) => `#${nameOf(message)}`,
  });
  return html`<h4>SIP messages, ${viewpoints(ladder)}</h4>
<div class="scroll tall"><svg class="ladder" width="${width}" height="${height}" role="img"
 aria-label="SIP ladder with ${messages.length} messages; their texts follow">
${content}</svg></div>
<details class="more"><summary>Texts of the SIP messages</summary>
${messages.map(
  (
    message,
  ) => html`<details class="more" id="${nameOf(message)}"><summary class="small">${formatPosition(elapsedMs(zero, message.at))}
 ${message.fact.party} ${message.fact.direction} <b>${labelOf(message)}</b></summary><pre class="sip">${redactSip(message.fact.text).trim()}</pre></details>`,
)}</details>
<p class="small muted">The picture alone: <a href="calls/${encodeURIComponent(id)}/${CALL_FILES.ladder}">${CALL_FILES.ladder}</a>.</p>`;
}

/** Both ends of ours, or the one that is. */
function viewpoints({ participants }: Ladder): string {
  const own = participants.map(({ role }) => role).filter((role) => role !== "peer");
  return own.length > 1
    ? "sent at one end, received at the other; time is not to scale"
    : `as the ${own[0] ?? "caller"} saw them; time is not to scale`;
}
