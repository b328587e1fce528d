#!/usr/bin/env node
import { parseArgs } from "node:util";
import { errorText, isSidetoneError } from "../environment/index.ts";
import { packageInfo, randomSeed } from "../platform/index.ts";
import type { AnalyzeOptions } from "./analyze.ts";
import type { CalibrateCommandOptions } from "./calibrate.ts";
import type { CompareOptions } from "./compare.ts";
import { diallingParameters } from "./dialling-options.ts";
import { EXIT_CODES } from "./exit-codes.ts";
import type { HolCommandOptions } from "./hol.ts";
import type { RelayOptions } from "./relay.ts";
import type { RunOptions } from "./run-features.ts";
import type { ServeOptions } from "./serve-ai.ts";
import type { ServeTokensOptions } from "./serve-tokens.ts";

const HELP = `Sidetone: an automated test harness for voice bots that answer the telephone.

  sidetone demo                      runs the scenarios that come with Sidetone, offline
  sidetone run [FEATURE …]           runs your scenarios (default: features/)
  sidetone serve                     runs the embedded AI on its own, for bots and SDK clients
  sidetone compare A B               says what changed between two runs, and if it is more than noise
  sidetone analyze FOLDER            measures a call again, from its folder
  sidetone analyze STEREO.wav        measures a recording of somebody else's: caller left, bot right
  sidetone analyze CALLER.wav BOT.wav  the same from a file for each side (docs/analyze.md)
  sidetone calibrate                 says how far this machine's figures are from the truth
  sidetone relay NEAR=ADDRESS:PORT …  passes UDP on between two peers that are not ours, over an
                                     injured network (docs/network.md)
  sidetone hol [FOLDER]              studies what a lossy way to its AI makes of a bot, over TCP and
                                     UDP (docs/head-of-line.md; default: hol in --reports)
  sidetone tokens serve              hands out ephemeral tokens (docs/tokens.md)

Options
  --tags EXPRESSION    only scenarios with these tags, e.g. "not @slow"
  --import FILE        your own step definitions (may be repeated)
  --reports FOLDER     where runs are left (default: reports)
  --local ADDRESS      the address that callers are bound to (default: the one that routes there)
  --allow HOST         a host that may be called beside this machine's own loopback: a name,
                       *.domain, an address or a network (192.0.2.0/24); may be repeated
  --max-calls N        calls that the run may place (default: 10000)
  --max-concurrent N   of these at a time (default: 1000)
  --max-ring SECONDS   the longest that a call may ring (default: 180)
  --max-duration SECONDS  the longest that a call may last (default: 300)
  --dns SERVER         a DNS server instead of this machine's, ADDRESS or ADDRESS:PORT (repeatable)
  --sip-transport NAME  udp (default), tcp or tls, where the bot's address does not say
  --sip-ca FILE        the authority that callers trust, in place of those that Node.js knows
  --sip-certificate FILE, --sip-key FILE  what callers show to bots that ask for a certificate
  --ai PROTOCOL        by which embedded bots speak to their AI: openai (default), azure-openai
                       or gemini
  --prices FILE        what models of AI cost, where that is not known here (docs/ai.md)
  --tools FILE         a module of tools for the AI of embedded bots (may be repeated; docs/tools.md)
  --voices FOLDER      recordings of your own, in caller/ and bot/
  --visqol             run, hol: adds ViSQOL's opinion of the sound to the report; takes a tenth of
                       the bot's speech in time, and more on a busy machine
  --seed SEED          repeats a run's random choices
  --virtual            demo, run, hol: in virtual time, for embedded bots only: no sockets, as fast as the
                       machine can, and the same to the bit for the same seed (docs/virtual-time.md)
  --script NAME|FILE   serve: what the AI says (default: reception)
  --port PORT          serve: where it listens (default: 8765)
  --tls-port PORT      serve: where it listens for TLS (default: the port after --port)
  --tls-ca FILE        serve: where the authority is left that clients have to trust
                       (default: sidetone-ca.pem in --reports)
  --speech WHAT        serve: says what is not recorded: espeak-ng, espeak-ng:VOICE, or a module
  --recogniser WHAT    serve: understands any words: sherpa-onnx:CONFIG.json, or a module
  --tls-certificate FILE, --tls-key FILE  serve, tokens serve: a certificate of your own
  --address ADDRESS    tokens serve: where it listens (default: 127.0.0.1; elsewhere only with TLS);
                       relay: the same, whatever the address
  --clients FILE       tokens serve: a line "NAME SECRET" for each client (default: one client, whose
                       secret is in SIDETONE_TOKENS_SECRET)
  --model NAME         tokens serve: gives tokens for this model only (may be repeated)
  --per-minute N       tokens serve: requests of one client in a minute (default: 60)
  --openai-url URL, --gemini-url URL  tokens serve: whose sessions they are for
  --json               compare, analyze, calibrate, relay: everything, for machines
  --labels FILE        analyze: label tracks for Audacity, FILE-caller.txt, FILE-bot.txt, FILE-turns.txt
  --html FILE          analyze: one page with waveforms, speech and turns
  --swap               analyze: the bot is in the left channel, or in the first file
  --detector FILE      analyze: a module that finds speech, instead of our own detector
  --from TIME, --to TIME  analyze: only this part; seconds, or hours:minutes:seconds
  --calls N            calibrate: calls in each of its networks (default: 50);
                       hol: calls in each cell (default: 20)
  --loss LIST, --rtt LIST  hol: packets lost, per cent (default: 0,0.5,1,2,5), and round trips, ms
                       (default: 20,80,160)
  --burst LIST         hol: mean lengths of runs of losses, packets (default: 1, each by itself)
  --transport LIST     hol: of tcp-modelled, udp, tcp-kernel (default: the first two)
  --congestion LIST    hol: cubic (default), reno, bbr
  --pre-buffer LIST    hol: how long answers are held back, ms (default: 0)
  --turns N            hol: questions of a call (default: 10)
  --ai-format FORMAT   hol: pcmu (default; G.711) or pcm (24 kHz) to and from the AI
  --against FOLDER     hol: lays the study beside another one, figure by figure
  --at-once N          hol: calls at the same time (default: 1)
  --calibration FILE   calibrate: where the result is kept (default: SIDETONE_CALIBRATION, or in the
                       user's cache folder; docs/calibrate.md)
  --rtcp               relay: the next port of each, too
  --network NAME       relay: a network that has a name, e.g. LTE
  --out FIGURES, --back FIGURES  relay: what becomes of packets towards the target, and back:
                       loss=5%,burst=2,delay=40ms,jitter=8ms,overtaking=1%,twice=1%,corrupted=1%,rate=64kbit
  --plan FILE          relay: both directions with changes in time (YAML or JSON)
  --every SECONDS      relay: prints its counts so often
  --counts FILE        relay: where its counts are left as JSON
  --version, --help

Exit codes: 0 all passed · 1 an expectation failed, or unsupported · 2 usage · 3 environment
            4 inconclusive · 130 interrupted
`;

