/**
 * Injured networks: a link is one direction, an engine without clock or socket; a path puts two of
 * them before UDP sockets of ours.
 */
export type { DelayModel } from "./delay-model.ts";
export { describeNetwork } from "./describe.ts";
export { ImpairedPath, type PathCounts } from "./impaired-path.ts";
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
  type NetworkDirection,
  type NetworkPlan,
  type NetworkProfile,
  networkProfile,
  networkProfiles,
} from "./profiles.ts";
