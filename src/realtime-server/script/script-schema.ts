import { z } from "zod";
import type { Script, ScriptReaction } from "./script.ts";

const text = z.string().min(1);
const durationMs = z.number().min(0).max(600_000);

/** One number, or `[min, max]`. */
function range(min: number, max: number): z.ZodType<readonly [number, number]> {
  const bound = z.number().min(min).max(max);
  return z.preprocess(
    (value) => (typeof value === "number" ? [value, value] : value),
    z
      .tuple([bound, bound])
      .refine(([low, high]) => low <= high, "the first number must not exceed the second"),
  );
}

const tool = z.strictObject({
  name: z.string().regex(/^[\w-]{1,64}$/u, "must be 1 to 64 letters, digits, _ or -"),
  arguments: z.record(z.string(), z.unknown()).default({}),
  rawArguments: z.string().optional(),
});

const KEPT_NAMES = new Set(["turns", "result"]);
const stateName = z
  .string()
  .regex(/^[A-Za-z][\w-]{0,63}$/u, "must be a letter and up to 63 letters, digits, _ or -")
  .refine((name) => !KEPT_NAMES.has(name), "is kept for what the server knows itself");
const stateValue = z.union([z.string(), z.number(), z.boolean()]);
const demands = z.strictObject({
  not: stateValue.optional(),
  atLeast: z.number().optional(),
  atMost: z.number().optional(),
  oneOf: z.array(stateValue).min(1).optional(),
});

const reactionShape = {
  says: text.optional(),
  tool: tool.optional(),
  tools: z.array(tool).min(1).max(16).optional(),
  order: z.enum(["speech-then-tool", "tool-then-speech"]).default("speech-then-tool"),
  afterMs: durationMs.optional(),
  // oxlint-disable-next-line unicorn/no-thenable -- a word of the script, never awaited.
  then: z.lazy(() => reactions).optional(),
  when: z.record(text, z.union([stateValue, demands])).optional(),
  set: z.record(stateName, stateValue).optional(),
  add: z.record(stateName, z.number()).optional(),
  silent: z.literal(true).optional(),
};

type Deeds = Pick<ScriptReaction, "says" | "tool" | "tools" | "silent" | "then">;

/** A reaction that does something, or says that it does nothing. */
function sensible<Shape extends z.ZodType<Deeds>>(shape: Shape): Shape {
  return shape
    .refine((each) => hasDeed(each) || each.silent === true, {
      message: 'has neither "says" nor "tool"; say "silent: true" where that is meant',
    })
    .refine((each) => !(hasDeed(each) && each.silent === true), {
      message: 'is silent, and has "says" or "tool"',
    })
    .refine(({ then, ...rest }) => then === undefined || calls(rest), {
      message: 'has "then" but no "tool" that it could follow',
    })
    .refine(({ tool: one, tools }) => one === undefined || tools === undefined, {
      message: 'has "tool" and "tools"; put all of them into "tools"',
    });
}

function hasDeed(each: Deeds): boolean {
  return each.says !== undefined || calls(each);
}

function calls({ tool: one, tools }: Pick<Deeds, "tool" | "tools">): boolean {
  return one !== undefined || tools !== undefined;
}

const reaction = z.strictObject(reactionShape);

/** A phrase, a reaction, or a list of either. */
const reactions: z.ZodType<readonly ScriptReaction[]> = z.preprocess(
  (value) => {
    const list: readonly unknown[] = Array.isArray(value) ? value : [value];
    return list.map((each) => (typeof each === "string" ? { says: each } : each));
  },
  z.array(sensible(reaction)).min(1),
);

const turn = z.strictObject({
  hears: z.preprocess(
    (value) => (typeof value === "string" ? [value] : value),
    z.array(text).min(1),
  ),
  ...reactionShape,
});

const cues = z.strictObject({
  silence: reactions.optional(),
  interrupt: reactions.optional(),
  backchannel: reactions.optional(),
});

const pacing = z.strictObject({
  firstDeltaMs: range(20, 2000).default([100, 200]),
  deltaMs: range(20, 2000).default([200, 400]),
  speedFactor: range(0.5, 1000).default([5, 15]),
});

const semanticVad = z.strictObject({ minSpeechMs: z.number().min(0).max(5000).default(450) });

const script = z.strictObject({
  name: text,
  voice: z.enum(["bot", "caller"]).default("bot"),
  state: z.record(stateName, stateValue).default({}),
  greeting: reactions.optional(),
  turns: z.array(sensible(turn)).min(1),
  otherwise: reactions,
  interrupted: reactions.optional(),
  cues: cues.prefault({}),
  silenceMs: z.number().min(500).max(600_000).optional(),
  answerDelayMs: durationMs.default(400),
  pacing: pacing.prefault({}),
  semanticVad: semanticVad.prefault({}),
});

/** The shape of a script file. Units and defaults are documented in docs/embedded-server.md. */
export const SCRIPT_SCHEMA: z.ZodType<Omit<Script, "fileName" | "lines">> = script;

const KEYS_BY_NAME: Readonly<Record<string, readonly string[]>> = {
  turns: Object.keys(turn.shape),
  tool: Object.keys(tool.shape),
  tools: Object.keys(tool.shape),
  cues: Object.keys(cues.shape),
  pacing: Object.keys(pacing.shape),
  semanticVad: Object.keys(semanticVad.shape),
  when: Object.keys(demands.shape),
};
const KEYS_OF_REACTIONS = Object.keys(reaction.shape);

/** The keys allowed in the object at `path`. */
export function allowedKeys(path: readonly PropertyKey[]): readonly string[] {
  const names = path.filter((part) => typeof part === "string");
  const last = names.at(-1);
  if (last === undefined) return Object.keys(script.shape);
  // The key of a condition is a name of the script's own.
  return KEYS_BY_NAME[names.at(-2) === "when" ? "when" : last] ?? KEYS_OF_REACTIONS;
}
