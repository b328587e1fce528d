import type { SidetoneError } from "../../environment/index.ts";
import { closedByServer, settingsRejected, unauthorized } from "../provider/session-errors.ts";

/** RFC 6455 §7.4.1: the request itself was at fault, so that another one would be, too. */
const OUR_FAULT: ReadonlySet<number> = new Set([1000, 1002, 1003, 1007, 1008, 1009]);
const KEY_WORDS = /api.?key|token|credential|permission|unauthori[sz]ed|forbidden/iu;

/**
 * Whether a lost connection may be followed by another. An upgrade refused with a 4xx status other
 * than 429 would be refused again.
 */
export function isWorthAnotherTry(code: number, socketError: Error | undefined): boolean {
  const status = (socketError as { readonly statusCode?: unknown } | undefined)?.statusCode;
  const isRefused = typeof status === "number" && status >= 400 && status < 500 && status !== 429;
  return !OUR_FAULT.has(code) && !isRefused;
}

/** Gemini has no error messages: it closes the socket, with a code and a reason. */
export function closeFailure(close: {
  readonly host: string;
  readonly code: number;
  readonly detail: string;
  readonly wasReady: boolean;
}): SidetoneError {
  const { host, code, detail, wasReady } = close;
  if (code === 1008 && KEY_WORDS.test(detail)) return unauthorized(host, `close code ${code}`);
  if (!wasReady && (code === 1007 || code === 1008)) return settingsRejected(String(code), detail);
  return closedByServer(code, detail);
}
