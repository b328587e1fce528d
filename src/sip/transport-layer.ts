import { type Transport, TransportError } from "sip.js/lib/core/index.js";
import {
  type Clock,
  errorText,
  type Instant,
  type Logger,
  type Network,
  type Random,
  randomToken,
  type SidetoneError,
  type SocketAddress,
} from "../environment/index.ts";
import type { Channel, ChannelEvents, Crossing, OutgoingMessage } from "./channel.ts";
import { ClientRoutes, type Route } from "./client-routes.ts";
import type { FaultPump } from "./fault-pump.ts";
import type { Via } from "./header-grammar.ts";
import { LargeRequests } from "./large-requests.ts";
import type { Target, TargetLocator } from "./locate.ts";
import { type MessagePeek, peekMessage } from "./message-peek.ts";
import { type LocalIdentity, type MessageStamp, takeFlow } from "./message-stamp.ts";
import { MessageTracer } from "./message-tracer.ts";
import { nextHopOf } from "./next-hop.ts";
import { RouteFinder } from "./route-finder.ts";
import { closeBinding, type SipBindings } from "./sip-bindings.ts";
import { SipConnections } from "./sip-connections.ts";
import type { SipSettings } from "./sip-settings.ts";
import type { SipTrace } from "./sip-trace.ts";
import { hostPortText } from "./sip-uri.ts";
import { noNextHop, notServed, resolveFailure } from "./transport-failures.ts";
import { type SipTransport, transportTraits } from "./transport-name.ts";
import { UdpChannel } from "./udp-channel.ts";

/** What the transport layer needs, and whom it tells. */
export interface TransportLayerOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly network: Network;
  readonly bindings: SipBindings;
  readonly settings: SipSettings;
  /** Our address towards peers where nothing is bound that says it. */
  readonly address: string;
  readonly stamp: MessageStamp;
  readonly locator: TargetLocator;
  /** Only what is bound may be used: no connections are opened. */
  readonly isUdpOnly: boolean;
  /** What a scenario wants to go wrong. */
  readonly faults: FaultPump;
  readonly onTrace: ((trace: SipTrace) => void) | undefined;
  /** A message came; `crossing.bytes` is only valid during the call. It must not throw. */
  readonly onMessage: (crossing: Crossing) => void;
  /** A request of this call could not be sent, for the reason given. */
  readonly onSendFailed: (callId: string, error: SidetoneError) => void;
  /** Whether a call or registration with this Call-ID lives: its connections are kept. */
  readonly isLive: (callId: string) => boolean;
}

/**
 * SIP over UDP, TCP, TLS and WebSocket (RFC 3261 §18, RFC 7118) for sip.js: finds out where each
 * message goes and how, makes it say so, and traces everything that crosses a socket.
 */
export class TransportLayer implements Transport {
  /** What sip.js writes into Via; `MessageStamp` replaces it when the message leaves. */
  readonly protocol = "UDP";
  readonly #options: TransportLayerOptions;
  readonly #finder: RouteFinder;
  readonly #tracer: MessageTracer;
  readonly #routes = new ClientRoutes();
  readonly #udp = new Map<number, UdpChannel>();
  readonly #connections: SipConnections;
  readonly #largeRequests: LargeRequests;
  #channelCount = 0;
  #invalidName: string | undefined;
  #isClosed = false;
  #arrivedAt: Instant | undefined;
  #lastSentAt: Instant | undefined;
  #sentCount = 0;

