/**
 * Injured networks: a link is one direction, an engine without clock or socket; a path puts two of
 * them before UDP sockets of ours, or between a bridge and its AI.
 */
export {
  AI_TRANSPORTS,
  type AiNetwork,
  type AiPath,
  type AiPathCounts,
  type AiStall,
  type AiTransport,
  type AudioWork,
  type CongestionControl,
  checkAiNetwork,
  RelayedNetwork,
  type StallCause,
  type TcpCounts,
  type TcpState,
} from "./ai-path.ts";
export {
  DatagramRelay,
  type RelayedCounts,
  type RelayPort,
  type RelayPortState,
} from "./datagram-relay.ts";
export type { DelayModel } from "./delay-model.ts";
export { describeNetwork } from "./describe.ts";
export { ImpairedPath, type PathCounts } from "./impaired-path.ts";
export {
  type HubEvent,
  type HubWrite,
  KernelNetwork,
  type KernelNetworkOptions,
  type KernelTcpFacts,
} from "./kernel/kernel-network.ts";
export { type KernelPathParts, openKernelPath } from "./kernel/kernel-path.ts";
export type { EndName, KernelBackend } from "./kernel/layout.ts";
export {
  type HubLateness,
  type HubReport,
  type HubSettings,
  PacketHub,
} from "./kernel/packet-hub.ts";
export type { SocketStatistics } from "./kernel/socket-statistics.ts";
export type { TcpCounters, TcpSample } from "./kernel/tcp-counters.ts";
export { TcpWatch } from "./kernel/tcp-watch.ts";
export { flipBit, Link, type LinkCounts, type LinkOutput } from "./link.ts";
export {
  checkPlan,
  type LinkChange,
  type LinkPlan,
  type LinkSettings,
  type RateLimit,
} from "./link-settings.ts";
export { burstyLoss, type LossModel, meanLossRatio } from "./loss-model.ts";
export {
  checkNetwork,
  fateOf,
  type NetworkDirection,
  type NetworkPlan,
  type NetworkProfile,
  networkProfile,
  networkProfiles,
} from "./profiles.ts";
export { openModelledPath } from "./tcp/modelled-path.ts";
