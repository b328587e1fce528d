import { createEnvironment } from "../../../src/platform/index.ts";
import { LoggedProcess } from "./processes.ts";

const READY_LIMIT_MS = 5000;

/** A DNS server of this machine's own, with the records that a test gives it, and no others. */
export class Dnsmasq {
  /** As Node and Sidetone name a server. */
  readonly server: string;
  readonly #process: LoggedProcess;

  /** @param records options of dnsmasq: "--srv-host=…", "--naptr-record=…", "--host-record=…". */
  static async start(records: readonly string[]): Promise<Dnsmasq> {
    // The host chooses a port; nothing else asks for one on 127.0.0.1 in between.
    const { network } = createEnvironment();
    const socket = await network.bindDatagram({ address: "127.0.0.1", port: 0 });
    const { port } = socket.local;
    await socket.close();
    const args = [
      "--keep-in-foreground",
      "--conf-file=/dev/null",
      "--pid-file=",
      "--no-resolv",
      "--no-hosts",
      "--no-daemon",
      "--bind-interfaces",
      "--listen-address=127.0.0.1",
      `--port=${port}`,
      "--local=/example/",
      "--local-ttl=30",
      "--log-queries",
      ...records,
    ];
    const started = LoggedProcess.start({ program: "dnsmasq", args });
    await started.waitForOutput(/started, version/u, READY_LIMIT_MS);
    return new Dnsmasq(started, `127.0.0.1:${port}`);
  }

  private constructor(process: LoggedProcess, server: string) {
    this.#process = process;
    this.server = server;
  }

  /** What it was asked for so far: "SRV _sip._udp.pbx.example". */
  get questions(): readonly string[] {
    const found = this.#process.output.matchAll(/query\[(\w+)\] (\S+)/gu);
    return [...found].map(([, kind, name]) => `${kind} ${name}`);
  }

  async stop(): Promise<void> {
    await this.#process.stop();
  }
}
