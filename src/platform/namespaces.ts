import { type ChildProcess, spawn } from "node:child_process";
import type { AddressInfo, Server, Socket } from "node:net";
import { constants, setPriority } from "node:os";
import { fileURLToPath } from "node:url";
import {
  type Clock,
  type ConnectOptions,
  EnvironmentError,
  type HostCommand,
  type MessageSocket,
  type NamespaceHost,
  type NetworkNamespace,
  type SidetoneError,
  type SocketAddress,
  type StreamConnection,
  type StreamHandlers,
  type StreamListener,
} from "../environment/index.ts";
import { listenError } from "./listen-error.ts";
import { NodeMessageSocket } from "./message-socket.ts";
import type { HolderFailure, HolderMessage, HolderRequest } from "./namespace-messages.ts";
import { NodeStreamConnection } from "./stream-connection.ts";
import { streamFailure, timedOut } from "./tls-failure.ts";

/** How long a holder may take to start: Node itself, on a busy machine. */
const START_LIMIT_MS = 20_000;
const CONNECT_LIMIT_MS = 10_000;
const COMPLAINT_CHARS_MAX = 4000;

interface Reply {
  readonly result: unknown;
  readonly handle: unknown;
}

interface Waiting {
  resolve(reply: Reply): void;
  reject(error: Error): void;
}

/** The failure of a verb, as the host gave it. */
class HolderError extends Error {
  readonly code: string;

  constructor({ code, message }: HolderFailure) {
    super(message);
    this.code = code;
  }
}

/** Makes network namespaces on this host; Linux only. */
export class NodeNamespaceHost implements NamespaceHost {
  readonly #clock: Clock;
  readonly #entry: URL;

  /** @param entry is the module of the holder, whose body is `serveNamespace`. */
  constructor(clock: Clock, entry: URL) {
    this.#clock = clock;
    this.#entry = entry;
  }

  async open(beside?: NetworkNamespace): Promise<NetworkNamespace> {
    if (process.platform !== "linux") {
      throw namespacesMissing([`this host runs ${process.platform}, and only Linux has them`]);
    }
    const refusals: string[] = [];
    for (const command of waysTo(beside)) {
      try {
        // One after the other: the second is for where the first is refused.
        // oxlint-disable-next-line no-await-in-loop
        return await NodeNamespace.start(command, this.#entry, {
          clock: this.#clock,
          // What begins takes a processor for a while, and these have no packets to carry.
          givesWay: beside !== undefined,
        });
      } catch (error) {
        refusals.push(`"${command.join(" ")}": ${(error as Error).message}`);
      }
    }
    throw namespacesMissing(refusals);
  }
}

/** Commands that become their argument in a new network namespace, the better one first. */
function waysTo(beside: NetworkNamespace | undefined): readonly (readonly string[])[] {
  const own = ["unshare", "--net"];
  if (beside instanceof NodeNamespace && beside.isOfUserNamespace) {
    const into = ["nsenter", `--target=${beside.pid}`, "--user", "--preserve-credentials"];
    return [[...into, ...own]];
  }
  const inUserNamespace = ["unshare", "--user", "--map-root-user", "--net"];
  if (beside !== undefined) return [own];
  return process.getuid?.() === 0 ? [own, inUserNamespace] : [inUserNamespace];
}

class NodeNamespace implements NetworkNamespace {
  onGone: ((error: SidetoneError) => void) | undefined;
  onEvent: ((event: unknown) => void) | undefined;
  readonly pid: number;
  readonly isOfUserNamespace: boolean;
  readonly #child: ChildProcess;
  readonly #clock: Clock;
  readonly #waiting = new Map<number, Waiting>();
  /** What ends what was made here. */
  readonly #made = new Set<() => void>();
  #asked = 0;
  #isClosed = false;

