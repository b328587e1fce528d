import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { encodeWav } from "../../../src/audio/index.ts";
import type { CodecId } from "../../../src/codec/index.ts";
import type { Namespace } from "./namespaces.ts";
import { LoggedProcess } from "./processes.ts";

const MODULE_FOLDER = "/usr/lib/baresip/modules";
const SPEECH_FILE = "speech.wav";
const CERTIFICATE_FILE = "certificate.pem";
const AUTHORITY_FILE = "authority.pem";
const READY_LIMIT_MS = 10_000;

const DEFAULT_SAMPLE_RATE_HZ = 8000;
/** baresip hangs up where its file ends, so silence follows the speech for longer than any call. */
const SILENCE_AFTER_SECONDS = 180;

/**
 * Without `stdio` (it wants a terminal). `aubridge` is the player because `aufile` has none, and
 * `aufile` the source because `ausine` plays at 48 kHz only. `sndfile` records.
 */
const MODULES = ["aufile", "aubridge", "sndfile", "uuid"];
const APPLICATIONS = ["menu", "ctrl_tcp", "rtcpsummary"];

/** The module that has a codec, and baresip's name for it. */
const CODECS: Readonly<Record<CodecId, { readonly module: string; readonly name: string }>> = {
  PCMU: { module: "g711", name: "PCMU/8000/1" },
  PCMA: { module: "g711", name: "PCMA/8000/1" },
  G722: { module: "g722", name: "G722/16000/1" },
  opus: { module: "opus", name: "opus/48000/2" },
  "L16/8000": { module: "l16", name: "L16/8000/1" },
  "L16/16000": { module: "l16", name: "L16/16000/1" },
};

const DEFAULT_CODECS: readonly CodecId[] = ["PCMU", "PCMA"];

/** Options of one baresip. */
export interface BaresipOptions {
  readonly user: string;
  readonly address: string;
  /** UDP and TCP; baresip takes the next port too, for TLS. */
  readonly sipPort: number;
  /** Where it takes commands; on `address` as well. */
  readonly controlPort: number;
  /** What it speaks in each call, from the moment that the call is up. */
  readonly speech: Int16Array;
  /**
   * Of the speech; default 8000. With a codec of another rate baresip converts, which costs
   * quality: give the codec's own (48,000 for Opus).
   */
  readonly sampleRateHz?: number;
  /** Answers by itself; otherwise it rings until told to, with `"early"` speaking already (183). */
  readonly answers: boolean | "early";
  readonly codecs?: readonly CodecId[];
  /** Packet length that it asks for and sends; default 20. */
  readonly ptimeMs?: number;
  /** `srtp` offers RTP/AVP with keys and takes up either; `srtp-mand` speaks RTP/SAVP only. */
  readonly encryption?: "srtp" | "srtp-mand";
  /** RTCP on the port of RTP; default: on the next one. */
  readonly rtcpMux?: boolean;
  readonly callsMax?: number;
  /** Its certificate with its key, and whom it trusts (PEM); without, it makes up its own. */
  readonly tls?: { readonly certificate: string; readonly ca: string };
  readonly namespace?: Namespace;
}

/** One of baresip's own events, such as `CALL_ESTABLISHED` or `CALL_CLOSED`. */
export interface BaresipEvent {
  readonly type: string;
  readonly peerUri: string | undefined;
  /** For a closed call the reason, for a DTMF event the key. */
  readonly param: string | undefined;
}

/**
 * A baresip with a configuration folder of its own, driven over its control socket. It accepts any
 * request-URI with its user, needs no registrar, and records both directions of each call.
 */
export class Baresip {
  readonly uri: string;
  readonly process: LoggedProcess;
  readonly events: BaresipEvent[] = [];
  readonly #folder: string;
  readonly #control: Control;

  static async start(options: BaresipOptions): Promise<Baresip> {
    const folder = await mkdtemp(join(tmpdir(), "sidetone-baresip-"));
    await mkdir(join(folder, "audio"));
    await writeFile(join(folder, "config"), configuration(options, folder));
    await writeFile(join(folder, "accounts"), account(options));
    await writeFile(join(folder, SPEECH_FILE), speechFile(options));
    await writeFile(join(folder, CERTIFICATE_FILE), options.tls?.certificate ?? "");
    await writeFile(join(folder, AUTHORITY_FILE), options.tls?.ca ?? "");
    const { namespace } = options;
    const process = LoggedProcess.start({
      program: "baresip",
      args: ["-f", folder],
      ...(namespace === undefined ? {} : { namespace }),
    });
    try {
      await process.waitForOutput(/baresip is ready/, READY_LIMIT_MS);
      // It goes on without the port that it did not get.
      if (process.output.includes("Address already in use")) throw new Error(process.output);
      const control = await Control.open(options);
      return new Baresip(options, { process, folder, control });
    } catch (error) {
      await process.stop();
      await rm(folder, { recursive: true, force: true });
      throw error;
    }
  }

