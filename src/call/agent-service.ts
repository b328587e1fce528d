import type { Channel, Environment, SocketAddress } from "../environment/index.ts";
import { UsageError } from "../environment/index.ts";
import { Agent } from "./agent.ts";
import { AgentGroup } from "./agent-group.ts";
import type { AgentObserver } from "./agent-observer.ts";
import type { AgentOptions } from "./agent-options.ts";
import type { AgentNotice, AgentProcedures } from "./agent-procedures.ts";
import type { ToolHost } from "./bot-tools.ts";
import type { Call } from "./call.ts";
import type { Instrument } from "./instrument-watch.ts";
import { serveProcedures } from "./remote-procedures.ts";
import { type FrontedDatagram, type FrontedError, FrontedSocket } from "./sip-front.ts";

/** What serving an agent needs beside the environment. */
export interface AgentHost {
  /** The event loop's lag, where it is watched. */
  readonly instrument?: Instrument;
  /** Loads the modules of tools that a bot's options name. */
  readonly toolHost?: ToolHost;
  /** Starts a further thread in which `serveAgent` runs, for agents that want several. */
  readonly startShard?: () => Channel;
}

/**
 * Serves one agent to the other end of `channel`: the body of an agent's thread.
 * @returns ends the agent's calls and gives its ports back.
 */
export function serveAgent(
  channel: Channel,
  environment: Environment,
  host: AgentHost = {},
): () => Promise<void> {
  let served: ServedAgent | undefined;
  const agent = (): ServedAgent => {
    if (served === undefined) throw new Error("Bug: the agent is used before it is open.");
    return served;
  };
  const close = async (): Promise<void> => {
    await served?.close(undefined);
  };
  const procedures: AgentProcedures = {
    open: async (options) => {
      const { threads = 1 } = options;
      served =
        threads > 1 && host.startShard !== undefined
          ? await openGroup(environment, { ...options, threads }, host.startShard, notify)
          : await openAgent(environment, options, { channel, host, notify });
      const { uri, local } = served;
      return { uri, local };
    },
    answerWith: (policy) => agent().answerWith(policy),
    changeSipNetwork: (plan) => agent().changeSipNetwork(plan),
    useCredentials: (accounts) => agent().useCredentials(accounts),
    register: (wanted) => agent().register(wanted),
    unregister: () => agent().unregister(undefined),
    sendMessage: (request) => agent().sendMessage(request),
    queryOptions: (request) => agent().queryOptions(request),
    dial: (request) => agent().dial(request),
    sendText: (request) => agent().sendText(request),
    breakConnections: (request) => agent().breakConnections(request),
    queryOptionsInCall: (request) => agent().queryOptionsInCall(request),
    say: (request) => agent().say(request),
    press: (request) => agent().press(request),
    changeMedia: (request) => agent().changeMedia(request),
    changeNetwork: (request) => agent().changeNetwork(request),
    treatTransfers: (policy) => agent().treatTransfers(policy),
    transfer: (request) => agent().transfer(request),
    dialog: (request) => agent().dialog(request),
    hangUp: (request) => agent().hangUp(request),
    artifacts: (request) => agent().artifacts(request),
    forget: (request) => agent().forget(request),
    liveState: () => agent().liveState(undefined),
    close: () => close(),
  };
  const send = serveProcedures(channel, procedures);
  const notify = (notice: AgentNotice): void => send(notice);
  return close;
}

/** An agent in this thread, or several threads that look like one. */
type ServedAgent = Omit<AgentProcedures, "open"> & {
  readonly uri: string;
  readonly local: SocketAddress;
};