  static start(
    command: readonly string[],
    entry: URL,
    { clock, givesWay }: { readonly clock: Clock; readonly givesWay: boolean },
  ): Promise<NodeNamespace> {
    const [program = "", ...before] = command;
    const args = [...before, process.execPath, fileURLToPath(entry)];
    // A session of its own: Ctrl-C is for us, who then end it.
    const child = spawn(program, args, {
      stdio: ["ignore", "ignore", "pipe", "ipc"],
      detached: true,
    });
    if (givesWay && child.pid !== undefined) letGiveWay(child.pid);
    let complaint = "";
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      complaint = (complaint + text).slice(-COMPLAINT_CHARS_MAX);
    });
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        clearTimeout(timer);
        child.off("error", failed).off("close", ended).off("message", ready);
      };
      const fail = (why: string): void => {
        settle();
        child.on("error", () => {});
        child.kill("SIGKILL");
        reject(new Error(complaint.trim() || why));
      };
      const failed = (error: Error): void => fail(error.message);
      const ended = (code: number | null): void => fail(`ended with ${code}`);
      const ready = (): void => {
        settle();
        resolve(new NodeNamespace(child, command.includes("--user"), clock));
      };
      const timer = setTimeout(() => fail("did not start in time"), START_LIMIT_MS);
      child.on("error", failed).on("close", ended).on("message", ready);
    });
  }

  private constructor(child: ChildProcess, isOfUserNamespace: boolean, clock: Clock) {
    this.#child = child;
    this.#clock = clock;
    this.pid = child.pid ?? 0;
    this.isOfUserNamespace = isOfUserNamespace;
    child.on("message", (message, handle) => this.#hear(message as HolderMessage, handle));
    child.on("error", () => {});
    child.on("exit", (code, signal) => this.#gone(String(code ?? signal)));
  }

  async run(command: HostCommand): Promise<string> {
    try {
      return (await this.ask("run", command)) as string;
    } catch (error) {
      throw commandFailed(command, error);
    }
  }

  async read(path: string): Promise<string> {
    try {
      return (await this.ask("read", path)) as string;
    } catch (error) {
      throw commandFailed({ program: "cat", args: [path] }, error);
    }
  }

  async ask(verb: string, argument: unknown): Promise<unknown> {
    return (await this.#ask(verb, argument)).result;
  }

  tell(verb: string, argument: unknown): void {
    if (this.#child.connected) this.#child.send({ verb, argument } satisfies HolderRequest);
  }

  async connectStream(remote: SocketAddress, timeoutMs: number): Promise<StreamConnection> {
    return new NodeStreamConnection(await this.#connect(remote, timeoutMs), this.#clock);
  }

  async listenStream(
    local: SocketAddress,
    { onConnection }: Pick<StreamHandlers, "onConnection">,
  ): Promise<StreamListener> {
    const { result, handle } = await this.#ask("listen", local).catch((error: unknown) => {
      throw error instanceof HolderError ? listenError(error, "TCP", local) : error;
    });
    const server = handle as Server;
    server.on("connection", (socket) => {
      this.#own(socket);
      onConnection(new NodeStreamConnection(socket, this.#clock));
    });
    server.on("error", () => {});
    const end = (): void => {
      this.#made.delete(end);
      server.close();
    };
    this.#made.add(end);
    const { address, port } = result as AddressInfo;
    return {
      local: { address, port },
      close: () => {
        end();
        return Promise.resolve();
      },
    };
  }

  connectMessages(url: string, remote: SocketAddress, options: ConnectOptions = {}): MessageSocket {
    const timeoutMs = options.handshakeTimeoutMs ?? CONNECT_LIMIT_MS;
    const open = (): Promise<Socket> => this.#connect(remote, timeoutMs);
    return NodeMessageSocket.connectOver(open, url, this.#clock, options);
  }

  close(): Promise<void> {
    this.#isClosed = true;
    for (const end of this.#made) end();
    const child = this.#child;
    if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
    return new Promise((resolve) => {
      child.once("exit", () => resolve());
      child.kill("SIGKILL");
    });
  }

  async #connect(remote: SocketAddress, timeoutMs: number): Promise<Socket> {
    let timer: NodeJS.Timeout | undefined;
    const limit = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(timedOut(`${remote.address}:${remote.port}`)), timeoutMs);
    });
    const asked = this.#ask("connect", remote).then(({ handle }) => handle as Socket);
    try {
      return this.#own(await Promise.race([asked, limit]));
    } catch (error) {
      // It may still come; nobody wants it then.
      asked.then(
        (socket) => socket.destroy(),
        () => {},
      );
      throw error instanceof HolderError ? streamFailure(error, remote) : error;
    } finally {
      clearTimeout(timer);
    }
  }

  #own(socket: Socket): Socket {
    const end = (): void => {
      socket.destroy();
    };
    this.#made.add(end);
    socket.once("close", () => this.#made.delete(end));
    return socket;
  }

  #ask(verb: string, argument: unknown): Promise<Reply> {
    if (!this.#child.connected) {
      return Promise.reject(holderGone("its channel is closed"));
    }
    this.#asked += 1;
    const id = this.#asked;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#child.send({ id, verb, argument } satisfies HolderRequest);
    });
  }

  #hear(message: HolderMessage, handle: unknown): void {
    if (message.kind === "ready") return;
    if (message.kind === "event") return this.onEvent?.(message.event);
    const waiting = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if (message.kind === "result") waiting?.resolve({ result: message.result, handle });
    else waiting?.reject(new HolderError(message.failure));
  }

  #gone(status: string): void {
    for (const waiting of this.#waiting.values()) {
      waiting.reject(holderGone(status));
    }
    this.#waiting.clear();
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.onGone?.(holderGone(status));
  }
}

