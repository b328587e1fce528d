/** This side of the independent receiver (`arrival-process.ts`). */
import { createSocket } from "node:dgram";
import { compiledModule, type ProcessChannel, startProcess } from "../../src/platform/index.ts";
import type { ArrivalReply, ArrivalRequest } from "../arrival-process.ts";

const STAMP_INTERVAL_MS = 7;

/** What a window showed. */
export type Window = Extract<ArrivalReply, { readonly type: "ended" }>;

/** Measures when RTP comes, in a process of its own. */
export class Receiver {
  readonly ports: Readonly<Record<string, number>>;
  readonly #process: ProcessChannel;
  readonly #stampPort: number;

  /** One port for each label. */
  static async open(labels: readonly string[]): Promise<Receiver> {
    const process = startProcess(compiledModule("bench/arrival-process.js"));
    const reply = await ask(process, { type: "open", labels });
    if (reply.type !== "opened") throw new Error("The receiver did not open.");
    return new Receiver(process, reply);
  }

  private constructor(
    process: ProcessChannel,
    { ports, stampPort }: Extract<ArrivalReply, { readonly type: "opened" }>,
  ) {
    this.#process = process;
    this.ports = ports;
    this.#stampPort = stampPort;
  }

  /** Measures while `work` goes on. */
  async measure(work: () => Promise<void>): Promise<Window> {
    const socket = createSocket("udp4");
    const stamp = Buffer.alloc(8);
    await ask(this.#process, { type: "begin" });
    const timer = setInterval(() => {
      stamp.writeDoubleBE(Number(process.hrtime.bigint()) / 1e6);
      socket.send(Buffer.from(stamp), this.#stampPort, "127.0.0.1");
    }, STAMP_INTERVAL_MS);
    await work();
    clearInterval(timer);
    const reply = await ask(this.#process, { type: "end" });
    socket.close();
    if (reply.type !== "ended") throw new Error("The receiver did not end its window.");
    return reply;
  }

  close(): Promise<void> {
    return this.#process.terminate();
  }
}

function ask(process: ProcessChannel, request: ArrivalRequest): Promise<ArrivalReply> {
  return new Promise((resolve, reject) => {
    process.onMessage = (reply) => resolve(reply as ArrivalReply);
    process.onGone = () => reject(new Error("The receiver's process has ended."));
    process.post(request);
  });
}
