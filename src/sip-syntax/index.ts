/**
 * How SIP messages are written (RFC 3261 §7, §25): header names, parameters, addresses, and what a
 * message says at a glance. It knows no transaction, no dialog and no call.
 */
export { canonicalHeaderName } from "./header-names.ts";
export { type MessageSummary, summariseMessage } from "./message-summary.ts";
export {
  bodyOf,
  headersOf,
  headerValues,
  type TextHeader,
} from "./message-text.ts";
export { type AddressText, parseAddress } from "./name-address.ts";
export {
  isToken,
  type ParameterMap,
  parseParameters,
  quotedStringEnd,
  splitOutsideQuotes,
} from "./parameters.ts";