  constructor(options: TransportLayerOptions) {
    this.#options = options;
    const { bindings, locator } = options;
    const addresses = [...new Set(bindings.all.map(({ local }) => local.address))];
    this.#finder = new RouteFinder(
      locator,
      options,
      addresses.length === 0 ? [options.address] : addresses,
    );
    this.#tracer = new MessageTracer(options.onTrace);
    const { clock, isUdpOnly, settings } = options;
    const mayUseTcp = !isUdpOnly && settings.largeRequests !== "udp";
    this.#largeRequests = new LargeRequests(clock, mayUseTcp);
    const events = this.#channelEvents();
    const nextId = (): number => {
      this.#channelCount += 1;
      return this.#channelCount;
    };
    for (const { socket } of bindings.all) {
      if (socket === undefined) continue;
      const channel = new UdpChannel({ ...options, id: nextId(), socket, events });
      this.#udp.set(channel.id, channel);
    }
    this.#connections = new SipConnections({
      ...options,
      events,
      nextId,
      identityOf: (transport, local) => this.#identityOf(transport, local),
    });
    bindings.sink = {
      onConnection: (connection, transport) => this.#connections.accept(connection, transport),
      onRefused: ({ code }) => options.logger.warn("A TLS client was refused.", { code }),
    };
  }

  /** Messages that may still have to be repeated. */
  get retransmissionCount(): number {
    return [...this.#udp.values()].reduce((sum, each) => sum + each.retransmissionCount, 0);
  }

  /** Connections that are open or being opened. */
  get connectionCount(): number {
    return this.#connections.size;
  }

  /** Connections that were closed because what came was no SIP. */
  get garbageCount(): number {
    return this.#connections.garbageCount;
  }

  /** The arrival of the message that is being handled, else the present. */
  get messageInstant(): Instant {
    return this.#arrivedAt ?? this.#options.clock.now();
  }

  /** Runs `action`, which sends a message, and returns when the last one left the socket. */
  sentAt(action: () => void): Instant {
    const sentBefore = this.#sentCount;
    action();
    const wasSent = this.#sentCount > sentBefore && this.#lastSentAt !== undefined;
    return wasSent ? (this.#lastSentAt as Instant) : this.#options.clock.now();
  }

  /** RFC 3261 §18.1.2: whether a response that came on `channel` has the Via that we sent. */
  isOurs(via: Via, channel: Channel): boolean {
    const port = via.port ?? transportTraits(channel.transport).defaultPort;
    const sentBy = `${via.host}:${port}`.toLowerCase();
    if (via.host.toLowerCase() === this.#invalidName) return true;
    if (sentBy === channel.identity.sentBy.toLowerCase()) return true;
    const { all } = this.#options.bindings;
    return all.some(({ local }) => hostPortText(local).toLowerCase() === sentBy);
  }

  /**
   * Sends a message of sip.js. The promise of a request stays open until it was answered, and is
   * rejected when it turns out that it cannot be: sip.js then ends the transaction.
   */
  send(message: string): Promise<void> {
    if (this.#isClosed) return Promise.resolve();
    const peek = peekMessage(message);
    if (peek.statusCode !== undefined) return this.#sendResponse(peek, message);
    const outgoing = { peek, text: message };
    const route = this.#routes.routeOf(peek);
    return route === undefined ? this.#sendToHop(outgoing) : this.#deliver(outgoing, route);
  }

  /** Whether another server is left for this request; `undefined` where none was chosen yet. */
  hasNextTarget(request: string): boolean | undefined {
    const peek = peekMessage(request);
    const hop = nextHopOf(peek);
    return hop === undefined ? false : this.#finder.hasNext(hop, peek.callId);
  }

  /** The server of this request failed: later ones go to the next; false where none is left. */
  advanceTarget(request: string): boolean {
    const peek = peekMessage(request);
    const hop = nextHopOf(peek);
    return hop !== undefined && this.#finder.advance(hop, peek.callId);
  }

  /** Stops repeating the requests of a transaction. */
  forget(branch: string): void {
    for (const channel of this.#udp.values()) channel.forget(branch);
    this.#connections.forget(branch);
    this.#routes.forget(branch);
  }

  /** Breaks every connection that is open; how many that were. */
  breakConnections(): number {
    return this.#connections.breakOff();
  }

  /** Stops everything, ends the connections and closes the sockets. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const { bindings } = this.#options;
    bindings.sink = undefined;
    this.#routes.clear();
    this.#connections.close();
    await Promise.all([...this.#udp.values()].map((channel) => channel.close()));
    await Promise.all(bindings.all.map(closeBinding));
  }

  #sendToHop(message: OutgoingMessage): Promise<void> {
    const { peek } = message;
    const server = webSocketTarget(this.#options.settings);
    if (server !== undefined) {
      return this.#deliver(message, { target: server, localAddress: undefined });
    }
    const hop = nextHopOf(peek);
    if (hop === undefined) return Promise.reject(this.#failed(peek, noNextHop()));
    const callId = peek.statusCode === undefined ? peek.callId : undefined;
    const route = this.#finder.known(hop, callId);
    if (route !== undefined) return this.#deliver(message, route);
    return this.#finder.find(hop, callId).then(
      (found) => this.#deliver(message, found),
      (error: unknown) => Promise.reject(this.#failed(peek, resolveFailure(error))),
    );
  }

  /** RFC 3261 §18.2.2: by the socket or connection on which the request came, while it stands. */
  #sendResponse(peek: MessagePeek, written: string): Promise<void> {
    const { text, channelId = 0, isSecure } = takeFlow(written);
    const message = { peek, text, isSecure };
    const connection = this.#connections.get(channelId);
    if (connection !== undefined) {
      return new Promise((resolve, reject) => {
        connection.send({ ...message, onFailed: (error) => reject(this.#failed(peek, error)) });
        resolve();
      });
    }
    const udp = this.#udp.get(channelId);
    const hop = udp === undefined ? undefined : nextHopOf(peek);
    const route = hop === undefined ? undefined : this.#finder.known(hop);
    if (route === undefined || udp === undefined) return this.#sendToHop(message);
    udp.send(message, route.target, () => {});
    return Promise.resolve();
  }

  #deliver(message: OutgoingMessage, route: Route): Promise<void> {
    if (this.#isClosed) return Promise.resolve();
    const { isUdpOnly } = this.#options;
    const { target } = route;
    const isSwitched = target.transport === "udp" && this.#largeRequests.goesByTcp(message, target);
    if (target.transport === "udp" && !isSwitched) return this.#deliverByUdp(message, route);
    const stream: Route = isSwitched
      ? { ...route, target: { ...target, transport: "tcp" } }
      : route;
    const { peek } = message;
    if (isUdpOnly) return Promise.reject(this.#failed(peek, notServed(target.transport)));
    this.#routes.note(peek, stream, this.#options.clock.now());
    return new Promise((resolve, reject) => {
      const onFailed = (error: SidetoneError): void => {
        if (!isSwitched) {
          reject(this.#failed(peek, error));
          return;
        }
        this.#largeRequests.noteRefused(target);
        resolve(this.#deliverByUdp(message, route));
      };
      this.#connections.send({ ...message, onFailed }, stream);
    });
  }

  #deliverByUdp(message: OutgoingMessage, route: Route): Promise<void> {
    const { peek } = message;
    const { target } = route;
    const channel = this.#udpFor(route);
    if (channel === undefined) return Promise.reject(this.#failed(peek, notServed("udp")));
    this.#routes.note(peek, route, this.#options.clock.now());
    return new Promise((resolve, reject) => {
      channel.send(message, target, (error) => reject(this.#failed(peek, error)));
      if (peek.statusCode !== undefined) resolve();
    });
  }

  #udpFor({ target, localAddress }: Route): UdpChannel | undefined {
    const channels = [...this.#udp.values()];
    const isSameFamily = ({ local }: UdpChannel): boolean =>
      local.address.includes(":") === target.address.includes(":");
    return (
      channels.find(({ local }) => local.address === localAddress) ?? channels.find(isSameFamily)
    );
  }

  /** Where we listen by the same transport, or else the connection itself: RFC 3261 §18.1.1. */
  #identityOf(transport: SipTransport, local: SocketAddress): LocalIdentity {
    // RFC 7118 §5.2.1: a WebSocket client cannot be connected to, so its name leads nowhere.
    if (transport === "ws" || transport === "wss") {
      this.#invalidName ??= `${randomToken(this.#options.random, 12).toLowerCase()}.invalid`;
      return { transport, sentBy: this.#invalidName };
    }
    const listening = this.#options.bindings.all.find(
      (binding) => binding.transport === transport && binding.local.address === local.address,
    );
    return { transport, sentBy: hostPortText(listening?.local ?? local) };
  }

  #stamped({ peek, text, isSecure = false }: OutgoingMessage, { identity }: Channel): string {
    const { stamp } = this.#options;
    return peek.statusCode === undefined
      ? stamp.request(text, identity)
      : stamp.response(text, identity, isSecure);
  }

  #channelEvents(): ChannelEvents {
    const { faults } = this.#options;
    return {
      onSending: (peek, text, put) => {
        const pass = (passed: string): void =>
          put(passed === text ? peek : alteredPeek(peek, passed), passed);
        faults.handle({ direction: "sent", peek, text, pass });
      },
      onSent: (crossing) => this.#noteSent(crossing),
      onReceived: (crossing, settle) => this.#receive(crossing, settle),
      stamped: (message, channel) => this.#stamped(message, channel),
    };
  }

  #noteSent(crossing: Crossing): void {
    this.#lastSentAt = crossing.at;
    this.#sentCount += 1;
    this.#tracer.trace("sent", crossing);
  }

  #receive(crossing: Crossing, settle: () => void): void {
    this.#tracer.trace("received", crossing);
    const { faults } = this.#options;
    const { peek, text } = crossing;
    if (!faults.concerns({ direction: "received", peek, text })) {
      this.#handle(crossing, settle);
      return;
    }
    // It may be handled later or again, and the socket's octets do not last.
    const kept = { ...crossing, bytes: new Uint8Array(crossing.bytes) };
    faults.handle({ direction: "received", peek, text, pass: () => this.#handle(kept, settle) });
  }

  #handle(crossing: Crossing, settle: () => void): void {
    if (this.#isClosed) return;
    settle();
    this.#routes.handleReceived(crossing.peek, crossing.at);
    this.#arrivedAt = crossing.at;
    try {
      this.#options.onMessage(crossing);
    } finally {
      this.#arrivedAt = undefined;
    }
  }

  /** Notes why a request failed; sip.js learns no more than that it did. */
  #failed(peek: MessagePeek, error: SidetoneError): TransportError {
    if (peek.statusCode === undefined) {
      this.#options.onSendFailed(peek.callId, error);
      this.#routes.forget(peek.via?.branch ?? "");
    }
    return new TransportError(errorText(error));
  }
}

/** The trace shows what left, in the call to which it belonged. */
function alteredPeek({ callId }: MessagePeek, text: string): MessagePeek {
  return { ...peekMessage(text), callId };
}

/** With a WebSocket server's URL, all requests go there (RFC 7118 §4.2: it is our proxy). */
function webSocketTarget({ transport, webSocketUrl }: SipSettings): Target | undefined {
  if (webSocketUrl === undefined || (transport !== "ws" && transport !== "wss")) return undefined;
  const { hostname, port } = new URL(webSocketUrl);
  return {
    transport,
    address: hostname,
    port: Number(port) || transportTraits(transport).defaultPort,
    host: hostname.replaceAll(/^\[|\]$/g, ""),
  };
}
