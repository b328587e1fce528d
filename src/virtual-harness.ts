import {
  type AiOptions,
  type HarnessBounds,
  type HarnessParts,
  serveAgent,
  serveRealtimeServer,
  THREAD_MESSAGES,
} from "./call/index.ts";
import { speechPlugIns } from "./cli/threads/speech-plug-ins.ts";
import { UsageError } from "./environment/index.ts";
import { loadUserModule, NodeFileStore, variable } from "./platform/index.ts";
import type { SipSettings } from "./sip/index.ts";
import { requirePlain, requireWithin, VirtualWorld } from "./virtual/index.ts";

/** Nothing lags in a world whose time stands while anything is done. */
const NO_LAG = { p99Ms: 0, maxMs: 0 } as const;

let isOpen = false;

/** What a run may want beyond itself. */
interface Reach {
  readonly allow?: readonly string[];
  readonly dnsServers?: readonly string[];
}

/**
 * What a harness in virtual time stands on: agents and embedded servers live in this thread, in a
 * world of their own. There is one such world in a thread at a time.
 *
 * @throws UsageError ERR_VIRTUAL_BUSY, ERR_VIRTUAL_ADDRESS where a run wants to reach others.
 */
export function virtualParts(
  seed: string,
  reach: Reach,
): Pick<
  HarnessParts,
  "environment" | "files" | "startAgentThread" | "startAiThread" | "bounds" | "onClosed"
> {
  requireWithinReach(reach);
  if (isOpen) throw busy();
  isOpen = true;
  const world = new VirtualWorld(seed, THREAD_MESSAGES);
  const files = world.heldFiles(new NodeFileStore());
  const instrument = { readLag: () => NO_LAG, peekLag: () => NO_LAG };
  const toolHost = {
    loadModule: (path: string) => world.time.hold(loadUserModule(path)),
    variable,
  };
  const plugIns = speechPlugIns(files);
  return {
    environment: world.watcher,
    files,
    startAgentThread: () =>
      world.admit((channel, environment) => {
        serveAgent(channel, environment, { instrument, toolHost });
      }),
    startAiThread: () =>
      world.admit((channel, environment) => {
        serveRealtimeServer(channel, environment, files, {
          synthesiser: (name) => world.time.hold(plugIns.synthesiser(name)),
          recogniser: (name) => world.time.hold(plugIns.recogniser(name)),
        });
      }),
    bounds: BOUNDS,
    onClosed: () => {
      world.close();
      isOpen = false;
    },
  };
}

function requireWithinReach({ allow = [], dnsServers = [] }: Reach): void {
  for (const host of allow) requireWithin(host, "a permitted bot");
  for (const host of dnsServers) requireWithin(host, "a DNS server");
}

const BOUNDS: HarnessBounds = {
  requireAgent: (options) => {
    requireWithin(options.local.address, "a local address");
    if ((options.threads ?? 1) > 1) throw oneThread(options.threads ?? 1);
    requirePlainSip(options.sip ?? {});
    if (options.ai !== undefined) requireEmbedded(options.ai);
    if (options.answer !== undefined) BOUNDS.requireAnswer(options.answer);
  },
  requireAnswer: (policy) => {
    if (policy.kind === "answer") requireNoKernel(policy.aiNetwork);
  },
  requireCall: (target, { tester }) => {
    const host = /^(?:sips?:)?(?:[^@]*@)?(?<host>\[[^\]]*\]|[^:;?>]+)/iu.exec(target)?.groups?.[
      "host"
    ];
    if (/^sips:/iu.test(target) || /;transport=tls/iu.test(target)) requirePlain("SIP over TLS");
    if (host !== undefined) requireWithin(host, "a bot");
    if (tester !== undefined) requireEmbedded(tester.ai);
  },
  requireEmbeddedAi: ({ tls }) => {
    if (tls !== undefined) requirePlain("a TLS port of the embedded AI");
  },
};

function requirePlainSip({ transport, listen = [], webSocketUrl = "" }: SipSettings): void {
  const names = new Set([transport, ...listen.map((binding) => binding.transport)]);
  if (names.has("tls")) requirePlain("SIP over TLS");
  if (names.has("wss") || webSocketUrl.startsWith("wss:")) requirePlain("SIP over wss:");
}

/** The AI of a bot or tester is an embedded one: no provider is in the virtual world. */
function requireEmbedded({
  url,
  tokens,
  network,
}: Pick<AiOptions, "url" | "tokens" | "network">): void {
  requireNoKernel(network);
  const { protocol, hostname } = new URL(url);
  requireWithin(hostname, "an AI");
  if (protocol === "wss:") requirePlain("wss:");
  if (tokens?.from === "service") requireWithin(new URL(tokens.url).hostname, "a tokens service");
}

function requireNoKernel(network: AiOptions["network"]): void {
  if (network?.transport !== "tcp-kernel") return;
  throw new UsageError(
    "ERR_VIRTUAL_KERNEL",
    "In virtual time there is no kernel whose TCP could carry the AI's leg. Use tcp-modelled there, or run without --virtual.",
  );
}

function oneThread(threads: number): UsageError {
  return new UsageError(
    "ERR_VIRTUAL_THREADS",
    `In virtual time everything runs in one thread, and an agent asked for ${threads}. Leave threads out, or run without --virtual.`,
    { context: { threads } },
  );
}

function busy(): UsageError {
  return new UsageError(
    "ERR_VIRTUAL_BUSY",
    "A harness in virtual time is open in this thread already, and its clock is everybody's. Close it first, or start another thread or process.",
  );
}
