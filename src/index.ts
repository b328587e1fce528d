/**
 * Sidetone's public API: open a harness, add agents, place calls, and say what you expect of them.
 * No type of sip.js or ws appears in it.
 */
import { Harness, type WatchedCall } from "./call/index.ts";
import { UsageError } from "./environment/index.ts";
import {
  compiledModule,
  createEnvironment,
  hostInfo,
  NodeFileStore,
  packageInfo,
  randomSeed,
  startThread,
} from "./platform/index.ts";

/** What may be chosen for a run. */
export interface HarnessOptions {
  /** Repeats a run's random choices; default: a fresh one. */
  readonly seed?: string;
  /** Where call folders are left; default `reports/latest`. */
  readonly reportFolder?: string;
  /** Folder with `caller/` and `bot/` recordings; default: those that come with Sidetone. */
  readonly voicesFolder?: string;
}

const open = new Set<Harness>();
const callListeners = new Set<(call: WatchedCall) => void>();

/**
 * Opens a harness: one run's agents and calls.
 * @throws UsageError ERR_FIXTURE_MISSING.
 */
export async function openHarness(options: HarnessOptions = {}): Promise<Harness> {
  const { root, version } = packageInfo();
  const seed = options.seed ?? randomSeed();
  let threads = 0;
  const threadSeed = (kind: string): { readonly seed: string } => {
    threads += 1;
    return { seed: `${seed}/${kind}/${threads}` };
  };
  const harness = await Harness.open({
    environment: createEnvironment({ seed }),
    files: new NodeFileStore(),
    startAgentThread: () =>
      startThread(compiledModule("src/cli/threads/agent-thread.js"), threadSeed("agent")),
    startAiThread: () =>
      startThread(compiledModule("src/cli/threads/realtime-thread.js"), threadSeed("ai")),
    context: { seed, sidetoneVersion: version, ...hostInfo() },
    voicesFolder: options.voicesFolder ?? `${root}/fixtures/voices`,
    reportFolder: options.reportFolder ?? "reports/latest",
  });
  open.add(harness);
  harness.switchboard.subscribe((call) => {
    for (const listener of callListeners) listener(call);
  });
  return harness;
}

/**
 * Ends every call of this process (BYE or CANCEL) and lets no new one begin; what was recorded can
 * still be written. For signal handlers.
 */
export async function abortAllHarnesses(): Promise<void> {
  await Promise.allSettled([...open].map((harness) => harness.abort()));
}

/** Calls `listener` for each call of this process as it becomes known. For progress displays. */
export function onEveryCall(listener: (call: WatchedCall) => void): void {
  callListeners.add(listener);
}

/**
 * The path of a script: one that comes with Sidetone by its bare name, any other by its path.
 * @throws UsageError ERR_SCRIPT_NAME where the name is empty.
 */
export function scriptPath(nameOrPath: string): string {
  if (nameOrPath.trim() === "") {
    throw new UsageError("ERR_SCRIPT_NAME", "A script needs a name or a path.");
  }
  return /^[\w-]+$/u.test(nameOrPath)
    ? `${packageInfo().root}/fixtures/scripts/${nameOrPath}.yaml`
    : nameOrPath;
}

export type { Voice, VoiceLibrary } from "./audio/index.ts";
export type {
  AgentOptions,
  AiOptions,
  AnswerPolicy,
  DialOptions,
  EmbeddedAi,
  EmbeddedAiChanges,
  EmbeddedAiOptions,
  Harness,
  LeftCall,
  RemoteAgent,
  Speech,
  TurnDetection,
  WatchedCall,
} from "./call/index.ts";
export {
  EnvironmentError,
  ExpectationError,
  isSidetoneError,
  RemoteError,
  SidetoneError,
  UsageError,
} from "./environment/index.ts";
export {
  expectAnswer,
  expectAnswered,
  expectDigits,
  expectGreeting,
  expectHangUpByBot,
  expectHeard,
  expectKeepsSpeaking,
  expectRejected,
  expectStop,
  expectToolCall,
  expectUnanswered,
} from "./expect/index.ts";
export { type CallMetrics, type CallRecord, measureCall } from "./measure/index.ts";
export type { Fact } from "./timeline/index.ts";
