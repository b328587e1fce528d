import {
  type Clock,
  type Cryptography,
  type DatagramSocket,
  type Logger,
  type Network,
  type Random,
  type SocketAddress,
  UsageError,
} from "../environment/index.ts";
import { DialPolicy } from "./dial-policy.ts";
import type { IdentityOptions } from "./endpoint-identity.ts";
import type { InjectedFault } from "./message-faults.ts";
import type { SocketView } from "./sip-bindings.ts";
import type { SipSettings } from "./sip-settings.ts";
import type { SipTrace } from "./sip-trace.ts";
import { isUserInfo } from "./wire-uri.ts";

/** What an endpoint is made of. */
export interface SipEndpointOptions extends IdentityOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly network: Network;
  readonly cryptography: Cryptography;
  /** Where to bind; port 0 lets the host choose. Not a wildcard: peers are told this address. */
  readonly local: SocketAddress;
  /** The user part of our URI: whom others call. */
  readonly user: string;
  readonly displayName?: string;
  /** The User-Agent header. */
  readonly userAgent: string;
  readonly onTrace?: (trace: SipTrace) => void;
  /** A fault that was asked for happened to a message of this call. */
  readonly onInjected?: (callId: string, fault: InjectedFault) => void;
  /** Transports, their sockets and certificates; default UDP and TCP at `local`. */
  readonly sip?: SipSettings;
  /** A UDP socket that is bound already: the only one that is used. */
  readonly socket?: DatagramSocket;
  /** What each UDP socket that it binds is used through: an injured network. */
  readonly through?: SocketView;
  /** Call-IDs that we may give out; default: all. For several endpoints at one address. */
  readonly ownsCallId?: (callId: string) => boolean;
  /** Hosts beside loopback that requests may be sent to; see `DialPolicy`. */
  readonly allow?: readonly string[];
  /** Where calls are counted, and refused when there are too many. */
  readonly ledger?: CallLedger;
}

/** Counts calls. What its methods return is called once when the call has ended. */
export interface CallLedger {
  /** We are about to place a call. @throws UsageError where no more may be placed. */
  enterPlaced(): () => void;
  /** Somebody calls us. */
  enterTaken(): () => void;
}

/**
 * What an endpoint still holds; all 0 within 35 s after its last call, or something leaks: but for
 * connections that a peer keeps open.
 */
export interface SipLiveState {
  readonly calls: number;
  readonly dialogs: number;
  readonly transactions: number;
  /** Messages that may be repeated yet, or are held back on purpose. */
  readonly retransmissions: number;
  /**
   * TCP, TLS and WebSocket, open or being opened. Ours close 32 s after their last message; those
   * that a peer opened are the peer's to close, or closed after 10 min.
   */
  readonly connections: number;
}

/** What went wrong without belonging to a call. */
export interface SipFaultCounts {
  /** What came and was no valid SIP message. */
  readonly malformed: number;
  /** Exceptions while a message was handled, or thrown by a listener: bugs, ours or theirs. */
  readonly exceptions: number;
}

/**
 * A WebSocket server gets all our requests, so it must be one that may be called.
 * @throws UsageError ERR_TARGET_NOT_ALLOWED.
 */
export function requireServer({ sip, allow }: SipEndpointOptions): void {
  const host = /^wss?:\/\/([^/\s?#]+)/u.exec(sip?.webSocketUrl ?? "")?.[1];
  if (host !== undefined) new DialPolicy(allow).require(`sip:${host}`);
}

/** @throws UsageError ERR_SIP_USER_MALFORMED, ERR_ADDRESS_UNSPECIFIED. */
export function checkOptions({ user, displayName, local }: SipEndpointOptions): void {
  if (!isUserInfo(user) || user.includes(":")) {
    throw new UsageError(
      "ERR_SIP_USER_MALFORMED",
      "The user of a SIP endpoint may not be empty nor contain characters that need %-escapes.",
    );
  }
  if (/[\r\n]/.test(displayName ?? "")) {
    throw new UsageError("ERR_SIP_USER_MALFORMED", "The display name has a line end in it.");
  }
  if (/^(0\.0\.0\.0|::|)$/.test(local.address)) {
    throw new UsageError(
      "ERR_ADDRESS_UNSPECIFIED",
      `A SIP endpoint cannot be bound to "${local.address}", because peers are told its address. Give one of this machine's own.`,
    );
  }
}
