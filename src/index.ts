/**
 * Sidetone's public API: open a harness, add agents, place calls, and say what you expect of them.
 * No type of sip.js or ws appears in it.
 */
import { type ModelPrice, parsePrices } from "./bridge/index.ts";
import {
  CallJournal,
  type CallLimits,
  Harness,
  type HarnessParts,
  leftOverCalls,
  leftOverText,
  limitsIn,
  type TesterOptions,
  testerProviderIn,
  type WatchedCall,
} from "./call/index.ts";
import { loadCodecs } from "./codec/index.ts";
import { type Channel, UsageError } from "./environment/index.ts";
import {
  type Judge,
  type JudgeSettings,
  judgeSettingsFrom,
  LanguageModelJudge,
} from "./judge/index.ts";
import {
  compiledModule,
  createEnvironment,
  hostInfo,
  localAddressTowards,
  NodeFileStore,
  openJournal,
  packageInfo,
  randomSeed,
  startThread,
  takeLeftJournals,
  variable,
  variableList,
  warnOnce,
  watchLastMoments,
} from "./platform/index.ts";
import { locateTarget, type SipTlsSettings } from "./sip/index.ts";
import { virtualParts } from "./virtual-harness.ts";

/** What may be chosen for a run. */
export interface HarnessOptions extends CallLimits {
  /** Repeats a run's random choices; default: a fresh one. */
  readonly seed?: string;
  /** Where call folders are left; default `reports/api`. */
  readonly reportFolder?: string;
  /** Folder with `caller/` and `bot/` recordings; default: those that come with Sidetone. */
  readonly voicesFolder?: string;
  /**
   * Hosts beside loopback that may be called: names, `*.domain`, addresses, networks (CIDR). Those
   * in the environment variable SIDETONE_ALLOW, separated by commas, are permitted as well.
   */
  readonly allow?: readonly string[];
  /** DNS servers instead of this host's: "192.0.2.53", "192.0.2.53:5353". */
  readonly dnsServers?: readonly string[];
  /**
   * Runs agents and embedded servers in virtual time: in this thread, without sockets, as fast as
   * the machine can, and to the bit as the seed says (docs/virtual-time.md).
   */
  readonly virtual?: boolean;
}

/** The environment variable with permitted hosts. */
const ALLOW_VARIABLE = "SIDETONE_ALLOW";
const LOOPBACK = "127.0.0.1";
const VIRTUAL = { time: "virtual" } as const;

const open = new Set<Harness>();
/** Those whose calls would outlive this process. */
const toHangUp = new Set<Harness>();
let isAborted = false;
let isWatching = false;
const callListeners = new Set<(call: WatchedCall) => void>();

/**
 * Opens a harness: one run's agents and calls. On every way out of the process its calls are hung
 * up; a signal that nobody else handles ends the process when they are.
 * @throws UsageError ERR_FIXTURE_MISSING, ERR_ALLOW_MALFORMED, ERR_LIMIT_MALFORMED.
 */
export async function openHarness(options: HarnessOptions = {}): Promise<Harness> {
  const { root, version } = packageInfo();
  const seed = options.seed ?? randomSeed();
  const reportFolder = options.reportFolder ?? "reports/api";
  const isVirtual = options.virtual === true;
  // Loaded by the host, which virtual time does not wait for.
  if (isVirtual) await loadCodecs(["opus"]);
  const parts = isVirtual ? virtualParts(seed, options) : realParts(seed, options, reportFolder);
  watchWaysOut();
  const left = takeLeftCalls(reportFolder);
  if (left !== undefined) warnOnce(left);
  const harness = await Harness.open({
    ...parts,
    context: { seed, sidetoneVersion: version, ...hostInfo(), ...(isVirtual ? VIRTUAL : {}) },
    voicesFolder: options.voicesFolder ?? `${root}/fixtures/voices`,
    reportFolder,
    dialling: { allow: isVirtual ? [] : permitted(options), ...limitsIn(options) },
  });
  open.add(harness);
  // Calls in virtual time end with the process: nobody else is in them.
  if (!isVirtual) toHangUp.add(harness);
  // The signal may have come while this one was being opened.
  if (isAborted) await harness.abort();
  harness.switchboard.subscribe((call) => {
    for (const listener of callListeners) listener(call);
  });
  return harness;
}

function permitted({ allow = [] }: HarnessOptions): readonly string[] {
  return [...allow, ...variableList(ALLOW_VARIABLE)];
}

