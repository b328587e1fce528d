/** Addresses that stand for "do not send" (RFC 3264 §8.4 and its IPv6 likeness). */
const NULL_ADDRESSES: ReadonlySet<string> = new Set(["0.0.0.0", "::", "0:0:0:0:0:0:0:0"]);

/** Whether nothing is to be sent to this address. */
export function isNullAddress(address: string): boolean {
  return NULL_ADDRESSES.has(address);
}

/** Host names are legal in c= (RFC 8866 §5.7) but unused in SIP; resolving them is not for here. */
export function isNumericAddress(address: string): boolean {
  return /^\d{1,3}(\.\d{1,3}){3}$/u.test(address) || /^[\da-f:.]*:[\da-f:.]*$/iu.test(address);
}
