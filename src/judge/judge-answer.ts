import { z } from "zod";

/** Tokens of one answer, as the server claims. */
export interface JudgeUsage {
  readonly inputTokens: number;
  readonly outputTokens: number;
}

/** Why there is no verdict: a stable code, and in words. */
export interface NoVerdict {
  readonly code: JudgeFailure;
  readonly detail: string;
}

/** Codes of what makes a judgement inconclusive; docs/errors.md explains each. */
export type JudgeFailure =
  | "ERR_JUDGE_ANSWER_MALFORMED"
  | "ERR_JUDGE_CANNOT_TELL"
  | "ERR_JUDGE_DECLINED"
  | "ERR_JUDGE_HTTP"
  | "ERR_JUDGE_KEY_REFUSED"
  | "ERR_JUDGE_RATE_LIMITED"
  | "ERR_JUDGE_TIMED_OUT"
  | "ERR_JUDGE_UNDECIDED"
  | "ERR_JUDGE_UNREACHABLE";

/** One answer of a model. */
export interface Vote {
  readonly verdict: { readonly held: boolean; readonly reason: string } | NoVerdict;
  readonly usage?: JudgeUsage;
}

/** The schema that the model is held to, where its server can do that. */
export const VERDICT_SCHEMA = {
  type: "object",
  properties: {
    reason: { type: "string", description: "What in the transcript decides, in 1 or 2 sentences." },
    verdict: { type: ["boolean", "null"], description: "Null only if no transcript can tell." },
  },
  required: ["reason", "verdict"],
  additionalProperties: false,
} as const;

const verdict = z.object({ reason: z.string().trim().min(1), verdict: z.boolean().nullable() });

const tokens = z.number().nonnegative();
const answer = z.object({
  choices: z
    .array(
      z.object({
        finish_reason: z.string().nullish(),
        message: z.object({
          // Some servers give the parts of a message.
          content: z
            .union([z.string(), z.array(z.object({ text: z.string().optional() }))])
            .nullish(),
          refusal: z.string().nullish(),
        }),
      }),
    )
    .min(1),
  usage: z.unknown().optional(),
});
const usage = z.object({ prompt_tokens: tokens, completion_tokens: tokens });

/** Reads the body of an answer with status 2xx. Nothing in it throws. */
export function voteOf(body: string): Vote {
  const parsed = answer.safeParse(parseJson(body));
  const choice = parsed.data?.choices[0];
  if (choice === undefined) return { verdict: malformed("it is no answer of a chat endpoint") };
  const used = usage.safeParse(parsed.data?.usage).data;
  return {
    verdict: verdictOf(choice),
    ...(used === undefined
      ? {}
      : { usage: { inputTokens: used.prompt_tokens, outputTokens: used.completion_tokens } }),
  };
}

type Choice = z.infer<typeof answer>["choices"][number];

function verdictOf({ message, finish_reason: finish }: Choice): Vote["verdict"] {
  const { content, refusal } = message;
  if ((refusal ?? "") !== "" || finish === "content_filter" || finish === "refusal") {
    return { code: "ERR_JUDGE_DECLINED", detail: "the model declines to answer" };
  }
  if (finish === "length") return malformed("it was cut short by the server's limit of tokens");
  const text = Array.isArray(content) ? content.map((part) => part.text ?? "").join("") : content;
  const found = verdict.safeParse(parseJson(bareJson(text ?? ""))).data;
  if (found === undefined) return malformed("it has not the form that was asked for");
  if (found.verdict === null) {
    return { code: "ERR_JUDGE_CANNOT_TELL", detail: found.reason };
  }
  return { held: found.verdict, reason: found.reason };
}

/** Without what models put around JSON where their server lets them: thoughts, and a fence. */
function bareJson(text: string): string {
  const spoken = text.replace(/^\s*<think>[\s\S]*?<\/think>/u, "").trim();
  return /^```(?:json)?\s*\n([\s\S]*?)\n?```$/u.exec(spoken)?.[1] ?? spoken;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function malformed(what: string): NoVerdict {
  return { code: "ERR_JUDGE_ANSWER_MALFORMED", detail: what };
}
