import {
  type CallMetrics,
  type DialogueLine,
  dialogueOf,
  formatMs,
  type JudgementMetrics,
  type TesterMetrics,
  usageWords,
} from "../../measure/index.ts";
import type { Fact } from "../../timeline/index.ts";
import type { SeekLink } from "./call-tables.ts";
import { html, type Markup } from "./markup.ts";

/** What rules and a judge found of a call; of a tester's call also who called, what came of it, and what was said. */
export function testerSection(
  metrics: CallMetrics,
  facts: readonly Fact[],
  seek: SeekLink,
): Markup {
  const { tester, judgements = [] } = metrics;
  return html`${tester === undefined ? undefined : outcome(tester, metrics)}
${judgementTable(judgements)}
${tester === undefined ? undefined : dialogueTable(dialogueOf(facts), seek)}`;
}

function outcome(tester: TesterMetrics, { ai }: CallMetrics): Markup {
  const { persona, turns, reason } = tester;
  const entries: [string, string | undefined][] = [
    ["Persona", persona?.name],
    ["Language", persona?.language],
    ["Ended", endWords(tester)],
    ["Turns", turns === undefined ? undefined : String(turns)],
    ["The tester's AI used", tester.ai && usageWords(tester.ai)],
    ["The bot's AI used", ai && usageWords(ai)],
  ];
  return html`<h4>The AI tester</h4>
<p class="words">${persona === undefined ? undefined : html`<b>Goal</b> ${persona.goal}<br>`}
${goalWords(tester)}${reason === undefined ? undefined : html` <span class="muted">In its own words:</span> ${reason}`}</p>
<dl class="facts small">${entries.map(([name, value]) =>
    value === undefined ? undefined : html`<div><dt>${name}</dt><dd>${value}</dd></div>`,
  )}</dl>`;
}

function goalWords({ goalReached }: TesterMetrics): Markup {
  if (goalReached === undefined)
    return html`<b class="inconclusive">It never said how its goal stands.</b>`;
  return goalReached ? html`<b class="pass">Reached.</b>` : html`<b class="fail">Missed.</b>`;
}

function endWords({ endedBy, limit }: TesterMetrics): string | undefined {
  if (endedBy === undefined) return undefined;
  return limit === undefined ? END_WORDS[endedBy] : `by the tester's limit ${limit}`;
}

const END_WORDS: Readonly<Record<NonNullable<TesterMetrics["endedBy"]>, string>> = {
  tester: "by the tester",
  bot: "by the bot",
  limit: "by a limit",
  silence: "by the tester, because nobody spoke",
  scenario: "by the scenario",
  error: "by an error",
};

const VERDICT_CLASSES = { held: "pass", broken: "fail", inconclusive: "inconclusive" } as const;
const MODEL_WORDS = { held: "true", broken: "false", inconclusive: "inconclusive" } as const;

function judgementTable(judgements: readonly JudgementMetrics[]): Markup | undefined {
  if (judgements.length === 0) return undefined;
  return html`<h4>What was asked of the call</h4>
<div class="scroll"><table class="words"><thead><tr><th scope="col">Verdict</th>
<th scope="col">What has to hold</th><th scope="col">Why</th><th scope="col">By</th></tr></thead>
<tbody>${judgements.map((each) => {
    const { source, question, outcome: found, reason, code } = each;
    const verdict = source === "model" ? MODEL_WORDS[found] : found;
    return html`<tr><td><b class="${VERDICT_CLASSES[found]}">${verdict}</b></td><td>${question}</td>
<td>${code === undefined ? undefined : html`<span class="mono">${code}</span> `}${reason ?? "–"}</td>
<td class="small muted">${judgedBy(each)}</td></tr>`;
  })}</tbody></table></div>`;
}

/** "a rule", or "gpt-5, 2 of 3 votes, 812 ms, 640 tokens" */
function judgedBy(each: JudgementMetrics): string {
  const { source, isOfRepeats, outcome: found, model, votes, latencyMs, usage } = each;
  const total = votes === undefined ? 1 : votes.held + votes.broken + votes.inconclusive;
  return [
    source === "rule"
      ? `a rule${isOfRepeats === true ? " of all calls" : ""}`
      : (model ?? "a model"),
    votes === undefined || total === 1 ? undefined : `${votes[found]} of ${total} votes`,
    latencyMs === undefined ? undefined : formatMs(latencyMs),
    usage === undefined ? undefined : `${usage.inputTokens + usage.outputTokens} tokens`,
  ]
    .filter((word) => word !== undefined)
    .join(", ");
}

function dialogueTable(lines: readonly DialogueLine[], seek: SeekLink): Markup {
  return html`<h4>What both sides said and did</h4>
<div class="scroll"><table class="words dialogue"><thead><tr><th scope="col">At</th>
<th scope="col">Who</th><th scope="col">What</th></tr></thead><tbody>${lines.map(
    (line) =>
      html`<tr><td>${seek(line.at)}</td><td>${line.by}</td><td>${lineWords(line)}</td></tr>`,
  )}</tbody></table></div>
<p class="small muted">The bot's words as the tester's AI heard them, else as the bot's own AI claims
them; the tester's as its own AI claims them.</p>`;
}

function lineWords(line: DialogueLine): Markup {
  if (line.kind === "speech") {
    return html`${line.text}${line.isCutOff ? html` <span class="muted">(cut off)</span>` : undefined}`;
  }
  if (line.kind === "digits") return html`<span class="muted">presses</span> ${line.digits}`;
  if (line.kind === "text") return html`<span class="muted">writes</span> ${line.text}`;
  if (line.kind === "event") return html`<span class="muted">${line.text}</span>`;
  const came =
    line.outcome === "open" ? undefined : html` <span class="muted">${line.outcome}</span>`;
  return html`<span class="muted">tool</span> <code>${line.name}(${JSON.stringify(line.arguments)})</code>${came}${
    line.result === undefined ? undefined : html` <code>${line.result}</code>`
  }`;
}
