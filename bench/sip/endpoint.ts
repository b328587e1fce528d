/** The endpoint of `endpoint-process.ts` from outside: for the benchmark and the interop suite. */
import type { SocketAddress } from "../../src/environment/index.ts";
import { compiledModule, type ProcessChannel, startProcess } from "../../src/platform/index.ts";
import type { EndpointReport, EndpointRequest } from "./endpoint-process.ts";

/** A SIP endpoint in a process of its own. */
export class BenchEndpoint {
  readonly local: SocketAddress;
  readonly #process: ProcessChannel;

  static async start(): Promise<BenchEndpoint> {
    const process = startProcess(compiledModule("bench/sip/endpoint-process.js"));
    const { local } = await nextMessage<{ local: SocketAddress }>(process);
    return new BenchEndpoint(process, local);
  }

  private constructor(process: ProcessChannel, local: SocketAddress) {
    this.#process = process;
    this.local = local;
  }

  /** Resolves when all calls that the request is about have ended. */
  run(request: Exclude<EndpointRequest, { type: "close" }>): Promise<EndpointReport> {
    this.#process.post(request);
    return nextMessage<EndpointReport>(this.#process);
  }

  close(): void {
    this.#process.post({ type: "close" } satisfies EndpointRequest);
  }
}

function nextMessage<T>(process: ProcessChannel): Promise<T> {
  return new Promise((resolve, reject) => {
    process.onMessage = (message) => resolve(message as T);
    process.onGone = () => reject(new Error("The endpoint's process ended."));
  });
}
