/** What answers calls and is charged for it: our agent, baresip, pjsua. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { encodeWav } from "../../src/audio/index.ts";
import {
  type AgentOptions,
  type RemoteAgent,
  Switchboard,
  type WatchedCall,
} from "../../src/call/index.ts";
import type { SocketAddress } from "../../src/environment/index.ts";
import {
  compiledModule,
  hostInfo,
  type ProcessChannel,
  SystemClock,
  startProcess,
} from "../../src/platform/index.ts";
import type { Resources, ResourcesRequest } from "../agent-process.ts";
import { Program } from "./host.ts";

const ADDRESS = "127.0.0.1";
const BARESIP_PORT = 15_160;
const PJSUA_PORT = 15_170;
const READY_MS = 1500;
const REPETITIONS = 60;
const CALL_LIMIT_MS = 3_600_000;
const CLOSE_LIMIT_MS = 4000;

/** Something under load. */
export interface Target {
  readonly name: string;
  readonly address: SocketAddress;
  readonly pid: number;
  stop(): Promise<void>;
}

/** Our agent in a process of its own. */
export interface OwnTarget extends Target {
  readonly agent: RemoteAgent;
  resources(options: { readonly collects: boolean }): Promise<Resources>;
}

/**
 * Starts our agent, or that of another build (`program`); its calls are forgotten as they end, like a
 * long run's.
 */
export async function openOwn(
  name: string,
  options: Partial<AgentOptions> = {},
  program: URL = compiledModule("bench/agent-process.js"),
): Promise<OwnTarget> {
  const process = startProcess(program);
  const { node, platform } = hostInfo();
  const context = { seed: "bench", sidetoneVersion: "", node, platform };
  const switchboard = new Switchboard(new SystemClock(), context);
  const agent = await switchboard.addAgent(process, {
    party: "bot",
    user: "bot",
    local: { address: ADDRESS, port: 0 },
    keepsRecordings: false,
    answer: { kind: "answer", ringMs: 0 },
    callDurationLimitMs: CALL_LIMIT_MS,
    ...options,
  });
  switchboard.subscribe((call) => void forget(call));
  const ask = resourcesOf(process);
  return {
    name,
    address: agent.local,
    pid: process.pid ?? 0,
    agent,
    resources: ask,
    stop: async () => {
      await Promise.race([agent.close().catch(() => undefined), delay(CLOSE_LIMIT_MS)]);
      await process.terminate();
    },
  };
}

async function forget(call: WatchedCall): Promise<void> {
  await call.whenEnded(CALL_LIMIT_MS);
  // The agent may be gone by now, which is as good.
  await call.release().catch(() => undefined);
}

/** baresip answers by itself, plays a file and takes what comes (`aubridge` drops it). */
export async function openBaresip(folder: string, speech: Int16Array): Promise<Target> {
  const own = join(folder, "baresip");
  await mkdir(own, { recursive: true });
  const file = join(own, "speech.wav");
  await writeFile(file, encodeWav({ sampleRateHz: 8000, channels: [repeated(speech)] }));
  await writeFile(join(own, "config"), baresipConfiguration(file));
  await writeFile(
    join(own, "accounts"),
    `<sip:bot@${ADDRESS}:${BARESIP_PORT}>;regint=0;answermode=auto;audio_codecs=PCMU/8000/1\n`,
  );
  const program = new Program("baresip", ["-f", own], own);
  await delay(READY_MS);
  return peer("baresip", program, BARESIP_PORT);
}

/** pjsua answers by itself, plays a file and mixes what comes into nothing. */
export async function openPjsua(folder: string, speech: Int16Array): Promise<Target> {
  const file = join(folder, "pjsua.wav");
  await writeFile(file, encodeWav({ sampleRateHz: 8000, channels: [speech] }));
  const options =
    "--null-audio --auto-answer=200 --auto-play --auto-loop --no-vad --no-tcp --ec-tail=0 --clock-rate=8000 --max-calls=32 --log-level=0 --app-log-level=0";
  const args = [...options.split(" "), `--play-file=${file}`, `--local-port=${PJSUA_PORT}`];
  const program = new Program("pjsua", [...args, `--bound-addr=${ADDRESS}`], folder);
  await delay(READY_MS);
  return peer("pjsua", program, PJSUA_PORT);
}

function peer(name: string, program: Program, port: number): Target {
  return {
    name,
    address: { address: ADDRESS, port },
    pid: program.pid,
    stop: () => {
      program.signal("SIGKILL");
      return program.end();
    },
  };
}

function resourcesOf(process: ProcessChannel): OwnTarget["resources"] {
  const waiting: ((resources: Resources) => void)[] = [];
  const handle = process.onMessage;
  process.onMessage = (message) => {
    const { type } = message as { readonly type: string };
    if (type === "resources") waiting.shift()?.(message as Resources);
    else handle?.(message);
  };
  return ({ collects }) =>
    new Promise((resolve) => {
      waiting.push(resolve);
      process.post({ type: "resources", collects } satisfies ResourcesRequest);
    });
}

/** baresip hangs up where its file ends. */
function repeated(speech: Int16Array): Int16Array {
  const long = new Int16Array(speech.length * REPETITIONS);
  for (let each = 0; each < REPETITIONS; each += 1) long.set(speech, each * speech.length);
  return long;
}

function baresipConfiguration(speechFile: string): string {
  return [
    "poll_method epoll",
    `net_interface ${ADDRESS}`,
    `sip_listen ${ADDRESS}:${BARESIP_PORT}`,
    "call_max_calls 500",
    "call_local_timeout 120",
    `audio_source aufile,${speechFile}`,
    "audio_player aubridge,heard",
    "audio_alert aubridge,alert",
    "ausrc_srate 8000",
    "auplay_srate 8000",
    "ausrc_channels 1",
    "auplay_channels 1",
    "jitter_buffer_delay 2-10",
    "module_path /usr/lib/baresip/modules",
    ...["g711", "aufile", "aubridge", "uuid", "account"].map((name) => `module ${name}.so`),
    "module_app menu.so",
    "",
  ].join("\n");
}