const OPTIONS = {
  tags: { type: "string", default: "" },
  import: { type: "string", multiple: true },
  reports: { type: "string", default: "reports" },
  local: { type: "string" },
  voices: { type: "string" },
  ai: { type: "string" },
  tools: { type: "string", multiple: true },
  prices: { type: "string" },
  allow: { type: "string", multiple: true },
  dns: { type: "string", multiple: true },
  "max-calls": { type: "string" },
  "max-concurrent": { type: "string" },
  "max-ring": { type: "string" },
  "max-duration": { type: "string" },
  "sip-transport": { type: "string" },
  "sip-ca": { type: "string" },
  "sip-certificate": { type: "string" },
  "sip-key": { type: "string" },
  visqol: { type: "boolean", default: false },
  seed: { type: "string" },
  script: { type: "string", default: "reception" },
  port: { type: "string", default: "8765" },
  "tls-port": { type: "string" },
  "tls-ca": { type: "string" },
  "tls-certificate": { type: "string" },
  "tls-key": { type: "string" },
  speech: { type: "string" },
  recogniser: { type: "string" },
  json: { type: "boolean", default: false },
  labels: { type: "string" },
  html: { type: "string" },
  swap: { type: "boolean", default: false },
  detector: { type: "string" },
  from: { type: "string" },
  to: { type: "string" },
  calls: { type: "string" },
  loss: { type: "string", default: "0,0.5,1,2,5" },
  rtt: { type: "string", default: "20,80,160" },
  burst: { type: "string", default: "1" },
  transport: { type: "string", default: "tcp-modelled,udp" },
  congestion: { type: "string", default: "cubic" },
  "pre-buffer": { type: "string", default: "0" },
  turns: { type: "string", default: "10" },
  "at-once": { type: "string", default: "1" },
  against: { type: "string" },
  "ai-format": { type: "string", default: "pcmu" },
  calibration: { type: "string" },
  address: { type: "string", default: "127.0.0.1" },
  clients: { type: "string" },
  model: { type: "string", multiple: true },
  "per-minute": { type: "string", default: "60" },
  "openai-url": { type: "string", default: "wss://api.openai.com/v1/realtime" },
  "gemini-url": { type: "string", default: "wss://generativelanguage.googleapis.com" },
  rtcp: { type: "boolean", default: false },
  network: { type: "string" },
  out: { type: "string" },
  back: { type: "string" },
  plan: { type: "string" },
  every: { type: "string" },
  counts: { type: "string" },
  virtual: { type: "boolean", default: false },
  version: { type: "boolean", default: false },
  help: { type: "boolean", default: false },
} as const;

