import type { DatagramSocket, Environment } from "../environment/index.ts";
import { SipEndpoint, type SipEndpointOptions } from "../sip/index.ts";
import type { AgentOptions } from "./agent-options.ts";
import type { CallBudget } from "./call-budget.ts";
import { shardOf } from "./sip-front.ts";
import type { SipNetwork } from "./sip-network.ts";

/**
 * Opens the SIP endpoint of an agent.
 * @throws EnvironmentError, UsageError as `SipEndpoint.open`.
 */
export function openAgentEndpoint(
  environment: Environment,
  options: AgentOptions,
  host: Pick<SipEndpointOptions, "onTrace" | "onInjected"> & {
    readonly budget: CallBudget;
    /** Bound already, and shared with the agent's other threads. */
    readonly sipSocket: DatagramSocket | undefined;
    readonly sipNetwork: SipNetwork;
  },
): Promise<SipEndpoint> {
  const { local, user, displayName, dialling, sip, shard } = options;
  const { budget, sipSocket, sipNetwork, ...listeners } = host;
  return SipEndpoint.open({
    ...environment,
    ...listeners,
    local,
    user,
    ...(displayName === undefined ? {} : { displayName }),
    userAgent: "Sidetone",
    allow: dialling?.allow ?? [],
    ledger: budget,
    ...accountsOf(options),
    ...(sip === undefined ? {} : { sip }),
    ...(sipSocket === undefined
      ? { through: sipNetwork.before }
      : { socket: sipNetwork.before(sipSocket) }),
    ...(shard === undefined
      ? {}
      : { ownsCallId: (callId: string) => shardOf(callId, shard.count) === shard.index }),
  });
}

/** Who it is to others, and whom it knows. */
function accountsOf({
  credentials,
  demand,
  registrar,
}: AgentOptions): Pick<SipEndpointOptions, "credentials" | "demand" | "registrar"> {
  return {
    ...(credentials === undefined ? {} : { credentials }),
    ...(demand === undefined ? {} : { demand }),
    ...(registrar === undefined ? {} : { registrar }),
  };
}
