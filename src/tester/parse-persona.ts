import { parseDocument } from "yaml";
import { z } from "zod";
import { UsageError } from "../environment/index.ts";
import type { Persona } from "./persona.ts";

const text = z.string().trim().min(1);

const limits = z.strictObject({
  turns: z.int().min(1).max(200).default(20),
  // An agent lets no call live longer than 300 s of its own accord.
  durationMs: z.number().min(1000).max(290_000).default(120_000),
  costUsd: z.number().positive().optional(),
});

const persona = z.strictObject({
  name: text.optional(),
  persona: text.default("An ordinary caller."),
  goal: text,
  language: z
    .string()
    .regex(/^[a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*$/u, 'must be a language tag such as "en" or "en-GB"')
    .default("en"),
  speaks: z.enum(["first", "second"]).default("second"),
  patience: z
    .strictObject({
      silenceMs: z.number().min(500).max(60_000).default(6000),
      reprompts: z.int().min(0).max(10).default(2),
    })
    .prefault({}),
  interrupts: z
    .strictObject({
      afterMs: z.number().min(200).max(60_000),
      times: z.int().min(1).max(50).default(1),
    })
    .optional(),
  backchannels: z.strictObject({ everyMs: z.number().min(500).max(60_000) }).optional(),
  yields: z.boolean().default(true),
  pauseMs: z.number().min(200).max(5000).default(700),
  limits: limits.prefault({}),
  voice: text.optional(),
  script: text.optional(),
});

const PROBLEMS_MAX = 5;

/**
 * Reads a persona (docs/ai-tester.md).
 * @param source the file's name, or what stands in its place; part of messages.
 * @throws UsageError ERR_PERSONA_MALFORMED: what is wrong where.
 */
export function parsePersona(yamlText: string, source: string): Persona {
  const document = parseDocument(yamlText, { prettyErrors: false });
  const [syntax] = document.errors;
  if (syntax !== undefined) throw malformed(source, [`it is not YAML: ${syntax.message}`]);
  return personaOf(document.toJS(), source);
}

/** The same for what was read already. @throws UsageError ERR_PERSONA_MALFORMED. */
export function personaOf(value: unknown, source: string): Persona {
  const parsed = persona.safeParse(value);
  if (parsed.success) return { ...parsed.data, name: parsed.data.name ?? source };
  throw malformed(
    source,
    parsed.error.issues.map(({ path, message }) => {
      const where = path.length === 0 ? "the persona" : path.map(String).join(".");
      return `${where}: ${message}`;
    }),
  );
}

function malformed(source: string, problems: readonly string[]): UsageError {
  const shown = problems.slice(0, PROBLEMS_MAX);
  return new UsageError(
    "ERR_PERSONA_MALFORMED",
    `${source} is not a persona:\n  ${shown.join("\n  ")}\nSee docs/ai-tester.md.`,
    { context: { source, problems: shown } },
  );
}
