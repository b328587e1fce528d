import type { FeatureRun, featureRuns } from "./feature-runs.ts";

/** The providers whose protocol the embedded AI speaks. */
type Face = "openai" | "gemini";

/** What of a bot's AI runs by either protocol: by one in real time, by the other in virtual time. */
export interface FaceCase {
  /** From `FEATURES`. */
  readonly feature: string;
  readonly face: Face;
}

/** The longest first: what is left for last then fits beside others. */
const BOTH = [
  "ai-trouble",
  "ai-tools",
  "ai-interruption",
  "ai-echo",
  "ai-own-tools",
  "ai-barge-in",
] as const;
/** By the other protocol they run with `npm start`, and so in cli.test.ts, in real time. */
const WITH_GEMINI = ["transfer", "interruption", "tools"] as const;

/** By turns, so that each protocol is spoken over real sockets, and each in virtual time. */
function turnOf(first: Face, second: Face): readonly FaceCase[] {
  return BOTH.map((name, index) => ({
    feature: `${name}.feature`,
    face: index % 2 === 0 ? first : second,
  }));
}

/** Over real sockets. */
export const REAL_CASES: readonly FaceCase[] = turnOf("openai", "gemini");

/** In virtual time: each of the real ones by the other protocol, and what `npm start` leaves. */
export const VIRTUAL_CASES: readonly FaceCase[] = [
  ...turnOf("gemini", "openai"),
  ...WITH_GEMINI.map((name) => ({
    feature: `../../../features/${name}.feature`,
    face: "gemini" as const,
  })),
];

/** Runs a case, with the tools that some of the features bring along. */
export function runFace(
  run: ReturnType<typeof featureRuns>,
  { feature, face }: FaceCase,
  ...options: readonly string[]
): Promise<FeatureRun> {
  return run(feature, "--ai", face, "--tools", "test/loopback/own-tools.mjs", ...options);
}
