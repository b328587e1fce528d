import type { DatagramSocket, SocketAddress } from "../../../../src/environment/index.ts";
import type { InboundCall, SipCall, SipEndpoint } from "../../../../src/sip/index.ts";
import {
  FakeNegotiator,
  RAW_CONTACT,
  RAW_SDP,
  rawRequest,
  responseTo,
  SDP_TYPE,
  toTagIn,
} from "../../sip/sip-lab.ts";

const PEER: SocketAddress = { address: "192.0.2.9", port: 5060 };
const TARGET = "sip:raw@192.0.2.9";

/** A socket that gives what the fuzzer says, at once, and remembers what was sent. */
export class FuzzSocket implements DatagramSocket {
  readonly local: SocketAddress = { address: "192.0.2.2", port: 5060 };
  onDatagram: DatagramSocket["onDatagram"];
  onError: DatagramSocket["onError"];
  lastSent = "";
  sentCount = 0;

  send(data: Uint8Array): void {
    this.lastSent = new TextDecoder().decode(data);
    this.sentCount += 1;
  }

  receive(data: Uint8Array | string, at: Parameters<NonNullable<this["onDatagram"]>>[2]): void {
    const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
    this.onDatagram?.(bytes, PEER, at);
  }

  tieTo(): void {}

  close(): Promise<void> {
    return Promise.resolve();
  }
}

/** Brings an endpoint into a state, and gives the messages that are to be expected in it. */
export interface SipState {
  readonly name: string;
  enter(bench: StateBench): readonly string[];
}

/** What a state is made with. */
export interface StateBench {
  readonly endpoint: SipEndpoint;
  /** Lets the peer's message arrive. */
  readonly receive: (text: string) => void;
  /** The last message of ours. */
  readonly sent: () => string;
  /** Unlike those of all other states. */
  readonly callId: string;
  /** The call that came in. */
  readonly incoming: () => InboundCall;
  readonly keep: (call: SipCall) => void;
}

const OFFER = { headers: [RAW_CONTACT, SDP_TYPE], body: RAW_SDP };
const METHODS =
  "BYE CANCEL INFO INVITE MESSAGE NOTIFY OPTIONS PRACK REFER REGISTER SUBSCRIBE UPDATE ACK NEWMETHOD".split(
    " ",
  );
const EXTRA: Readonly<Partial<Record<string, readonly string[]>>> = {
  INFO: ["Content-Type: application/dtmf-relay"],
  INVITE: [RAW_CONTACT, SDP_TYPE],
  MESSAGE: ["Content-Type: text/plain"],
  NOTIFY: ["Event: refer", "Subscription-State: active", "Content-Type: message/sipfrag"],
  PRACK: ["RAck: 1 1 INVITE"],
  REFER: [RAW_CONTACT, "Refer-To: <sip:other@192.0.2.77>"],
  SUBSCRIBE: [RAW_CONTACT, "Event: presence"],
  UPDATE: [RAW_CONTACT, SDP_TYPE, "Session-Expires: 90;refresher=uac"],
};
const BODIES: Readonly<Partial<Record<string, string>>> = {
  INFO: "Signal=5\r\nDuration=160\r\n",
  INVITE: RAW_SDP,
  MESSAGE: "Hello",
  NOTIFY: "SIP/2.0 200 OK\r\n",
  UPDATE: RAW_SDP,
};

/** No two states have transactions in common. */
function branchOf(callId: string, method: string, cseq: number): string {
  return `z9hG4bK${callId}-${method}-${cseq}`;
}

/** A request of each method, of the peer of a dialog or of nobody's. */
function requests(ids: { callId: string; toTag?: string | undefined }, from = ""): string[] {
  return METHODS.map((method, index) => {
    const headers = EXTRA[method] ?? [];
    const body = BODIES[method] ?? "";
    const branch = branchOf(ids.callId, method, 5 + index);
    const text = rawRequest(method, { ...ids, cseq: 5 + index, branch, headers, body });
    return from === "" ? text : text.replace(/^From:.*$/m, from);
  });
}

