import { vi } from "vitest";
import {
  type Clock,
  type DatagramSocket,
  type Instant,
  instant,
  type Logger,
  type Random,
  SILENT_LOGGER,
  type SocketAddress,
  seededRandom,
} from "../../../src/environment/index.ts";
import { NodeCryptography } from "../../../src/platform/index.ts";
import {
  type Negotiator,
  type SipCall,
  type SipCallEvent,
  SipEndpoint,
  type SipEndpointOptions,
  type SipTrace,
} from "../../../src/sip/index.ts";
import { VirtualNetwork, type VirtualNetworkOptions } from "../../../src/testing/index.ts";

/** One time for sip.js's own timers and for ours: Vitest's fake timers drive both. */
export class FakeTimerClock implements Clock {
  now(): Instant {
    return instant(globalThis.performance.now());
  }

  wallClockMs(): number {
    return 1_750_000_000_000 + this.now();
  }

  setTimer(dueAt: Instant, handler: () => void): { cancel(): void } {
    const handle = globalThis.setTimeout(handler, Math.max(0, Math.ceil(dueAt - this.now())));
    return { cancel: () => globalThis.clearTimeout(handle) };
  }
}

/** Remembers what it was asked; "offer-1", "answer to …" stand for descriptions. */
export class FakeNegotiator implements Negotiator {
  readonly steps: string[] = [];
  /** Thrown by the next step that takes a remote description. */
  refuseWith: Error | undefined;
  #offers = 0;

  createOffer(): string {
    this.#offers += 1;
    this.steps.push("createOffer");
    return `v=0\r\ns=offer-${this.#offers}\r\n`;
  }

  acceptOffer(offer: string): string {
    this.#refuse();
    this.steps.push(`acceptOffer ${nameIn(offer)}`);
    return `v=0\r\ns=answer-to-${nameIn(offer)}\r\n`;
  }

  acceptAnswer(answer: string): void {
    this.#refuse();
    this.steps.push(`acceptAnswer ${nameIn(answer)}`);
  }

  withdrawOffer(): void {
    this.steps.push("withdrawOffer");
  }

  /** What it was asked last stands for its state. */
  save(): string {
    return this.steps.at(-1) ?? "";
  }

  restore(saved: unknown): void {
    this.steps.push(`restore ${String(saved)}`);
  }

  #refuse(): void {
    if (this.refuseWith !== undefined) throw this.refuseWith;
  }
}

function nameIn(description: string): string {
  return /s=(\S+)/.exec(description)?.[1] ?? "?";
}

/** Endpoints on one virtual network. Use `openLab` and, in the end, `closeLab`. */
export class SipLab {
  readonly clock: FakeTimerClock = new FakeTimerClock();
  readonly network: VirtualNetwork;
  readonly traces: SipTrace[] = [];
  readonly logged: string[] = [];
  readonly #random: Random;
  readonly #endpoints: SipEndpoint[] = [];

  constructor(options: Partial<VirtualNetworkOptions> = {}) {
    const random = seededRandom("network");
    this.#random = seededRandom("endpoints");
    this.network = new VirtualNetwork({ clock: this.clock, random, ...options });
  }

  /** An endpoint at 192.0.2.`host`:5060. */
  async endpoint(
    host: number,
    user: string,
    options: Partial<SipEndpointOptions> = {},
  ): Promise<SipEndpoint> {
    const endpoint = await SipEndpoint.open({
      clock: this.clock,
      random: this.#random,
      logger: this.#logger(),
      network: this.network,
      cryptography: new NodeCryptography(this.#random),
      local: addressOf(host),
      user,
      userAgent: "Sidetone-Test",
      allow: ["*"],
      onTrace: (trace) => this.traces.push(trace),
      ...options,
    });
    this.#endpoints.push(endpoint);
    return endpoint;
  }

  async peer(host: number): Promise<RawPeer> {
    return new RawPeer(await this.network.bindDatagram(addressOf(host)));
  }

  /** Lets time pass for everything. */
  async advance(ms: number): Promise<void> {
    await vi.advanceTimersByTimeAsync(ms);
  }

  /** Start lines that crossed the socket of 192.0.2.`host`, in order: "> INVITE", "< 200 INVITE". */
  flow(host: number): string[] {
    const local = `192.0.2.${host}:5060`;
    return this.traces.filter((trace) => trace.local === local).map(flowStep);
  }

  async close(): Promise<void> {
    const closing = Promise.all(this.#endpoints.map((endpoint) => endpoint.close()));
    await this.advance(2500);
    await closing;
  }

  #logger(): Logger {
    const note = (message: string, fields?: object): void => {
      this.logged.push(`${message} ${JSON.stringify(fields ?? {})}`);
    };
    return { ...SILENT_LOGGER, warn: note, error: note };
  }
}

function flowStep(trace: SipTrace): string {
  const arrow = trace.direction === "sent" ? ">" : "<";
  const status = trace.statusCode === undefined ? "" : `${trace.statusCode} `;
  const again = trace.retransmission ? " (again)" : "";
  return `${arrow} ${status}${trace.method}${again}`;
}

function addressOf(host: number): SocketAddress {
  return { address: `192.0.2.${host}`, port: 5060 };
}

/** Collects the events of a call from now on. */
export function eventsOf(call: SipCall): SipCallEvent[] {
  const events: SipCallEvent[] = [];
  call.onEvent = (event) => events.push(event);
  return events;
}

/** "ringing 180", "answered 200", "ended local bye": what a test reads most easily. */
export function briefly(events: readonly SipCallEvent[]): string[] {
  return events.map((event) => {
    const status = event.statusCode === undefined ? "" : ` ${event.statusCode}`;
    if (event.type !== "ended") return `${event.type}${status}`;
    return `ended ${event.endedBy} ${event.reason}${status}`;
  });
}

/** A peer that says exactly what a test wants, right or wrong. */
export class RawPeer {
  readonly received: { text: string; from: SocketAddress; at: Instant }[] = [];
  /** Called for each message. */
  onMessage: ((text: string, from: SocketAddress) => void) | undefined;
  readonly #socket: DatagramSocket;

