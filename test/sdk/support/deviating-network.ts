import type {
  MessageSocket,
  Network,
  ServerHandlers,
  SocketAddress,
} from "../../../src/environment/index.ts";

/** A message of the server, before it is written. */
// oxlint-disable-next-line typescript/no-explicit-any -- messages are changed at will.
export type Message = Record<string, any>;

/** What leaves instead of each message of the server: the same, something else, more, or nothing. */
export type Deviation = (message: Message) => readonly Message[];

/** The host's network, but what servers send over WebSocket goes through `deviation`. */
export function deviatingNetwork(network: Network, deviation: Deviation): Network {
  return new Proxy(network, {
    get: (target, name) => {
      if (name === "listenHttp") {
        return (local: SocketAddress, handlers: ServerHandlers) =>
          target.listenHttp(local, deviating(handlers, deviation));
      }
      const member: unknown = Reflect.get(target, name);
      return typeof member === "function" ? member.bind(target) : member;
    },
  });
}

function deviating(handlers: ServerHandlers, deviation: Deviation): ServerHandlers {
  return {
    ...handlers,
    onUpgrade: (request) => {
      const decision = handlers.onUpgrade(request);
      if (!decision.accept) return decision;
      return {
        ...decision,
        onConnection: (socket) => {
          deviateSocket(socket, deviation);
          decision.onConnection(socket);
        },
      };
    },
  };
}

function deviateSocket(socket: MessageSocket, deviation: Deviation): void {
  const send = socket.send.bind(socket);
  socket.send = (text, frame) => {
    for (const each of deviation(JSON.parse(text) as Message)) send(JSON.stringify(each), frame);
  };
}
