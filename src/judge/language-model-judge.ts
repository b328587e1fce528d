import { after, type Environment, elapsedMs } from "../environment/index.ts";
import { ChatClient } from "./chat-client.ts";
import { type JudgeFailure, type JudgeUsage, type Vote, voteOf } from "./judge-answer.ts";
import { type JudgedDialogue, promptFor } from "./judge-prompt.ts";
import { type CheckedSettings, checked, type JudgeSettings } from "./judge-settings.ts";

/** What a judge finds of a call. */
export interface JudgeFinding {
  readonly outcome: "held" | "broken" | "inconclusive";
  /** The model's; where it is inconclusive, why. One line, without keys. */
  readonly reason: string;
  /** Why it is inconclusive. */
  readonly code?: JudgeFailure;
  readonly model: string;
  readonly latencyMs: number;
  readonly votes: Readonly<Record<"held" | "broken" | "inconclusive", number>>;
  readonly usage?: JudgeUsage;
}

/** Answers questions about calls. */
export interface Judge {
  ask(question: string, dialogue: JudgedDialogue): Promise<JudgeFinding>;
}

type World = Pick<Environment, "clock" | "network" | "cryptography">;

const FENCE_BYTES = 12;
const REASON_LENGTH_MAX = 1000;

/**
 * A language model behind an OpenAI-compatible chat endpoint. It is an instrument, and one that can
 * be wrong: where it fails, the judgement is inconclusive. It knows words and their order, and
 * nothing of time.
 */
export class LanguageModelJudge implements Judge {
  readonly #world: World;
  readonly #settings: CheckedSettings;
  readonly #client: ChatClient;

  /** @throws UsageError ERR_JUDGE_SETTING. */
  constructor(world: World, settings: JudgeSettings) {
    this.#world = world;
    this.#settings = checked(settings);
    this.#client = new ChatClient(world, this.#settings);
  }

  /** Never rejects because of what the model or its server does. */
  async ask(question: string, dialogue: JudgedDialogue): Promise<JudgeFinding> {
    const { clock } = this.#world;
    const { model, votes, timeoutMs } = this.#settings;
    const askedAt = clock.now();
    const deadline = after(askedAt, timeoutMs);
    const cast = await Promise.all(
      Array.from({ length: votes }, async (): Promise<Vote> => {
        const outcome = await this.#client.ask(
          promptFor(question, dialogue, this.#newFence()),
          deadline,
        );
        return "code" in outcome ? { verdict: outcome } : voteOf(outcome.body);
      }),
    );
    const decided = majorityOf(cast);
    const usage = usageOf(cast);
    return {
      ...decided,
      reason: this.#line(decided.reason),
      model: this.#line(model),
      latencyMs: Math.round(elapsedMs(askedAt, clock.now()) * 1000) / 1000,
      votes: countsOf(cast),
      ...(usage === undefined ? {} : { usage }),
    };
  }

  /** Unlike the run's random choices, this must not be foreseen by who plays the bot. */
  #newFence(): string {
    const bytes = this.#world.cryptography.randomBytes(FENCE_BYTES);
    return `transcript-${Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
  }

  /** A foreign text as one short line, without the key. */
  #line(text: string): string {
    const { apiKey } = this.#settings;
    const bare = apiKey === undefined ? text : text.replaceAll(apiKey, "[redacted]");
    const line = bare.replaceAll(/[\p{Cc}\p{Cf}\s]+/gu, " ").trim();
    return line.length > REASON_LENGTH_MAX ? `${line.slice(0, REASON_LENGTH_MAX)}…` : line;
  }
}

type Outcome = JudgeFinding["outcome"];

function outcomeOf({ verdict }: Vote): Outcome {
  if ("code" in verdict) return "inconclusive";
  return verdict.held ? "held" : "broken";
}

function countsOf(votes: readonly Vote[]): Record<Outcome, number> {
  const counts = { held: 0, broken: 0, inconclusive: 0 };
  for (const vote of votes) counts[outcomeOf(vote)] += 1;
  return counts;
}

/** More than half of all votes, those that failed among them. */
function majorityOf(votes: readonly Vote[]): Pick<JudgeFinding, "outcome" | "reason" | "code"> {
  const counts = countsOf(votes);
  const outcomes = ["held", "broken"] as const;
  const outcome = outcomes.find((each) => counts[each] * 2 > votes.length);
  if (outcome === undefined) return undecided(votes, counts);
  const first = votes.find((vote) => outcomeOf(vote) === outcome)?.verdict;
  return { outcome, reason: first === undefined || "code" in first ? "" : first.reason };
}

function undecided(
  votes: readonly Vote[],
  counts: Readonly<Record<Outcome, number>>,
): Pick<JudgeFinding, "outcome" | "reason" | "code"> {
  const outcome = "inconclusive";
  const failed = votes.flatMap(({ verdict }) => ("code" in verdict ? [verdict] : []))[0];
  if (failed !== undefined && counts.held + counts.broken === 0) {
    return { outcome, reason: failed.detail, code: failed.code };
  }
  const reason = `no majority: ${counts.held} for it, ${counts.broken} against, ${counts.inconclusive} without a verdict${failed === undefined ? "" : ` (${failed.code}: ${failed.detail})`}`;
  return { outcome, reason, code: "ERR_JUDGE_UNDECIDED" };
}

function usageOf(votes: readonly Vote[]): JudgeUsage | undefined {
  const used = votes.flatMap(({ usage }) => (usage === undefined ? [] : [usage]));
  if (used.length === 0) return undefined;
  return {
    inputTokens: used.reduce((sum, { inputTokens }) => sum + inputTokens, 0),
    outputTokens: used.reduce((sum, { outputTokens }) => sum + outputTokens, 0),
  };
}