function letGiveWay(pid: number): void {
  try {
    setPriority(pid, constants.priority.PRIORITY_LOW);
  } catch {
    // It has ended already, which is told by its exit.
  }
}

function holderGone(status: string): EnvironmentError {
  return new EnvironmentError(
    "ERR_NAMESPACE_GONE",
    `The process that held a network namespace has ended (${status}), and what was connected ` +
      "through it with it. Did somebody end it, or was there no memory left?",
    { context: { status } },
  );
}

function namespacesMissing(refusals: readonly string[]): EnvironmentError {
  return new EnvironmentError(
    "ERR_NAMESPACES",
    `No network namespace can be made here. Tried: ${refusals.join("; ")}. Run as root (with ` +
      "CAP_SYS_ADMIN and CAP_NET_ADMIN), or allow unprivileged user namespaces; or use the " +
      "modelled TCP (tcp-modelled), which needs neither.",
    { context: { refusals } },
  );
}

const PACKAGES: Readonly<Record<string, string>> = {
  ip: "iproute2",
  tc: "iproute2",
  ss: "iproute2",
  nft: "nftables",
  ethtool: "ethtool",
};

function commandFailed({ program, args }: HostCommand, cause: unknown): unknown {
  if (!(cause instanceof HolderError)) return cause;
  if (cause.code === "ENOENT" && program !== "cat") {
    const name = PACKAGES[program] ?? program;
    return new EnvironmentError(
      "ERR_NAMESPACE_TOOL",
      `There is no "${program}" on this host. Install it (Debian: package ${name}); or use the ` +
        "modelled TCP (tcp-modelled), which needs nothing of the host.",
      { context: { program }, cause },
    );
  }
  return new EnvironmentError(
    "ERR_NAMESPACE_COMMAND",
    `"${[program, ...args].join(" ")}" failed in a network namespace of ours: ` +
      `${cause.message || cause.code}. The kernel may lack what it asks for; the modelled TCP ` +
      "(tcp-modelled) needs nothing of it.",
    { context: { program, code: cause.code }, cause },
  );
}
