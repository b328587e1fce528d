import {
  type DatagramSocket,
  isSidetoneError,
  type Network,
  type SidetoneError,
  type SocketAddress,
  type StreamConnection,
  type StreamListener,
  type TlsServerOptions,
} from "../environment/index.ts";
import {
  bindingsOf,
  type ListeningTransport,
  type SipBinding,
  type SipSettings,
} from "./sip-settings.ts";

/** A socket or listener that stands. */
export interface OpenBinding {
  readonly transport: ListeningTransport;
  readonly local: SocketAddress;
  readonly socket?: DatagramSocket;
  readonly listener?: StreamListener;
}

/** Whom listeners tell; set once the endpoint stands. */
export interface ListenerSink {
  onConnection(connection: StreamConnection, transport: "tcp" | "tls"): void;
  onRefused(error: SidetoneError): void;
}

/** Everything that an endpoint listens on. */
export interface SipBindings {
  readonly all: readonly OpenBinding[];
  /** Receives what listeners accept; connections before it is set are dropped. */
  sink: ListenerSink | undefined;
}

/** What a bound UDP socket is used through. */
export type SocketView = (socket: DatagramSocket) => DatagramSocket;

/** How often another port is tried where UDP has it free and TCP has not. */
const PORT_ATTEMPTS = 16;

/**
 * Binds what the settings ask for.
 * @throws EnvironmentError ERR_PORT_IN_USE and its like; UsageError ERR_SIP_TRANSPORT,
 *   ERR_TLS_MATERIAL.
 */
export async function openBindings(
  network: Network,
  settings: SipSettings,
  local: SocketAddress,
  through: SocketView = (socket) => socket,
): Promise<SipBindings> {
  const plan = bindingsOf(settings, local);
  const bindings: SipBindings = { all: [], sink: undefined };
  const open = (binding: SipBinding): Promise<OpenBinding> =>
    openBinding(binding, { network, settings, bindings, through });
  const all =
    settings.listen === undefined ? await openPair(plan, open) : await openAll(plan, open);
  return Object.assign(bindings, { all });
}

type Opener = (binding: SipBinding) => Promise<OpenBinding>;

/** UDP and TCP on one port; where the host chooses it, it is one that both have free. */
async function openPair(plan: readonly SipBinding[], open: Opener): Promise<OpenBinding[]> {
  const [first, second] = plan;
  if (first === undefined || second === undefined) return openAll(plan, open);
  for (let attempt = 1; ; attempt += 1) {
    // One port after the other: each may turn out to be taken.
    // oxlint-disable-next-line no-await-in-loop
    const opened = await open(first);
    try {
      // oxlint-disable-next-line no-await-in-loop
      return [opened, await open({ ...second, port: opened.local.port })];
    } catch (error) {
      // oxlint-disable-next-line no-await-in-loop
      await closeBinding(opened);
      const isTaken = isSidetoneError(error) && error.code === "ERR_PORT_IN_USE";
      if (!isTaken || first.port !== 0 || attempt === PORT_ATTEMPTS) throw error;
    }
  }
}

async function openAll(plan: readonly SipBinding[], open: Opener): Promise<OpenBinding[]> {
  const results = await Promise.allSettled(plan.map(open));
  const opened = results.flatMap((each) => (each.status === "fulfilled" ? [each.value] : []));
  const failed = results.find((each) => each.status === "rejected");
  if (failed === undefined) return opened;
  await Promise.all(opened.map(closeBinding));
  throw failed.reason;
}

async function openBinding(
  { transport, address, port }: SipBinding,
  {
    network,
    settings,
    bindings,
    through,
  }: {
    readonly network: Network;
    readonly settings: SipSettings;
    readonly bindings: SipBindings;
    readonly through: SocketView;
  },
): Promise<OpenBinding> {
  const local = { address, port };
  if (transport === "udp") {
    const socket = through(await network.bindDatagram(local));
    return { transport, local: socket.local, socket };
  }
  const listener = await network.listenStream(local, {
    ...(transport === "tls" ? { tls: serverOptions(settings) } : {}),
    onConnection: (connection) => {
      if (bindings.sink === undefined) connection.terminate();
      else bindings.sink.onConnection(connection, transport);
    },
    onRefused: (error) => bindings.sink?.onRefused(error),
  });
  return { transport, local: listener.local, listener };
}

/** Stops listening; sockets are closed by their channels. */
export async function closeBinding({ socket, listener }: OpenBinding): Promise<void> {
  await listener?.close();
  await socket?.close();
}

function serverOptions({ tls = {} }: SipSettings): TlsServerOptions {
  const { ca, certificate, key, requiresClientCertificate = false } = tls;
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(certificate === undefined ? {} : { certificate }),
    ...(key === undefined ? {} : { key }),
    requiresClientCertificate,
  };
}
