import type { IncomingRequestMessage, ResponseOptions } from "sip.js/lib/core/index.js";
import { parseParameters } from "./header-grammar.ts";
import type { ReferNotification } from "./refer-subscription.ts";
import { parseSipfrag, SIPFRAG_TYPE } from "./sipfrag.ts";

/** A NOTIFY that still has to be answered. */
export interface NotifyRequest {
  readonly message: IncomingRequestMessage;
  accept(options: ResponseOptions): unknown;
  reject(options: ResponseOptions): unknown;
}

/** The event of a NOTIFY, where it is about a REFER; with its id, where it has one. */
export function referEventId(
  message: IncomingRequestMessage,
): { readonly id: string | undefined } | undefined {
  const { value, parameters } = split(message.getHeader("Event") ?? "");
  return value.toLowerCase() === "refer" ? { id: parameters["id"] ?? undefined } : undefined;
}

/** What a NOTIFY says of a transfer. What cannot be read is left out, and waited for further. */
export function referNotification(message: IncomingRequestMessage): ReferNotification {
  const { value, parameters } = split(message.getHeader("Subscription-State") ?? "");
  const expires = parameters["expires"] ?? "";
  const type: unknown = message.headers["Content-Type"]?.[0]?.parsed;
  return {
    isTerminated: value.toLowerCase() === "terminated",
    // Who says 0 and goes on reporting does not mean it.
    expiresS: /^(?!0+$)\d{1,6}$/.test(expires) ? Number(expires) : undefined,
    fragment: type === SIPFRAG_TYPE ? parseSipfrag(message.body) : undefined,
  };
}

function split(header: string): {
  readonly value: string;
  readonly parameters: Readonly<Record<string, string | null>>;
} {
  const semicolon = header.indexOf(";");
  const value = (semicolon === -1 ? header : header.slice(0, semicolon)).trim();
  const parameters = semicolon === -1 ? {} : parseParameters(header.slice(semicolon));
  return { value, parameters: parameters ?? {} };
}
