import { present } from "../../../src/environment/index.ts";
import type {
  InboundCall,
  OutboundCall,
  ReceivedRefer,
  ReportStatus,
  SipCall,
  SipEndpoint,
  TransferOutcome,
  TransferProgress,
} from "../../../src/sip/index.ts";
import { FakeNegotiator, SipLab } from "./sip-lab.ts";

/** A caller (192.0.2.1) in a call with a bot (192.0.2.2), and a desk (192.0.2.3). */
export interface TransferLab {
  readonly lab: SipLab;
  readonly caller: SipEndpoint;
  readonly bot: SipEndpoint;
  readonly desk: SipEndpoint;
  /** The call, as its two ends have it. */
  readonly callers: OutboundCall;
  readonly bots: InboundCall;
  /** Calls that came to the desk. */
  readonly atDesk: InboundCall[];
}

export const DESK = "sip:desk@192.0.2.3:5060";

export async function openTransferLab(
  options: ConstructorParameters<typeof SipLab>[0] = {},
): Promise<TransferLab> {
  const lab = new SipLab(options);
  const bot = await lab.endpoint(2, "bot");
  const desk = await lab.endpoint(3, "desk");
  const caller = await lab.endpoint(1, "caller");
  const atDesk: InboundCall[] = [];
  desk.onInvite = (call) => atDesk.push(call);
  const { ours, theirs } = await connect(lab, caller, bot);
  return { lab, caller, bot, desk, callers: ours, bots: theirs, atDesk };
}

/** Places a call that is answered. */
export async function connect(
  lab: SipLab,
  from: SipEndpoint,
  to: SipEndpoint,
): Promise<{ readonly ours: OutboundCall; readonly theirs: InboundCall }> {
  const before = to.onInvite;
  let theirs: InboundCall | undefined;
  to.onInvite = (call) => {
    theirs = call;
    call.answer(new FakeNegotiator());
  };
  const ours = from.call(to.uri, { negotiator: new FakeNegotiator() });
  await lab.advance(5000);
  to.onInvite = before;
  return { ours, theirs: present(theirs, "the INVITE arrived") };
}

/** Accepts the next REFER, places the call that it asks for, and reports its statuses. */
export function follow(
  call: SipCall,
  endpoint: SipEndpoint,
): { readonly refers: ReceivedRefer[]; readonly placed: OutboundCall[] } {
  const followed = { refers: [] as ReceivedRefer[], placed: [] as OutboundCall[] };
  call.onRefer = (refer) => {
    followed.refers.push(refer);
    return {
      follow: (report: ReportStatus) => {
        const { target, headers } = refer;
        const placed = endpoint.call(target, { negotiator: new FakeNegotiator(), headers });
        followed.placed.push(placed);
        placed.onEvent = (event) => {
          if (event.type === "ringing") report(event.statusCode ?? 180);
          if (event.type === "answered") report(200, "OK");
          if (event.type === "ended") report(event.statusCode ?? 503, event.reasonPhrase);
        };
      },
    };
  };
  return followed;
}

/** A transfer as it goes: the steps, and the outcome once it is there. */
export interface WatchedTransfer {
  readonly steps: string[];
  outcome: TransferOutcome | undefined;
  error: unknown;
}

/** Refers `call`, and follows what comes of it. */
export function transfer(
  call: SipCall,
  request: Omit<Parameters<SipCall["refer"]>[0], "onProgress">,
): WatchedTransfer {
  const watched: WatchedTransfer = { steps: [], outcome: undefined, error: undefined };
  const onProgress = ({ type, statusCode }: TransferProgress): void => {
    watched.steps.push(`${type} ${statusCode ?? ""}`.trim());
  };
  void (async () => {
    try {
      watched.outcome = await call.refer({ ...request, onProgress });
    } catch (error) {
      watched.error = error;
    }
  })();
  return watched;
}