  constructor(socket: DatagramSocket) {
    this.#socket = socket;
    socket.onDatagram = (data, from, at) => {
      const text = new TextDecoder().decode(data);
      this.received.push({ text, from, at });
      this.onMessage?.(text, from);
    };
  }

  send(text: string, host: number): void {
    this.#socket.send(new TextEncoder().encode(text), addressOf(host));
  }

  close(): Promise<void> {
    return this.#socket.close();
  }

  /** The messages whose start line contains `part`. */
  withStart(part: string): string[] {
    return this.received
      .map((each) => each.text)
      .filter((text) => text.slice(0, text.indexOf("\r\n")).includes(part));
  }
}

/** Header lines and body of a message that a raw peer makes. */
export interface RawMessage {
  readonly headers?: readonly string[];
  readonly body?: string;
}

/** A response to a request that was received as `request`. */
export function responseTo(
  request: string,
  status: string,
  { toTag, headers = [], body }: RawMessage & { readonly toTag?: string } = {},
): string {
  const lines = request.split("\r\n");
  const copied = lines.filter((line) => /^(?:Via|From|Call-ID|CSeq|Record-Route):/i.test(line));
  const to = lines.find((line) => line.startsWith("To:")) ?? "";
  const tagged = toTag === undefined || to.includes(";tag=") ? to : `${to};tag=${toTag}`;
  return compose([`SIP/2.0 ${status}`, ...copied, tagged, ...headers], body);
}

/** A request from 192.0.2.`host` to bot@192.0.2.2. */
export function rawRequest(
  method: string,
  {
    host = 9,
    cseq = 1,
    branch = `z9hG4bK${method}${cseq}`,
    callId = "raw-call",
    toTag,
    uri = "sip:bot@192.0.2.2:5060",
    cseqMethod = method,
    headers = [],
    body,
  }: RawMessage & {
    readonly host?: number;
    readonly cseq?: number;
    readonly branch?: string;
    readonly callId?: string;
    readonly toTag?: string | undefined;
    readonly uri?: string;
    readonly cseqMethod?: string;
  } = {},
): string {
  const tag = toTag === undefined ? "" : `;tag=${toTag}`;
  return compose(
    [
      `${method} ${uri} SIP/2.0`,
      `Via: SIP/2.0/UDP 192.0.2.${host}:5060;branch=${branch};rport`,
      `From: "Raw" <sip:raw@192.0.2.${host}>;tag=rawtag`,
      `To: <sip:bot@192.0.2.2>${tag}`,
      `Call-ID: ${callId}`,
      `CSeq: ${cseq} ${cseqMethod}`,
      "Max-Forwards: 70",
      ...headers,
    ],
    body,
  );
}

export const RAW_CONTACT = "Contact: <sip:raw@192.0.2.9:5060>";
export const SDP_TYPE = "Content-Type: application/sdp";
export const RAW_SDP = "v=0\r\ns=raw\r\n";

function compose(lines: readonly string[], body = ""): string {
  return [...lines, `Content-Length: ${new TextEncoder().encode(body).length}`, "", body].join(
    "\r\n",
  );
}

/** A header's value in a message. */
export function headerIn(message: string, name: string): string | undefined {
  return new RegExp(`^${name}:[ \\t]*(.*)$`, "im").exec(message.replaceAll("\r", ""))?.[1];
}

/** The To tag in a message. */
export function toTagIn(message: string): string | undefined {
  return /;tag=([^;\s]+)/.exec(headerIn(message, "To") ?? "")?.[1];
}

export const LIVE_NOTHING = {
  calls: 0,
  dialogs: 0,
  transactions: 0,
  retransmissions: 0,
  connections: 0,
};
