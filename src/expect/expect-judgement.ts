import type { WatchedCall } from "../call/index.ts";
import { EnvironmentError, ExpectationError, UsageError } from "../environment/index.ts";
import type { Judge, JudgedDialogue, JudgeFinding } from "../judge/index.ts";
import { dialogueOf, formatMs, type TextOf } from "../measure/index.ts";
import { awaitTesterEnd } from "./expect-tester.ts";
import { awaitEnds, endedEarly } from "./watch.ts";

/** Who judges, and what the caller's recordings say. */
export interface JudgeParts {
  readonly judge: Judge;
  readonly textOf?: TextOf;
}

const MESSAGE_REASON_LENGTH_MAX = 400;
/** Telephone numbers and their like: the rules ask the model for none, but it may not care. */
const LONG_NUMBER = /\+?\d(?:[\s().-]{0,2}\d){5,}/gu;

/**
 * A language model finds that a statement is true of the call, by its transcript so far; of a
 * tester's call, once it is over. What it finds stands on the timeline, whatever it is.
 * @returns its reason.
 * @throws ExpectationError ERR_JUDGED_FALSE; EnvironmentError ERR_JUDGE_… where there is no verdict;
 *   UsageError ERR_JUDGE_QUESTION, ERR_JUDGE_NO_TRANSCRIPT; as `awaitTesterEnd`; RemoteError
 *   ERR_CALL_ENDED_EARLY.
 */
export async function expectJudged(
  call: WatchedCall,
  question: string,
  parts: JudgeParts,
): Promise<string> {
  const finding = await askJudge(call, question, parts);
  const evidence = evidenceOf(finding);
  const { outcome, model, votes, code } = finding;
  if (outcome === "held") return evidence;
  const context = { question, model, votes, reason: finding.reason };
  if (outcome === "broken") {
    throw new ExpectationError(
      "ERR_JUDGED_FALSE",
      `The judge finds the statement not to be true of the call. ${evidence}`,
      { context },
    );
  }
  throw new EnvironmentError(
    code ?? "ERR_JUDGE_UNDECIDED",
    `Inconclusive: the judge gave no verdict. ${evidence}`,
    { context },
  );
}

/** Asks the judge, and puts what it finds on the timeline. */
async function askJudge(
  call: WatchedCall,
  question: string,
  { judge, textOf }: JudgeParts,
): Promise<JudgeFinding> {
  const asked = question.trim();
  if (asked === "") {
    throw new UsageError(
      "ERR_JUDGE_QUESTION",
      "The judge needs a statement that is true of a call or not, such as: the bot told when breakfast is served.",
    );
  }
  const finding = await judge.ask(asked, await judgedDialogueOf(call, textOf));
  call.timeline.add({
    kind: "judgement",
    party: "caller",
    source: "model",
    question: asked,
    ...finding,
    at: call.clock.now(),
  });
  return finding;
}

async function judgedDialogueOf(
  call: WatchedCall,
  textOf: TextOf | undefined,
): Promise<JudgedDialogue> {
  if (call.timeline.of("tester").length > 0) await awaitTesterEnd(call);
  await awaitEnds(call);
  const { facts } = call.timeline;
  const phases = new Set(call.timeline.of("callPhase").map(({ phase }) => phase));
  const isOver = phases.has("ended");
  if (isOver && !phases.has("answered")) throw await endedEarly(call, "anything was said");
  const lines = dialogueOf(facts, textOf);
  const hasBotWords = lines.some(({ by, kind }) => by === "bot" && kind === "speech");
  if (!hasBotWords && call.timeline.of("aiSession").length === 0) {
    throw new UsageError(
      "ERR_JUDGE_NO_TRANSCRIPT",
      "Nobody wrote down what the bot said in this call: neither an AI of the bot's nor one of the caller's is ours. Let an AI tester call.",
    );
  }
  const isHeard = call.timeline.of("heardSpeech").some(({ party }) => party === "caller");
  if (!hasBotWords && isHeard) {
    throw new EnvironmentError(
      "ERR_JUDGE_TRANSCRIPT_MISSING",
      "Inconclusive: the bot was heard speaking, but no AI wrote down what it said, so that there is nothing to judge. Does the model transcribe what it hears?",
    );
  }
  return { lines, isOver };
}

/** `"…" (gpt-5, 3 of 3 votes, 812 ms, 640 tokens)` */
function evidenceOf(finding: JudgeFinding): string {
  const { outcome, reason, code, model, votes, latencyMs, usage } = finding;
  const total = votes.held + votes.broken + votes.inconclusive;
  const details = [
    model,
    ...(total === 1 ? [] : [`${votes[outcome]} of ${total} votes`]),
    formatMs(latencyMs),
    ...(usage === undefined ? [] : [`${usage.inputTokens + usage.outputTokens} tokens`]),
  ];
  const isOfModel = code === undefined || code === "ERR_JUDGE_CANNOT_TELL";
  const masked = isOfModel ? reason.replaceAll(LONG_NUMBER, "[number]") : reason;
  const short =
    masked.length > MESSAGE_REASON_LENGTH_MAX
      ? `${masked.slice(0, MESSAGE_REASON_LENGTH_MAX)}…`
      : masked;
  return `"${short}" (${details.join(", ")})`;
}
