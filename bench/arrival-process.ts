/**
 * The independent receiver of `bench:media`: takes RTP of several senders, each at a port of its
 * own, and measures when it comes. Node has no kernel timestamps (SO_TIMESTAMP), so a packet's
 * time is that of its handler; packets stamped by their sender say by how much that is late.
 */
import { createSocket, type Socket } from "node:dgram";
import { quantile } from "../src/measure/index.ts";
import { parentProcessChannel } from "../src/platform/index.ts";
import { Arrivals, type Deviations } from "./media/arrivals.ts";

/** What the receiver is asked. */
export type ArrivalRequest =
  | { readonly type: "open"; readonly labels: readonly string[] }
  | { readonly type: "begin" }
  | { readonly type: "end" };

/** What it answers. */
export type ArrivalReply =
  | {
      readonly type: "opened";
      readonly ports: Readonly<Record<string, number>>;
      readonly stampPort: number;
    }
  | { readonly type: "begun" }
  | {
      readonly type: "ended";
      readonly deviations: Readonly<Record<string, Deviations>>;
      /** Its own delay: from another process's `send` to the handler here. */
      readonly ownDelayMs: { readonly p50: number; readonly p99: number };
    };

const RTP_BYTES_MIN = 12;
const BUFFER_BYTES = 4 << 20;

let windows = new Map<string, Arrivals>();
let ownDelaysMs: number[] = [];
const labels: string[] = [];

async function open(wanted: readonly string[]): Promise<ArrivalReply> {
  const ports: Record<string, number> = {};
  for (const label of wanted) {
    labels.push(label);
    const socket = await bind();
    socket.on("message", (data, from) => {
      const atMs = nowMs();
      if (data.length < RTP_BYTES_MIN) return;
      windows.get(label)?.add(`${from.port}/${data.readUInt32BE(8)}`, {
        atMs,
        timestamp: data.readUInt32BE(4),
        sequence: data.readUInt16BE(2),
      });
    });
    ports[label] = socket.address().port;
  }
  const stamped = await bind();
  stamped.on("message", (data) => ownDelaysMs.push(nowMs() - data.readDoubleBE(0)));
  return { type: "opened", ports, stampPort: stamped.address().port };
}

function begin(): ArrivalReply {
  windows = new Map(labels.map((label) => [label, new Arrivals()]));
  ownDelaysMs = [];
  return { type: "begun" };
}

function end(): ArrivalReply {
  const delays = ownDelaysMs.toSorted((a, b) => a - b);
  const entries = [...windows].map(([label, arrivals]) => [label, arrivals.deviations()] as const);
  windows = new Map();
  return {
    type: "ended",
    deviations: Object.fromEntries(entries),
    ownDelayMs: { p50: quantile(delays, 0.5), p99: quantile(delays, 0.99) },
  };
}

/** One clock for all processes of the host. */
function nowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** At an even port: the odd one above is for RTCP, which is not measured. */
async function bind(): Promise<Socket> {
  for (;;) {
    const socket = createSocket("udp4");
    await new Promise<void>((resolve) => {
      socket.bind(0, "127.0.0.1", resolve);
    });
    if (socket.address().port % 2 === 0) {
      socket.setRecvBufferSize(BUFFER_BYTES);
      return socket;
    }
    socket.close();
  }
}

const channel = parentProcessChannel();
channel.onMessage = (message) => {
  const request = message as ArrivalRequest;
  if (request.type === "open") void open(request.labels).then((reply) => channel.post(reply));
  else channel.post(request.type === "begin" ? begin() : end());
};
channel.onGone = () => process.exit();