const write = (text: string): void => {
  process.stdout.write(`${text}\n`);
};

const tell = (text: string): void => {
  process.stderr.write(`${text}\n`);
};

// Each command loads what it needs: `--help` should not wait for cucumber.
const runFeatures = async (options: RunOptions): Promise<number> =>
  (await import("./run-features.ts")).runFeatures(options);
const serveAi = async (options: ServeOptions): Promise<number> =>
  (await import("./serve-ai.ts")).serveAi(options);
const compare = async (options: CompareOptions): Promise<number> =>
  (await import("./compare.ts")).compare(options);
const analyze = async (options: AnalyzeOptions): Promise<number> =>
  (await import("./analyze.ts")).analyze(options);
const calibrate = async (options: CalibrateCommandOptions): Promise<number> =>
  (await import("./calibrate.ts")).calibrate(options);
const relay = async (options: RelayOptions): Promise<number> =>
  (await import("./relay.ts")).relay(options);
const hol = async (options: HolCommandOptions): Promise<number> =>
  (await import("./hol.ts")).hol(options);
const serveTokens = async (options: ServeTokensOptions): Promise<number> =>
  (await import("./serve-tokens.ts")).serveTokens(options);

function runOptions(values: Values, seed: string): Omit<RunOptions, "features"> {
  return {
    imports: values.import ?? [],
    tags: values.tags,
    seed,
    reports: values.reports,
    localAddress: values.local,
    ai: values.ai,
    tools: values.tools ?? [],
    prices: values.prices,
    voicesFolder: values.voices,
    dialling: diallingParameters(values),
    visqol: values.visqol,
    virtual: values.virtual,
    write,
  };
}

function serveOptions(values: Values, seed: string): ServeOptions {
  return {
    script: values.script,
    port: values.port,
    tlsPort: values["tls-port"],
    tls: {
      certificate: values["tls-certificate"],
      key: values["tls-key"],
      ca: values["tls-ca"] ?? `${values.reports}/sidetone-ca.pem`,
    },
    speech: values.speech,
    recogniser: values.recogniser,
    seed,
    write,
  };
}

