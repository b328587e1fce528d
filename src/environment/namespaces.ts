import type { SidetoneError } from "./errors.ts";
import type { SocketAddress } from "./socket-address.ts";
import type { ConnectOptions, MessageSocket } from "./sockets.ts";
import type { StreamConnection, StreamHandlers, StreamListener } from "./streams.ts";

/** A program of the host that is run to its end, in a namespace. */
export interface HostCommand {
  readonly program: string;
  readonly args: readonly string[];
  /** What it reads from its standard input. */
  readonly input?: string;
}

/**
 * A network namespace of our own: interfaces, addresses, routes and rules that nobody else sees. It
 * has no name; a process of ours holds it, and it vanishes with that process, however that ends.
 *
 * A socket belongs to the namespace in which it was made, whoever holds it. The holder makes them
 * and hands them over, so that nothing lies between us and the kernel's own TCP.
 */
export interface NetworkNamespace {
  /** The holder's, by which `ip link … netns PID` finds the namespace. */
  readonly pid: number;
  /** Called once where the holder has ended without `close`. */
  onGone: ((error: SidetoneError) => void) | undefined;
  /** Called for what the holder tells by itself. */
  onEvent: ((event: unknown) => void) | undefined;
  /**
   * Runs a program inside; resolves with what it wrote.
   * @throws EnvironmentError ERR_NAMESPACE_TOOL where there is no such program,
   *   ERR_NAMESPACE_COMMAND where it failed, with its own words; ERR_NAMESPACE_GONE as `ask`.
   */
  run(command: HostCommand): Promise<string>;
  /**
   * Reads a file as it is seen inside, such as `/proc/net/netstat`.
   * @throws EnvironmentError ERR_NAMESPACE_COMMAND where it is not there.
   */
  read(path: string): Promise<string>;
  /**
   * Asks the holder for what the program in it can do beside this.
   * @throws EnvironmentError ERR_NAMESPACE_GONE where the holder has ended.
   */
  ask(verb: string, argument: unknown): Promise<unknown>;
  /** The same without an answer, at half the cost; where the holder has ended, `onGone` tells. */
  tell(verb: string, argument: unknown): void;
  /** Opens a TCP connection from inside; errors as `Network.connectStream`. */
  connectStream(remote: SocketAddress, timeoutMs: number): Promise<StreamConnection>;
  /** Listens inside; errors as `Network.listenStream`. Without TLS. */
  listenStream(
    local: SocketAddress,
    handlers: Pick<StreamHandlers, "onConnection">,
  ): Promise<StreamListener>;
  /** Opens a WebSocket from inside to `remote`, whatever host the URL names: a way to that host. */
  connectMessages(url: string, remote: SocketAddress, options?: ConnectOptions): MessageSocket;
  /** Ends the holder and, with it, the namespace and all sockets that were made in it. */
  close(): Promise<void>;
}

/** Makes network namespaces: as root, or in an unprivileged user namespace where that is allowed. */
export interface NamespaceHost {
  /**
   * @param beside of whose user namespace it shall be, so that one can give interfaces to the other.
   * @throws EnvironmentError ERR_NAMESPACES with what was tried.
   */
  open(beside?: NetworkNamespace): Promise<NetworkNamespace>;
}
