import type { CallLimits } from "../call/index.ts";
import { UsageError } from "../environment/index.ts";

/** World parameters that say whom and how much a run may call, and how hosts are found. */
export interface DiallingParameters extends CallLimits {
  /** A mutable array, because cucumber's types ask for one. */
  readonly allow?: string[];
  readonly dnsServers?: string[];
  readonly sipTransport?: string;
  /** Paths of PEM files. */
  readonly sipCa?: string;
  readonly sipCertificate?: string;
  readonly sipKey?: string;
}

/** The options as they were given. */
export interface DiallingOptions {
  readonly allow?: string[] | undefined;
  readonly dns?: string[] | undefined;
  readonly "max-calls"?: string | undefined;
  readonly "max-concurrent"?: string | undefined;
  readonly "max-ring"?: string | undefined;
  readonly "max-duration"?: string | undefined;
  readonly "sip-transport"?: string | undefined;
  readonly "sip-ca"?: string | undefined;
  readonly "sip-certificate"?: string | undefined;
  readonly "sip-key"?: string | undefined;
}

const MS_PER_SECOND = 1000;
const LIMITS = [
  ["max-calls", "maxCalls", 1],
  ["max-concurrent", "maxConcurrentCalls", 1],
  ["max-ring", "maxRingMs", MS_PER_SECOND],
  ["max-duration", "maxCallDurationMs", MS_PER_SECOND],
] as const;

const TRANSPORTS = ["udp", "tcp", "tls"];
const SIP = [
  ["sip-transport", "sipTransport"],
  ["sip-ca", "sipCa"],
  ["sip-certificate", "sipCertificate"],
  ["sip-key", "sipKey"],
] as const;

/** @throws UsageError ERR_LIMIT_MALFORMED, ERR_SIP_TRANSPORT. */
export function diallingParameters(options: DiallingOptions): DiallingParameters {
  const limits = LIMITS.filter(([option]) => options[option] !== undefined).map(
    ([option, name, unit]) => [name, unit * wholeNumber(option, options[option])] as const,
  );
  const { allow, dns, "sip-transport": transport = "udp" } = options;
  if (!TRANSPORTS.includes(transport)) {
    throw new UsageError(
      "ERR_SIP_TRANSPORT",
      `--sip-transport is one of ${TRANSPORTS.join(", ")}; "${transport}" is not known.`,
    );
  }
  const sip = SIP.map(([option, name]) => [name, options[option]] as const).filter(
    ([, value]) => value !== undefined,
  );
  return {
    ...(allow === undefined ? {} : { allow }),
    ...(dns === undefined ? {} : { dnsServers: dns }),
    ...Object.fromEntries(limits),
    ...Object.fromEntries(sip),
  };
}

function wholeNumber(option: string, text: string | undefined): number {
  if (text !== undefined && /^[1-9]\d{0,8}$/u.test(text)) return Number(text);
  throw new UsageError(
    "ERR_LIMIT_MALFORMED",
    `--${option} must be a whole number above 0, not "${text ?? ""}".`,
    { context: { option } },
  );
}