/** A harness on this host's own clock and sockets, its agents in threads. */
function realParts(
  seed: string,
  { dnsServers = [] }: HarnessOptions,
  reportFolder: string,
): Pick<HarnessParts, "environment" | "files" | "startAgentThread" | "startAiThread" | "journal"> {
  let threads = 0;
  const start = (module: string, kind: string): Channel => {
    threads += 1;
    return startThread(compiledModule(module), { seed: `${seed}/${kind}/${threads}`, dnsServers });
  };
  return {
    environment: createEnvironment({ seed, dnsServers }),
    files: new NodeFileStore(),
    startAgentThread: () => start("src/cli/threads/agent-thread.js", "agent"),
    startAiThread: () => start("src/cli/threads/realtime-thread.js", "ai"),
    journal: new CallJournal(openJournal(journalFolder(reportFolder))),
  };
}

/**
 * Ends every call of this process (BYE or CANCEL) and lets no new one begin; what was recorded can
 * still be written. For signal handlers.
 */
export async function abortAllHarnesses(): Promise<void> {
  isAborted = true;
  await Promise.allSettled([...open].map((harness) => harness.abort()));
}

/**
 * What an earlier run that was killed may have left up: a text to show, once. `undefined` where
 * nothing was left.
 *
 * @param reportFolder the folder of the run that begins; runs beside it are looked after.
 */
export function takeLeftCalls(reportFolder: string): string | undefined {
  const journals = takeLeftJournals(journalFolder(reportFolder));
  return leftOverText(journals.flatMap((journal) => leftOverCalls(journal)));
}

/** Beside the folders of runs, so that the next run finds it. */
function journalFolder(reportFolder: string): string {
  return `${reportFolder}/../live-calls`;
}

