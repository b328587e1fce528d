import type { IncomingRequestMessage, IncomingResponseMessage } from "sip.js/lib/core/index.js";

/** Extensions that each of our messages says to support. Whoever builds one adds its tag here. */
export const GENERAL_OPTION_TAGS: readonly string[] = ["norefersub", "replaces"];

/**
 * The SIP extensions that we understand, by their option tags (RFC 3261 §19.2); a request that
 * requires any other is answered 420. Those that are not general can be off in a call.
 */
const SUPPORTED_OPTION_TAGS: ReadonlySet<string> = new Set([
  ...GENERAL_OPTION_TAGS,
  "100rel",
  "timer",
]);

/** Headers that hold option tags. */
type TagHeader = "Supported" | "Require" | "Unsupported";

/** The option tags in all headers of a name, in small letters. */
export function optionTags(
  message: IncomingRequestMessage | IncomingResponseMessage,
  name: TagHeader,
): Set<string> {
  const tags = message.getHeaders(name).flatMap((value) => value.toLowerCase().split(","));
  return new Set(tags.map((tag) => tag.trim()).filter((tag) => tag !== ""));
}

/** What a request requires and we do not understand (RFC 3261 §8.2.2.3). */
export function unsupportedTags(message: IncomingRequestMessage): string[] {
  return [...optionTags(message, "Require")].filter((tag) => !SUPPORTED_OPTION_TAGS.has(tag));
}

/** Whether the sender says that it understands a method (RFC 3261 §20.5). */
export function allowsMethod(
  message: IncomingRequestMessage | IncomingResponseMessage,
  method: string,
): boolean {
  const allowed = message.getHeaders("Allow").flatMap((value) => value.split(","));
  return allowed.some((each) => each.trim() === method);
}