  private constructor(
    options: BaresipOptions,
    parts: { process: LoggedProcess; folder: string; control: Control },
  ) {
    this.uri = `sip:${options.user}@${options.address}:${options.sipPort}`;
    this.process = parts.process;
    this.#folder = parts.folder;
    this.#control = parts.control;
    this.#control.onMessage = (message) => {
      if (message["event"] !== true) return;
      this.events.push({
        type: String(message["type"]),
        peerUri: textOf(message["peeruri"]),
        param: textOf(message["param"]),
      });
    };
  }

  /** Gives a command of baresip's menu, such as `dial`, `accept`, `hangup`, `hold`. */
  command(name: string, params = ""): void {
    this.#control.send({ command: name, params });
  }

  dial(uri: string): void {
    this.command("dial", uri);
  }

  /** Presses keys in the current call. */
  press(keys: string): void {
    for (const key of keys) this.command("sndcode", key);
  }

  hangUp(): void {
    this.command("hangup");
  }

  /** Waits for the next event of a type that `waitForEvent` has not returned yet. */
  async waitForEvent(type: string, timeoutMs: number): Promise<BaresipEvent> {
    const find = (): number => this.events.findIndex((event) => event.type === type);
    const limit = AbortSignal.timeout(timeoutMs);
    while (find() < 0) {
      if (limit.aborted || !this.process.isRunning) throw this.#noEvent(type, timeoutMs);
      await delay(10);
    }
    const [event] = this.events.splice(find(), 1);
    if (event === undefined) throw this.#noEvent(type, timeoutMs);
    return event;
  }

  /**
   * The WAV files of what it heard, oldest call first, complete once the calls have ended. baresip
   * names them by the second: of calls that start within one second only one is kept.
   */
  async heard(): Promise<Uint8Array[]> {
    return this.#recordings(/-dec\.wav$/);
  }

  /** The WAV files of what it sent. */
  async sent(): Promise<Uint8Array[]> {
    return this.#recordings(/-enc\.wav$/);
  }

  /** Ends baresip and removes its folder; take the recordings before. */
  async stop(): Promise<void> {
    this.#control.close();
    await this.process.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #recordings(name: RegExp): Promise<Uint8Array[]> {
    const folder = join(this.#folder, "audio");
    const files = (await readdir(folder)).filter((file) => name.test(file)).toSorted();
    return Promise.all(files.map(async (file) => readFile(join(folder, file))));
  }

  #noEvent(type: string, timeoutMs: number): Error {
    const seen = this.events.map((event) => event.type).join(", ") || "none";
    return new Error(
      `baresip: no ${type} within ${timeoutMs} ms; events not asked for: ${seen}. ` +
        `The end of its output:\n${this.process.output.slice(-2000)}`,
    );
  }
}

/** The control connection: JSON in netstrings (`5:hello,`), events and answers mixed. */
class Control {
  onMessage: ((message: Record<string, unknown>) => void) | undefined;
  readonly #relay: ChildProcessWithoutNullStreams;
  #received: Buffer = Buffer.alloc(0);

