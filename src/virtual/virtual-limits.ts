import { UsageError } from "../environment/index.ts";

/** A numeric address of the virtual world: this machine's own loopback, and nothing else. */
function isWithin(host: string): boolean {
  return host === "localhost" || /^(?:127(?:\.\d{1,3}){3}|\[?::1\]?)$/u.test(host);
}

/** @throws UsageError ERR_VIRTUAL_TLS, always. */
export function requirePlain(what: string): never {
  throw new UsageError(
    "ERR_VIRTUAL_TLS",
    `Virtual time carries no TLS, and ${what} was asked for. Use UDP or TCP, ws: or http:, or run without --virtual.`,
    { context: { what } },
  );
}

/** @throws UsageError ERR_VIRTUAL_ADDRESS where a host is not of the virtual world. */
export function requireWithin(host: string, what: string): void {
  if (isWithin(host)) return;
  throw new UsageError(
    "ERR_VIRTUAL_ADDRESS",
    `In virtual time there is only 127.0.0.1: ${what} at ${host} cannot be reached. Run without --virtual.`,
    { context: { host, what } },
  );
}