async function openAgent(
  environment: Environment,
  options: AgentOptions,
  {
    channel,
    host,
    notify,
  }: {
    readonly channel: Channel;
    readonly host: AgentHost;
    readonly notify: (notice: AgentNotice) => void;
  },
): Promise<ServedAgent> {
  const agent = await Agent.open(environment, options, {
    observer: observerOf(notify),
    ...(host.instrument === undefined ? {} : { instrument: host.instrument }),
    ...(host.toolHost === undefined ? {} : { toolHost: host.toolHost }),
    ...(options.shard === undefined
      ? {}
      : { sipSocket: frontedSocket(channel, options.shard.local) }),
  });
  const callNamed = (callId: string): Call => {
    const call = agent.call(callId);
    if (call !== undefined) return call;
    throw new UsageError("ERR_CALL_UNKNOWN", "This call is not, or no longer, known here.", {
      context: { callId },
    });
  };
  return {
    uri: agent.uri,
    local: agent.local,
    answerWith: (policy) => agent.answerWith(policy),
    changeSipNetwork: (plan) => agent.changeSipNetwork(plan),
    useCredentials: (accounts) => agent.useCredentials(accounts),
    register: (wanted) => agent.register(wanted),
    unregister: () => agent.unregister(),
    sendMessage: ({ target, text }) => agent.sendMessage(target, text),
    queryOptions: ({ target }) => agent.queryOptions(target),
    breakConnections: ({ callId }) => agent.breakConnections(callId),
    sendText: ({ callId, text }) => callNamed(callId).texts.send(text),
    queryOptionsInCall: ({ callId }) => callNamed(callId).queryOptions(),
    dial: async (request) => (await agent.dial(request.target, request.options)).identity,
    say: ({ callId, utterance }) => callNamed(callId).say(utterance),
    press: ({ callId, ...keys }) => callNamed(callId).press(keys),
    changeMedia: ({ callId, change }) => callNamed(callId).changeMedia(change),
    changeNetwork: ({ callId, plan, leg }) => callNamed(callId).changeNetwork(plan, leg),
    treatTransfers: (policy) => agent.treatTransfers(policy),
    transfer: ({ callId, ...order }) => callNamed(callId).transfer(order),
    dialog: ({ callId }) => callNamed(callId).dialog(),
    hangUp: ({ callId, headers }) => callNamed(callId).hangUp(headers),
    artifacts: ({ callId }) => callNamed(callId).artifacts(),
    forget: ({ callId }) => agent.forget(callId),
    liveState: () => agent.liveState,
    close: () => agent.close(),
  };
}

function observerOf(notify: (notice: AgentNotice) => void): AgentObserver {
  return {
    onCall: (identity) => notify({ type: "call", identity }),
    onFact: (callId, fact) => notify({ type: "fact", callId, fact }),
    onBindings: (event) => notify({ type: "bindings", event }),
    onMessage: (message) => notify({ type: "message", message }),
    onRegistration: (event) => notify({ type: "registration", event }),
    onEnded: (callId) => notify({ type: "ended", callId }),
  };
}

/** Verbs that concern a call go to the thread that carries it. */
async function openGroup(
  environment: Environment,
  options: AgentOptions & { readonly threads: number },
  startShard: () => Channel,
  notify: (notice: AgentNotice) => void,
): Promise<ServedAgent> {
  const group = await AgentGroup.open(environment, options, { startShard, notify });
  return {
    uri: group.uri,
    local: group.local,
    answerWith: (policy) => group.answerWith(policy),
    changeSipNetwork: (plan) => group.changeSipNetwork(plan),
    useCredentials: (accounts) => group.useCredentials(accounts),
    register: (wanted) => group.register(wanted),
    unregister: () => group.unregister(),
    sendMessage: (request) => group.firstShard.call("sendMessage", request),
    queryOptions: (request) => group.firstShard.call("queryOptions", request),
    dial: (request) => group.dial(request),
    breakConnections: (request) => group.shardOf(request.callId).call("breakConnections", request),
    sendText: (request) => group.shardOf(request.callId).call("sendText", request),
    queryOptionsInCall: (request) =>
      group.shardOf(request.callId).call("queryOptionsInCall", request),
    say: (request) => group.shardOf(request.callId).call("say", request),
    press: (request) => group.shardOf(request.callId).call("press", request),
    changeMedia: (request) => group.shardOf(request.callId).call("changeMedia", request),
    changeNetwork: (request) => group.shardOf(request.callId).call("changeNetwork", request),
    treatTransfers: (policy) => group.treatTransfers(policy),
    transfer: (request) => group.shardOf(request.callId).call("transfer", request),
    dialog: (request) => group.shardOf(request.callId).call("dialog", request),
    hangUp: (request) => group.shardOf(request.callId).call("hangUp", request),
    artifacts: (request) => group.shardOf(request.callId).call("artifacts", request),
    forget: (request) => group.shardOf(request.callId).call("forget", request),
    liveState: () => group.liveState(),
    close: () => group.close(),
  };
}

/** The SIP socket that another thread owns; its datagrams come over the channel. */
function frontedSocket(channel: Channel, local: SocketAddress): FrontedSocket {
  const socket = new FrontedSocket(local, (message) => channel.post(message));
  const handleRequest = channel.onMessage;
  channel.onMessage = (message) => {
    const { type } = message as { readonly type: string };
    if (type === "datagram" || type === "socketError") {
      socket.handle(message as FrontedDatagram | FrontedError);
    } else handleRequest?.(message);
  };
  return socket;
}
