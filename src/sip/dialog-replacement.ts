import type { IncomingRequestMessage } from "sip.js/lib/core/index.js";
import { type DialogIdentity, type NamedDialog, parseNamedDialog, valuesOf } from "./replaces.ts";

/** A call of ours that may have to give way to a new one. */
export interface ReplaceableCall {
  readonly callId: string;
  /** In which state its dialog with these tags is; `undefined` where it has no such dialog. */
  dialogState(localTag: string, remoteTag: string): ReplaceableState | undefined;
}

/** `earlyOurs`: we called; `earlyTheirs`: the peer did, and we ring. */
export type ReplaceableState = "confirmed" | "earlyOurs" | "earlyTheirs" | "ending";

/** What an INVITE's Replaces or Join header comes to. */
export type Replacement<Call> =
  | { readonly kind: "none" }
  | { readonly kind: "refused"; readonly statusCode: number }
  | { readonly kind: "replaces"; readonly call: Call };

const NONE = { kind: "none" } as const;
const BAD_REQUEST = refused(400);
const CALL_DOES_NOT_EXIST = refused(481);
const BUSY_HERE = refused(486);
const NOT_ACCEPTABLE_HERE = refused(488);
const DECLINE = refused(603);

/**
 * Which of our calls an INVITE wants to take the place of (RFC 3891 §3). Whether it may is for the
 * call's user to say. Conversations are not mixed here, so nobody can join one (RFC 3911 §4).
 */
export function replacementFor<Call extends ReplaceableCall>(
  message: IncomingRequestMessage,
  calls: Iterable<Call>,
  ended: EndedDialogs,
): Replacement<Call> {
  const replaces = valuesOf(message.getHeaders("Replaces"));
  const joins = valuesOf(message.getHeaders("Join"));
  if (replaces.length + joins.length === 0) return NONE;
  if (replaces.length + joins.length > 1) return BAD_REQUEST;
  const named = parseNamedDialog([...replaces, ...joins][0] ?? "");
  if (named === undefined) return BAD_REQUEST;
  const found = findCall(named, calls);
  if (found === undefined) return ended.has(named) ? DECLINE : CALL_DOES_NOT_EXIST;
  return joins.length > 0 ? joining(found.state) : replacing(found, named);
}

function joining(state: ReplaceableState): Replacement<never> {
  return state === "ending" ? DECLINE : NOT_ACCEPTABLE_HERE;
}

function replacing<Call>(
  { call, state }: FoundCall<Call>,
  { earlyOnly }: NamedDialog,
): Replacement<Call> {
  if (state === "ending") return DECLINE;
  if (state === "earlyTheirs") return CALL_DOES_NOT_EXIST;
  return state === "confirmed" && earlyOnly ? BUSY_HERE : { kind: "replaces", call };
}

interface FoundCall<Call> {
  readonly call: Call;
  readonly state: ReplaceableState;
}

function findCall<Call extends ReplaceableCall>(
  { callId, toTag, fromTag }: NamedDialog,
  calls: Iterable<Call>,
): FoundCall<Call> | undefined {
  for (const call of calls) {
    const state = call.callId === callId ? call.dialogState(toTag, fromTag) : undefined;
    if (state !== undefined) return { call, state };
  }
  return undefined;
}

/** Dialogs that ended lately, as many as are worth an answer of their own. */
export class EndedDialogs {
  readonly #keys = new Set<string>();
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  add({ callId, localTag, remoteTag }: DialogIdentity): void {
    this.#keys.add(`${callId} ${localTag} ${remoteTag}`);
    if (this.#keys.size <= this.#limit) return;
    const [oldest] = this.#keys;
    if (oldest !== undefined) this.#keys.delete(oldest);
  }

  has({ callId, toTag, fromTag }: NamedDialog): boolean {
    return this.#keys.has(`${callId} ${toTag} ${fromTag}`);
  }
}

function refused(statusCode: number): { readonly kind: "refused"; readonly statusCode: number } {
  return { kind: "refused", statusCode };
}
