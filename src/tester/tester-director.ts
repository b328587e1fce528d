import { after, elapsedMs, type Instant } from "../environment/index.ts";
import type { FactDraft, TesterFact } from "../timeline/index.ts";
import { CUE_TEXTS, type TesterCue } from "./instructions.ts";
import type { Persona, TesterLimit } from "./persona.ts";
import type { GoalReport } from "./tester-tools.ts";

/** What a director wants to be done. */
export type DirectorOutput =
  /** The model is to speak, by these instructions. */
  | { readonly kind: "cue"; readonly cue: TesterCue; readonly instructions: string }
  | { readonly kind: "hangUp" }
  | { readonly kind: "fact"; readonly fact: FactDraft };

type EndedBy = NonNullable<TesterFact["endedBy"]>;

/**
 * Sees that a tester behaves like its persona, whatever model plays it: patience, interruptions,
 * backchannels and limits; and says at the end what came of the call.
 *
 * An engine. It knows who speaks, and not what is said.
 */
export class TesterDirector {
  readonly #persona: Persona;
  readonly #output: DirectorOutput[] = [];
  #answeredAt: Instant | undefined;
  /** The bot has been heard speaking since. */
  #heardFrom: Instant | undefined;
  #isSpeaking = false;
  /** Nobody has spoken since. */
  #silentFrom: Instant | undefined;
  #turns = 0;
  #reprompts = 0;
  #interruptions = 0;
  /** Backchannels given, or skipped, in the bot's present speech. */
  #backchannels = 0;
  /** What the next words of the tester are for. */
  #cue: TesterCue | undefined;
  #costUsd: number | undefined;
  #goal: GoalReport | undefined;
  #endedBy: { readonly by: EndedBy; readonly limit?: TesterLimit } | undefined;
  #hasEnded = false;

  constructor(persona: Persona, now: Instant) {
    this.#persona = persona;
    const { name, goal, language, persona: description } = persona;
    this.#tell({ event: "began", persona: { name, description, goal, language }, at: now });
  }

  takeOutput(): DirectorOutput | undefined {
    return this.#output.shift();
  }

