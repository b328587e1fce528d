import type { Pacing } from "../script/script.ts";
import type { PlannedStep } from "./performance-plan.ts";
import type { Reply } from "./repertoire.ts";

/** What the server does wrong on request. Turns are the caller's, counted from 1 per connection. */
export interface Faults {
  /** Answers HTTP 503 instead of opening the WebSocket. */
  readonly refuseConnection?: boolean;
  /** Answers HTTP 401 whatever the key. */
  readonly unauthorized?: boolean;
  /** Answers this HTTP status instead of opening the WebSocket: 400 to 599. */
  readonly refuseStatus?: number;
  /** Takes every key for an ephemeral one that has expired. */
  readonly tokenExpired?: boolean;
  /** Closes each connection this long after it opened. */
  readonly closeAfterMs?: number;
  /** Ends each session this long after it began, as one that has lasted as long as it may. */
  readonly expireAfterMs?: number;
  /** Closes the connection where the answer to this turn would begin; 1006 just drops it. */
  readonly closeOnTurn?: {
    readonly turn: number;
    readonly code: number;
    /** Afterwards connections are refused with 503, until the faults are changed. */
    readonly staysDown?: boolean;
  };
  /** Creates the response to this turn, and then sends nothing more of it. */
  readonly stallOnTurn?: number;
  /** Falls silent within the answer to this turn, once so much of its audio has been sent. */
  readonly stallInSpeech?: { readonly turn: number; readonly afterMs: number };
  /** Every answer comes so much later than it would. */
  readonly delayMs?: number;
  /** Sends speech so many times as fast as it is spoken, whatever the script says. */
  readonly speedFactor?: number;
  /** Sends up to this many further audio deltas of a response after it was cancelled. */
  readonly stragglers?: number;
  /** Cuts audio at odd bytes, that is inside samples. */
  readonly oddSizedDeltas?: boolean;
  /** Sends a response's ends this long after its last audio. */
  readonly lateDoneMs?: number;
  /**
   * Does not send these: event types of OpenAI, such as "response.output_audio.done", or fields of
   * Gemini's messages, such as "generationComplete".
   */
  readonly withheld?: readonly string[];
  /** Calls functions with arguments that are no JSON, or with none at all. */
  readonly wrongArguments?: "notJson" | "none";
  /** Gemini only: announces the end of each connection this long after it opened. */
  readonly goAwayAfterMs?: number;
}

/** The close code where the fault does not name one: an internal error (RFC 6455 §7.4.1). */
export const FAULT_CLOSE_CODE = 1011;

/** The pacing of a response under these faults. */
export function pacingWith(pacing: Pacing, { speedFactor }: Faults): Pacing {
  return speedFactor === undefined
    ? pacing
    : { ...pacing, speedFactor: [speedFactor, speedFactor] };
}

/** The answer delay under these faults. */
export function delayWith(delayMs: number, faults: Faults): number {
  return delayMs + (faults.delayMs ?? 0);
}

/** What a response does, with wrong arguments where that is asked for. */
export function replyWith(reply: Reply, { wrongArguments }: Faults): Reply {
  if (wrongArguments === undefined) return reply;
  const parts = reply.parts.map((part) => {
    if (part.kind !== "tool") return part;
    const { name, arguments: given } = part.tool;
    const wrong =
      wrongArguments === "none"
        ? { name, arguments: {} }
        : { name, arguments: given, rawArguments: JSON.stringify(given).slice(0, -1) };
    return { ...part, tool: wrong };
  });
  return { ...reply, parts };
}

/** The steps up to where the response to this turn is to fall silent; all of them where it is not. */
export function stepsWith(
  steps: readonly PlannedStep[],
  turn: number,
  { stallInSpeech }: Faults,
): readonly PlannedStep[] {
  if (stallInSpeech?.turn !== turn) return steps;
  const end = steps.findIndex((step) => step.kind === "audio" && step.toMs > stallInSpeech.afterMs);
  return end === -1 ? steps : steps.slice(0, end);
}

/** A message without what is withheld; `undefined` where nothing is left of it. */
export function messageWith(
  message: Readonly<Record<string, unknown>>,
  { withheld }: Faults,
): Readonly<Record<string, unknown>> | undefined {
  if (withheld === undefined) return message;
  if (typeof message["type"] === "string") {
    return withheld.includes(message["type"]) ? undefined : message;
  }
  if (!namesOf(message).some((name) => withheld.includes(name))) return message;
  const kept = Object.entries(message)
    .filter(([field]) => !withheld.includes(field))
    .map(([field, value]) => [field, field === "serverContent" ? without(value, withheld) : value]);
  const left = kept.filter(([, value]) => value !== undefined);
  return left.length === 0
    ? undefined
    : (Object.fromEntries(left) as Readonly<Record<string, unknown>>);
}

function namesOf(message: Readonly<Record<string, unknown>>): readonly string[] {
  return [
    ...Object.keys(message),
    ...Object.keys((message["serverContent"] as object | undefined) ?? {}),
  ];
}

function without(content: unknown, withheld: readonly string[]): unknown {
  const fields = Object.entries(content as Readonly<Record<string, unknown>>);
  const kept = fields.filter(([field]) => !withheld.includes(field));
  return kept.length === 0 && fields.length > 0 ? undefined : Object.fromEntries(kept);
}