function responses(request: string, toTag = "peer"): string[] {
  const with200 = { toTag, ...OFFER };
  return [
    responseTo(request, "100 Trying"),
    responseTo(request, "180 Ringing", { toTag, headers: [RAW_CONTACT] }),
    responseTo(request, "183 Session Progress", {
      ...with200,
      headers: [...OFFER.headers, "Require: 100rel", "RSeq: 1"],
    }),
    responseTo(request, "200 OK", with200),
    responseTo(request, "200 OK", { ...with200, toTag: `${toTag}-fork` }),
    responseTo(request, "202 Accepted", { toTag }),
    responseTo(request, "302 Moved Temporarily", { toTag, headers: [RAW_CONTACT] }),
    responseTo(request, "401 Unauthorized", {
      toTag,
      headers: ['WWW-Authenticate: Digest realm="x", nonce="y", algorithm=MD5, qop="auth"'],
    }),
    responseTo(request, "486 Busy Here", { toTag }),
    responseTo(request, "487 Request Terminated", { toTag }),
    responseTo(request, "491 Request Pending", { toTag }),
    responseTo(request, "500 Server Internal Error", { toTag, headers: ["Retry-After: 1"] }),
    responseTo(request, "603 Decline", { toTag }),
  ];
}

function called({ endpoint, sent, keep }: StateBench): { call: SipCall; invite: string } {
  const call = endpoint.call(TARGET, { negotiator: new FakeNegotiator() });
  keep(call);
  return { call, invite: sent() };
}

/** A call of ours that is up, and the requests that its peer may send. */
function outgoing(bench: StateBench): { call: SipCall; invite: string; own: string[] } {
  const { call, invite } = called(bench);
  bench.receive(responseTo(invite, "200 OK", { toTag: "peer", ...OFFER }));
  const ourTag = /^From:.*;tag=(\S+)/m.exec(invite)?.[1];
  const from = "From: <sip:raw@192.0.2.9>;tag=peer";
  return { call, invite, own: requests({ callId: call.callId, toTag: ourTag }, from) };
}

function offered(bench: StateBench): string[] {
  const { callId } = bench;
  const same = { callId, cseq: 1, branch: branchOf(callId, "INVITE", 1) };
  bench.receive(rawRequest("INVITE", { ...OFFER, ...same }));
  return [
    ...requests({ callId, toTag: toTagIn(bench.sent()) }),
    rawRequest("CANCEL", same),
    rawRequest("INVITE", { ...OFFER, ...same }),
    rawRequest("ACK", { ...same, toTag: toTagIn(bench.sent()) }),
  ];
}

function answered(bench: StateBench): string[] {
  const own = offered(bench);
  bench.incoming().answer(new FakeNegotiator());
  return own;
}

function established(bench: StateBench): string[] {
  const own = answered(bench);
  const toTag = toTagIn(bench.sent());
  const { callId } = bench;
  bench.receive(rawRequest("ACK", { callId, toTag, branch: branchOf(callId, "ACK", 1) }));
  return own;
}

/** Ignores what becomes of it: the fuzzer may well refuse it. */
function forget(promise: Promise<unknown>): void {
  void Promise.allSettled([promise]);
}

export const SIP_STATES: readonly SipState[] = [
  { name: "nothing", enter: ({ callId }) => requests({ callId }) },
  {
    name: "OPTIONS sent",
    enter: ({ endpoint, sent }) => {
      forget(endpoint.queryOptions(TARGET, 5000));
      return responses(sent());
    },
  },
  { name: "INVITE sent", enter: (bench) => responses(called(bench).invite) },
  {
    name: "it rings there",
    enter: (bench) => {
      const { invite, call } = called(bench);
      bench.receive(responses(invite)[1] ?? "");
      return [...responses(invite), ...requests({ callId: call.callId, toTag: "x" })];
    },
  },
  {
    name: "cancelled",
    enter: (bench) => {
      const { invite, call } = called(bench);
      bench.receive(responses(invite)[1] ?? "");
      forget(call.hangUp());
      return [...responses(bench.sent()), ...responses(invite)];
    },
  },
  {
    name: "our call is up",
    enter: (bench) => {
      const { own, invite } = outgoing(bench);
      return [...own, ...responses(invite)];
    },
  },
  {
    name: "our re-INVITE is open",
    enter: (bench) => {
      const { own, call } = outgoing(bench);
      forget(call.renegotiate());
      return [...responses(bench.sent()), ...own];
    },
  },
  {
    name: "our INFO is open",
    enter: (bench) => {
      const { own, call } = outgoing(bench);
      forget(call.info("application/dtmf", "5"));
      return [...responses(bench.sent()), ...own];
    },
  },
  {
    name: "our BYE is open",
    enter: (bench) => {
      const { own, call } = outgoing(bench);
      forget(call.hangUp());
      return [...responses(bench.sent()), ...own];
    },
  },
  { name: "it rings here", enter: offered },
  { name: "answered, ACK is missing", enter: answered },
  { name: "their call is up", enter: established },
  {
    name: "their call is ending",
    enter: (bench) => {
      const own = established(bench);
      forget(bench.incoming().hangUp());
      return [...responses(bench.sent()), ...own];
    },
  },
];