  get nextTimeout(): Instant | undefined {
    if (this.#answeredAt === undefined || this.#isOver) return undefined;
    const due = [
      after(this.#answeredAt, this.#persona.limits.durationMs),
      this.#patienceEndsAt,
      this.#interruptAt,
      this.#backchannelAt,
    ].filter((at) => at !== undefined);
    return due.reduce((left, right) => (left < right ? left : right));
  }

  handleTimeout(now: Instant): void {
    if (this.#answeredAt === undefined || this.#isOver) return;
    const isDue = (at: Instant | undefined): boolean => at !== undefined && at <= now;
    if (elapsedMs(this.#answeredAt, now) >= this.#persona.limits.durationMs) {
      this.#reachLimit("durationMs");
    } else if (isDue(this.#patienceEndsAt)) this.#losePatience(now);
    else if (isDue(this.#interruptAt)) {
      this.#interruptions += 1;
      this.#give("interrupt", now);
    } else if (isDue(this.#backchannelAt)) {
      this.#backchannels += 1;
      this.#give("backchannel", now);
    }
  }

  handleAnswered(now: Instant): void {
    if (this.#answeredAt !== undefined) return;
    this.#answeredAt = now;
    this.#silentFrom = now;
  }

  /** The bot began or ceased to speak, as heard. */
  handleHeard(event: "started" | "stopped", now: Instant): void {
    const isHeard = event === "started";
    this.#heardFrom = isHeard ? now : undefined;
    this.#backchannels = 0;
    if (isHeard) this.#reprompts = 0;
    this.#noteSilence(now);
  }

  /**
   * The tester's own words began to leave.
   * @returns what they are for.
   */
  handleSpeaking(now: Instant): "speech" | "interruption" | "backchannel" {
    const cue = this.#cue;
    this.#cue = undefined;
    this.#isSpeaking = true;
    this.#noteSilence(now);
    // A sign of listening, and asking into silence, do not bring a conversation on.
    if (cue !== "backchannel") this.#turns += 1;
    if (this.#turns > this.#persona.limits.turns) this.#reachLimit("turns");
    if (cue === "interrupt") return "interruption";
    return cue === "backchannel" ? "backchannel" : "speech";
  }

  /** They have left, or were cut off. */
  handleSilent(now: Instant): void {
    this.#isSpeaking = false;
    this.#noteSilence(now);
  }

  /** The tester's AI has cost so much more; `undefined` where its price is not known. */
  handleCost(usd: number | undefined): void {
    if (usd === undefined) return;
    this.#costUsd = (this.#costUsd ?? 0) + usd;
    const limit = this.#persona.limits.costUsd;
    if (limit !== undefined && this.#costUsd > limit) this.#reachLimit("costUsd");
  }

  handleGoal(report: GoalReport, now: Instant): void {
    if (this.#hasEnded) return;
    this.#goal = report;
    this.#tell({ event: "goal", ...report, at: now });
  }

  /** The tester says that the call is to end. */
  handleEndCall(report: GoalReport): void {
    this.#goal = report;
    this.#endedBy ??= { by: "tester" };
  }

  /** The call is over; `byUs`: by our BYE or CANCEL. */
  handleCallEnded({ byUs, failed }: { byUs: boolean; failed: boolean }, now: Instant): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    const unasked: EndedBy = byUs ? "scenario" : "bot";
    const { by, limit } = this.#endedBy ?? { by: failed ? "error" : unasked };
    this.#tell({
      event: "ended",
      endedBy: by,
      ...(limit === undefined ? {} : { limit }),
      ...this.#goal,
      turns: this.#turns,
      ...(this.#costUsd === undefined ? {} : { costUsd: this.#costUsd }),
      at: now,
    });
  }

  get #isOver(): boolean {
    return this.#hasEnded || this.#endedBy !== undefined;
  }

  get #patienceEndsAt(): Instant | undefined {
    if (this.#silentFrom === undefined) return undefined;
    return after(this.#silentFrom, this.#persona.patience.silenceMs);
  }

  get #interruptAt(): Instant | undefined {
    const { interrupts } = this.#persona;
    if (interrupts === undefined || this.#interruptions >= interrupts.times) return undefined;
    return this.#heardFrom === undefined || this.#isBusy
      ? undefined
      : after(this.#heardFrom, interrupts.afterMs);
  }

  get #backchannelAt(): Instant | undefined {
    const { backchannels } = this.#persona;
    if (backchannels === undefined || this.#heardFrom === undefined || this.#isBusy) {
      return undefined;
    }
    return after(this.#heardFrom, (this.#backchannels + 1) * backchannels.everyMs);
  }

  /** It speaks, or was told to. */
  get #isBusy(): boolean {
    return this.#isSpeaking || this.#cue !== undefined;
  }

  #noteSilence(now: Instant): void {
    const isSilent = this.#heardFrom === undefined && !this.#isSpeaking;
    this.#silentFrom = isSilent ? now : undefined;
    // The bot has finished: what was to be said into its speech is not to be said any more.
    if (isSilent) this.#cue = undefined;
  }

  #losePatience(now: Instant): void {
    if (this.#reprompts >= this.#persona.patience.reprompts) {
      this.#end({ by: "silence" });
      return;
    }
    this.#reprompts += 1;
    this.#give("silence", now);
    // A model that does not follow is asked again after the same time.
    this.#silentFrom = now;
  }

  #give(cue: TesterCue, now: Instant): void {
    this.#cue = cue;
    this.#tell({ event: "cue", cue, at: now });
    this.#output.push({ kind: "cue", cue, instructions: CUE_TEXTS[cue] });
  }

  #reachLimit(limit: TesterLimit): void {
    this.#end({ by: "limit", limit });
  }

  #end(how: NonNullable<TesterDirectorEnd>): void {
    if (this.#isOver) return;
    this.#endedBy = how;
    this.#output.push({ kind: "hangUp" });
  }

  #tell(fact: Omit<TesterFact, "kind" | "party">): void {
    this.#output.push({ kind: "fact", fact: { kind: "tester", ...fact } });
  }
}

type TesterDirectorEnd = { readonly by: EndedBy; readonly limit?: TesterLimit } | undefined;
