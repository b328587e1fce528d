import type { WatchedCall } from "../call/index.ts";
import { EnvironmentError } from "../environment/index.ts";

/** What an injured network of the kernel's breaks down with: in a call, it is nobody's but ours. */
const BREAKDOWN = /^ERR_(?:NAMESPACE|KERNEL_LACKS)/u;

/** The error of a call whose network to the AI broke down under us; `undefined` for any other. */
export function aiNetworkError(call: WatchedCall): EnvironmentError | undefined {
  const fault = call.timeline.of("fault").find(({ code }) => BREAKDOWN.test(code));
  if (fault === undefined) return undefined;
  return new EnvironmentError(fault.code, fault.message, { context: { callId: call.callId } });
}

/**
 * The network that was put between the bot and its AI stood to the call's end. Where it did not, the
 * call says nothing of the bot, whatever became of its steps.
 * @throws EnvironmentError ERR_NAMESPACE_GONE, ERR_NAMESPACE_COMMAND and the like.
 */
export function requireAiNetwork(call: WatchedCall): void {
  const error = aiNetworkError(call);
  if (error !== undefined) throw error;
}
