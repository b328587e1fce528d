import { z } from "zod";
import type { Script } from "./script.ts";

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
});

const followUp = z.strictObject({ says: text });

const turn = z
  .strictObject({
    hears: z.preprocess(
      (value) => (typeof value === "string" ? [value] : value),
      z.array(text).min(1),
    ),
    says: text.optional(),
    tool: tool.optional(),
    order: z.enum(["speech-then-tool", "tool-then-speech"]).default("speech-then-tool"),
    afterMs: durationMs.optional(),
    // oxlint-disable-next-line unicorn/no-thenable -- a word of the script, never awaited.
    then: followUp.optional(),
  })
  .refine(({ says, tool: called }) => says !== undefined || called !== undefined, {
    message: 'has neither "says" nor "tool"',
  })
  .refine(({ then, tool: called }) => then === undefined || called !== undefined, {
    message: 'has "then" but no "tool" that it could follow',
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
  greeting: text.optional(),
  turns: z.array(turn).min(1),
  otherwise: text,
  interrupted: text.optional(),
  answerDelayMs: durationMs.default(400),
  pacing: pacing.prefault({}),
  semanticVad: semanticVad.prefault({}),
});

/** The shape of a script file. Units and defaults are documented in docs/embedded-server.md. */
export const SCRIPT_SCHEMA: z.ZodType<Omit<Script, "fileName" | "lines">> = script;

/** Keys allowed in each object of a script, by its path with list positions as `*`. */
export const ALLOWED_KEYS: Readonly<Record<string, readonly string[]>> = {
  "": Object.keys(script.shape),
  "turns.*": Object.keys(turn.shape),
  "turns.*.tool": Object.keys(tool.shape),
  "turns.*.then": Object.keys(followUp.shape),
  pacing: Object.keys(pacing.shape),
  semanticVad: Object.keys(semanticVad.shape),
};
