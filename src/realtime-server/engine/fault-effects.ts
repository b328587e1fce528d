import type { Pacing } from "../script/script.ts";
import type { Faults } from "./faults.ts";
import type { PlannedStep } from "./performance-plan.ts";
import type { Reply } from "./repertoire.ts";

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