  /** Connects and waits for a first answer: events go only to those who are connected. */
  static async open(options: BaresipOptions): Promise<Control> {
    const control = new Control(options);
    control.send({ command: "reginfo" });
    try {
      await once(control.#relay.stdout, "data", { signal: AbortSignal.timeout(READY_LIMIT_MS) });
      return control;
    } catch (error) {
      control.close();
      throw error;
    }
  }

  private constructor({ address, controlPort, namespace }: BaresipOptions) {
    const node = process.execPath;
    const args = ["--input-type=commonjs", "-e", RELAY, "relay", address, String(controlPort)];
    const command = namespace?.command(node, args) ?? { program: node, args };
    this.#relay = spawn(command.program, command.args);
    this.#relay.stdin.on("error", () => undefined);
    this.#relay.stdout.on("data", (data: Buffer) => this.#take(data));
  }

  send(message: Readonly<Record<string, string>>): void {
    const text = JSON.stringify(message);
    this.#relay.stdin.write(`${Buffer.byteLength(text)}:${text},`);
  }

  close(): void {
    this.#relay.kill();
  }

  #take(data: Buffer): void {
    this.#received = Buffer.concat([this.#received, data]);
    for (;;) {
      const colon = this.#received.indexOf(":");
      if (colon < 0) return;
      const end = colon + 1 + Number(this.#received.toString("latin1", 0, colon));
      if (this.#received.length <= end) return;
      const text = this.#received.toString("utf8", colon + 1, end);
      this.#received = this.#received.subarray(end + 1);
      this.onMessage?.(JSON.parse(text) as Record<string, unknown>);
    }
  }
}

/**
 * Joins a TCP connection to standard input and output, inside the namespace: a process cannot reach
 * a socket in another one. It ends when its standard input does, and so never outlives us.
 */
const RELAY = `
  const socket = require("node:net").connect(Number(process.argv[3]), process.argv[2]);
  process.stdin.pipe(socket).pipe(process.stdout);
  socket.on("error", (error) => { console.error(error.message); process.exit(1); });
`;

function configuration(options: BaresipOptions, folder: string): string {
  const { sampleRateHz = DEFAULT_SAMPLE_RATE_HZ, rtcpMux = false } = options;
  return [
    "poll_method epoll",
    // An address, not a device, so that its SDP names the address that it was told to use.
    `net_interface ${options.address}`,
    `sip_listen ${options.address}:${options.sipPort}`,
    ...(options.tls === undefined
      ? []
      : [
          `sip_certificate ${join(folder, CERTIFICATE_FILE)}`,
          `sip_cafile ${join(folder, AUTHORITY_FILE)}`,
          "sip_verify_server yes",
        ]),
    `call_max_calls ${options.callsMax ?? 4}`,
    "call_local_timeout 120",
    `audio_source aufile,${join(folder, SPEECH_FILE)}`,
    "audio_player aubridge,heard",
    // The tone played to a person while it rings; the file is not installed with the core package.
    "audio_alert aubridge,alert",
    `ausrc_srate ${sampleRateHz}`,
    `auplay_srate ${sampleRateHz}`,
    "ausrc_channels 1",
    "auplay_channels 1",
    "jitter_buffer_delay 2-10",
    `rtcp_mux ${rtcpMux ? "yes" : "no"}`,
    `snd_path ${join(folder, "audio")}`,
    `ctrl_tcp_listen ${options.address}:${options.controlPort}`,
    `module_path ${MODULE_FOLDER}`,
    ...modules(options).map((name) => `module ${name}.so`),
    ...APPLICATIONS.map((name) => `module_app ${name}.so`),
    "",
  ].join("\n");
}

function modules({ codecs = DEFAULT_CODECS, encryption }: BaresipOptions): string[] {
  const codecModules = new Set(codecs.map((codec) => CODECS[codec].module));
  const security = encryption === undefined ? [] : ["srtp"];
  // The accounts are read when their module is loaded: what they name must be there by then.
  return [...codecModules, ...security, ...MODULES, "account"];
}

function speechFile({
  speech,
  sampleRateHz = DEFAULT_SAMPLE_RATE_HZ,
}: Pick<BaresipOptions, "speech" | "sampleRateHz">): Uint8Array {
  const samples = new Int16Array(speech.length + SILENCE_AFTER_SECONDS * sampleRateHz);
  samples.set(speech);
  return encodeWav({ sampleRateHz, channels: [samples] });
}

function account({
  user,
  address,
  sipPort,
  answers,
  codecs = DEFAULT_CODECS,
  ptimeMs,
  encryption,
}: BaresipOptions): string {
  return [
    `<sip:${user}@${address}:${sipPort}>`,
    "regint=0",
    `answermode=${answers === "early" ? "early" : answers ? "auto" : "manual"}`,
    `audio_codecs=${codecs.map((codec) => CODECS[codec].name).join(",")}`,
    ...(ptimeMs === undefined ? [] : [`ptime=${ptimeMs}`]),
    ...(encryption === undefined ? [] : [`mediaenc=${encryption}`]),
  ]
    .join(";")
    .concat("\n");
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}