function tokensOptions(values: Values): ServeTokensOptions {
  return {
    address: values.address,
    port: values.port,
    clients: values.clients,
    openAiUrl: values["openai-url"],
    geminiUrl: values["gemini-url"],
    models: values.model ?? [],
    perMinute: values["per-minute"],
    certificate: values["tls-certificate"],
    key: values["tls-key"],
    write,
  };
}

function relayOptions(values: Values, ports: readonly string[], seed: string): RelayOptions {
  const { rtcp, address, network, plan, out, back, every, counts, json, allow = [] } = values;
  return {
    ports,
    rtcp,
    address,
    network,
    plan,
    out,
    back,
    every,
    counts,
    json,
    allow,
    seed,
    write,
  };
}

function analyzeOptions(values: Values, paths: readonly string[]): AnalyzeOptions {
  const { json, labels, html, swap, detector, from, to } = values;
  return { paths, json, labels, html, swap, detector, from, to, write, tell };
}

function holOptions(values: Values, folders: readonly string[]): HolCommandOptions {
  const { reports, loss, rtt, burst, transport, congestion, calls, turns, virtual } = values;
  return {
    folders,
    reports,
    loss,
    roundTrip: rtt,
    burst,
    transport,
    congestion,
    preBuffer: values["pre-buffer"],
    calls,
    turns,
    aiFormat: values["ai-format"],
    atOnce: values["at-once"],
    virtual,
    visqol: values.visqol,
    seed: values.seed,
    against: values.against,
    json: values.json,
    write,
    tell,
  };
}

type Values = ReturnType<typeof parseArgs<{ readonly options: typeof OPTIONS }>>["values"];

function carryOut(command: string, rest: string[], values: Values): Promise<number> | number {
  const seed = values.seed ?? randomSeed();
  const run = runOptions(values, seed);
  const name = command === "tokens" ? [command, ...rest].join(" ") : command;
  switch (name) {
    case "demo":
      return runFeatures({ ...run, features: [`${packageInfo().root}/features`] });
    case "run":
      return runFeatures({ ...run, features: rest.length === 0 ? ["features"] : rest });
    case "compare":
      return compare({ runs: rest, json: values.json, write });
    case "analyze":
      return analyze(analyzeOptions(values, rest));
    case "calibrate": {
      const { calls = "50", calibration, reports, json } = values;
      return calibrate({ calls, calibration, reports, seed, json, write });
    }
    case "serve":
    // Its name in 0.1.
    case "realtime-server":
      return serveAi(serveOptions(values, seed));
    default:
      return carryOutOther(name, rest, values);
  }
}

function carryOutOther(command: string, rest: string[], values: Values): Promise<number> | number {
  switch (command) {
    case "hol":
      return hol(holOptions(values, rest));
    case "relay":
      return relay(relayOptions(values, rest, values.seed ?? randomSeed()));
    case "tokens serve":
      return serveTokens(tokensOptions(values));
    default:
      process.stderr.write(`There is no command "${command}".\n\n${HELP}`);
      return EXIT_CODES.usage;
  }
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({ options: OPTIONS, allowPositionals: true });
  const [command, ...rest] = positionals;
  if (values.version) {
    write(packageInfo().version);
    return EXIT_CODES.passed;
  }
  if (values.help || command === undefined) {
    write(HELP);
    return values.help ? EXIT_CODES.passed : EXIT_CODES.usage;
  }
  return carryOut(command, rest, values);
}

// Who was reading has gone (a closed terminal, `| head`): calls and report matter more.
process.stdout.on("error", () => undefined);

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(`${errorText(error)}\n`);
    const isEnvironment = isSidetoneError(error) && error.fault === "environment";
    process.exit(isEnvironment ? EXIT_CODES.environment : EXIT_CODES.usage);
  },
);