function watchWaysOut(): void {
  if (isWatching) return;
  isWatching = true;
  watchLastMoments({
    onSignal: abortAllHarnesses,
    onExit: () => {
      for (const harness of toHangUp) harness.hangUpNow();
    },
  });
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

/** Where the parts of `SipTlsSettings` are: paths of PEM files. */
export type TlsFiles = Partial<Readonly<Record<"ca" | "certificate" | "key", string>>>;

/**
 * Reads certificates and keys for SIP over TLS.
 * @throws UsageError ERR_FILE_MISSING.
 */
export async function readTlsFiles(paths: TlsFiles): Promise<SipTlsSettings> {
  const files = new NodeFileStore();
  const read = Object.entries(paths).map(
    async ([part, path]) => [part, await files.readText(path)] as const,
  );
  return Object.fromEntries(await Promise.all(read));
}

/**
 * A password from the environment, so that none stands in a feature or report.
 * @throws UsageError ERR_PASSWORD_MISSING.
 */
export function passwordFrom(variableName: string): string {
  const password = variable(variableName) ?? "";
  if (password !== "") return password;
  throw new UsageError(
    "ERR_PASSWORD_MISSING",
    `The environment variable ${variableName} is to hold a password, but it is not set, or empty. Set it where the run is started.`,
  );
}

/**
 * The path of a persona: one that comes with Sidetone by its bare name, any other by its path.
 * @throws UsageError ERR_SCRIPT_NAME where the name is empty.
 */
export function personaPath(nameOrPath: string): string {
  if (nameOrPath.trim() === "") {
    throw new UsageError("ERR_SCRIPT_NAME", "A persona needs a name or a path.");
  }
  return /^[\w-]+$/u.test(nameOrPath)
    ? `${packageInfo().root}/fixtures/personas/${nameOrPath}.yaml`
    : nameOrPath;
}

/**
 * Reads what models cost, for `AiOptions.prices`: a file of YAML or JSON (docs/ai.md).
 * @throws UsageError ERR_FILE_MISSING, ERR_PRICES_MALFORMED.
 */
export async function readPrices(path: string): Promise<Readonly<Record<string, ModelPrice>>> {
  return parsePrices(await new NodeFileStore().readText(path), path);
}

/**
 * The provider whose AI plays testers, as the environment says; `undefined`: the embedded AI does.
 * @throws UsageError ERR_AI_PROVIDER_UNKNOWN, ERR_AI_KEY_MISSING, ERR_TOKENS_SECRET.
 */
export function testerProvider(): TesterOptions["ai"] | undefined {
  return testerProviderIn(variable);
}

/**
 * The language model that judges calls, as the environment says: SIDETONE_JUDGE_URL is an
 * OpenAI-compatible API, SIDETONE_JUDGE_MODEL a model there, SIDETONE_JUDGE_KEY its key, where it needs
 * one. `settings`: instead of what the environment says.
 * @throws UsageError ERR_JUDGE_MISSING, ERR_JUDGE_SETTING.
 */
export function openJudge(settings: JudgeSettings = judgeSettingsFrom(variable)): Judge {
  return new LanguageModelJudge(createEnvironment(), settings);
}

/**
 * The address of this host from which a target is reached: what an agent that dials it must be
 * bound to. Loopback for targets that have no address or no route; dialling them says so.
 */
export async function localAddressFor(
  target: string,
  options: Pick<HarnessOptions, "dnsServers"> = {},
): Promise<string> {
  try {
    const world = createEnvironment(options);
    const remote = await locateTarget(target, world);
    const local = remote === undefined ? undefined : await localAddressTowards(remote);
    return local ?? LOOPBACK;
  } catch {
    // Dialling the target will say what is wrong with it, in the scenario to which that belongs.
    return LOOPBACK;
  }
}

export type { Voice, VoiceLibrary } from "./audio/index.ts";
export type {
  HttpToolOptions,
  ToolModule,
  UserTool,
  UserToolContext,
} from "./bridge/index.ts";
export {
  AI_PROVIDERS,
  type AiProvider,
  type ModelPrice,
  type PlayoutSettings,
  type PreBuffer,
  type StallConcealment,
} from "./bridge/index.ts";
export type {
  AgentOptions,
  AiOptions,
  AnswerPolicy,
  BotToolOptions,
  CallLimits,
  DialOptions,
  EarlyMedia,
  EmbeddedAi,
  EmbeddedAiChanges,
  EmbeddedAiOptions,
  Harness,
  LeftCall,
  RemoteAgent,
  ServerFaults,
  Speech,
  StandInServer,
  TesterOptions,
  TransferOrder,
  TransferPolicy,
  TurnDetection,
  WatchedCall,
} from "./call/index.ts";
export {
  EnvironmentError,
  ExpectationError,
  type Instant,
  isSidetoneError,
  RemoteError,
  SidetoneError,
  UsageError,
} from "./environment/index.ts";
export {
  type AudibleFault,
  awaitSpeechEnd,
  awaitTesterEnd,
  type ExpectedDigits,
  type ExpectedOutcome,
  type ExpectedRequest,
  expectAiHeldUp,
  expectAiHeldUpAtMost,
  expectAiHeldUpInAllAtMost,
  expectAiNetworkLoss,
  expectAiResumed,
  expectAnswer,
  expectAnswered,
  expectBound,
  expectByeFrom,
  expectCodec,
  expectConcealedAtMost,
  expectDigits,
  expectEarlyMedia,
  expectEncrypted,
  expectEndAt,
  expectEstimatedMos,
  expectFault,
  expectGapsAtMost,
  expectGoal,
  expectGoesOn,
  expectGreeting,
  expectHangUpByBot,
  expectHeader,
  expectHeard,
  expectHeldAtMost,
  expectHttpRequest,
  expectInjected,
  expectJudged,
  expectKeepsQuiet,
  expectKeepsSpeaking,
  expectLimit,
  expectLocalBargeIn,
  expectLossAtMost,
  expectNetworkLoss,
  expectNoCatchUp,
  expectNoFault,
  expectNoiseAtMost,
  expectNotEncrypted,
  expectOptionsAnswer,
  expectParallelTools,
  expectPassRate,
  expectReconnected,
  expectRedirected,
  expectRegistered,
  expectRegistrationRefused,
  expectRejected,
  expectRejectedWith,
  expectRepeated,
  expectRoundTrip,
  expectRule,
  expectSessionRefresh,
  expectSipLoss,
  expectSpeechLevel,
  expectStallAtMost,
  expectStallsAtLeast,
  expectStallsAtMost,
  expectStop,
  expectTalk,
  expectText,
  expectTextOutside,
  expectToolAnswer,
  expectToolCall,
  expectToolFailure,
  expectToolOrder,
  expectToolSuccess,
  expectTransfer,
  expectTransferOutcome,
  expectTransferProgress,
  expectTransferredCall,
  expectTransport,
  expectUnanswered,
  expectUninterrupted,
  expectUnregistered,
  expectUnsupported,
  expectWideband,
  type JudgeParts,
  requireAiNetwork,
  requireInjected,
  requireSupported,
  type WantedTransport,
} from "./expect/index.ts";
export {
  type AiNetwork,
  type AiTransport,
  burstyLoss,
  type CongestionControl,
  type KernelBackend,
  type LinkPlan,
  type NetworkDirection,
  type NetworkPlan,
  networkProfile,
} from "./impairment/index.ts";
export type { Judge, JudgedDialogue, JudgeFinding, JudgeSettings } from "./judge/index.ts";
export { type CallMetrics, type CallRecord, measureCall } from "./measure/index.ts";
export type { MediaSettings } from "./media/index.ts";
export type {
  Demand,
  SipBinding,
  SipCredentials,
  SipSettings,
  SipTlsSettings,
  SipTransport,
} from "./sip/index.ts";
export {
  ANONYMOUS,
  type DialogSettings,
  FAULTS,
  type FaultyMessage,
  type MessageAlteration,
  type MessageFault,
  type SessionTimerSettings,
} from "./sip/index.ts";
export { type Persona, personaOf, type Rule, readRules, rulesOf } from "./tester/index.ts";
export type { DigitMethod, Fact, Party } from "./timeline/index.ts";
