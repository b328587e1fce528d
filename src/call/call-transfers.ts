import { errorText, isSidetoneError, UsageError } from "../environment/index.ts";
import type {
  DialogIdentity,
  ReceivedRefer,
  ReferDecision,
  ReportStatus,
  SipCall,
  SipCallEvent,
  TransferOutcome,
} from "../sip/index.ts";
import type { FactSink, TransferFact } from "../timeline/index.ts";

/** What an agent does when it is asked to call somebody else (RFC 3515). */
export type TransferPolicy =
  /** It places the call, as a telephone does. */
  | { readonly kind: "accept" }
  /** It refuses with a final response, e.g. 603. */
  | { readonly kind: "refuse"; readonly statusCode: number };

/** Whom the peer of a call shall call instead. */
export interface TransferOrder {
  /** A SIP URI. */
  readonly target: string;
  /** A dialog of ours with the target, which ends when the peer's call to it is answered. */
  readonly replaces?: DialogIdentity;
  /** How long to wait for the end of it; default 60 000. */
  readonly timeoutMs?: number;
}

/** How a call's agent treats the REFERs that it gets. */
export interface ReferHandling {
  policy(): TransferPolicy;
  /**
   * Places the call that was asked for; `onEvent` is told what happens to it, from its beginning.
   * @returns its Call-ID.
   */
  place(refer: ReceivedRefer, onEvent: (event: SipCallEvent) => void): Promise<string>;
}

type Event = TransferFact["event"];
type Details = Omit<TransferFact, "kind" | "party" | "event" | "at">;

/** Longer than most telephones ring. */
const TRANSFER_LIMIT_MS = 60_000;
/** By which of our own refusals the transferor is told that the call was not even placed. */
const FORBIDDEN = 403;
const SERVICE_UNAVAILABLE = 503;
const REQUEST_TERMINATED = 487;

/** The transfers of one call, as transferor and as transferee, with their facts. */
export class CallTransfers {
  readonly #sip: SipCall;
  readonly #record: FactSink;
  readonly #now: () => TransferFact["at"];
  #isOpen = false;

  constructor(sip: SipCall, record: FactSink, now: () => TransferFact["at"]) {
    this.#sip = sip;
    this.#record = record;
    this.#now = now;
  }

  /**
   * Asks the peer to call the target, and resolves when it is known what came of that.
   * @throws UsageError ERR_CALL_STATE, ERR_TARGET_MALFORMED, ERR_TARGET_UNSUPPORTED.
   */
  async refer({ target, replaces, timeoutMs }: TransferOrder): Promise<TransferOutcome> {
    if (this.#isOpen) throw alreadyOpen();
    this.#isOpen = true;
    const details: Details = {
      role: "transferor",
      target,
      ...(replaces === undefined ? {} : { isAttended: true, otherCallId: replaces.callId }),
    };
    try {
      const outcome = await this.#sip.refer({
        target,
        ...(replaces === undefined ? {} : { replaces }),
        timeoutMs: timeoutMs ?? TRANSFER_LIMIT_MS,
        onProgress: ({ type, at, ...status }) =>
          this.#record({ kind: "transfer", event: type, at, ...details, ...status }),
      });
      const { result, at, ...status } = outcome;
      this.#record({ kind: "transfer", event: result, at, ...details, ...status });
      return outcome;
    } finally {
      this.#isOpen = false;
    }
  }

  /** From now on the peer's REFERs are treated like this. */
  handleRefers(handling: ReferHandling): void {
    this.#sip.onRefer = (refer) => this.#decide(refer, handling);
  }

  #decide(refer: ReceivedRefer, handling: ReferHandling): ReferDecision {
    const { target, replaces, at } = refer;
    const isAttended = replaces !== undefined;
    const details: Details = { role: "transferee", target, ...(isAttended ? { isAttended } : {}) };
    const note = (event: Event, more: Partial<TransferFact> = {}): void =>
      this.#record({ kind: "transfer", event, at: this.#now(), ...details, ...more });
    note("requested", { at });
    const policy = handling.policy();
    if (policy.kind === "refuse") {
      const { statusCode } = policy;
      note("refused", { statusCode });
      return { statusCode };
    }
    return {
      follow: (report) => {
        note("accepted", { statusCode: 202 });
        void this.#follow(refer, handling, { note, report });
      },
    };
  }

  /** Places the call, and tells its statuses to the peer and to the timeline. */
  async #follow(
    refer: ReceivedRefer,
    handling: ReferHandling,
    { note, report }: { note: (event: Event, more: object) => void; report: ReportStatus },
  ): Promise<void> {
    let otherCallId: string | undefined;
    let isFinal = false;
    const tell = (event: Event, statusCode: number, reasonPhrase = ""): void => {
      if (isFinal) return;
      isFinal = event !== "progress";
      report(statusCode, reasonPhrase);
      const phrase = reasonPhrase === "" ? {} : { reasonPhrase };
      note(event, { statusCode, ...phrase, ...(otherCallId === undefined ? {} : { otherCallId }) });
    };
    try {
      otherCallId = await handling.place(refer, (event) => {
        if (event.type === "ringing") tell("progress", event.statusCode ?? 180);
        if (event.type === "answered") tell("completed", event.statusCode ?? 200);
        if (event.type === "ended") tell("failed", failureOf(event), event.reasonPhrase);
      });
    } catch (error) {
      // What we refuse ourselves is not there for whoever asked; what breaks may be there later.
      const isRefused = isSidetoneError(error) && error.fault === "usage";
      tell("failed", isRefused ? FORBIDDEN : SERVICE_UNAVAILABLE);
      this.#record({
        kind: "fault",
        at: this.#now(),
        code: isSidetoneError(error) ? error.code : "ERR_TRANSFER_FAILED",
        message: isSidetoneError(error) ? error.message : errorText(error),
        ...(isSidetoneError(error) ? { fault: error.fault } : {}),
      });
    }
  }
}

/** Whether the transferor's part in the call is over (RFC 5589 §6.1). */
export function endsCall({ result }: TransferOutcome): boolean {
  return result === "completed" || result === "unreported";
}

function failureOf(event: SipCallEvent & { readonly type: "ended" }): number {
  return (
    event.statusCode ?? (event.reason === "unreachable" ? SERVICE_UNAVAILABLE : REQUEST_TERMINATED)
  );
}

function alreadyOpen(): UsageError {
  return new UsageError(
    "ERR_CALL_STATE",
    "The call is being transferred already. Wait until it is known what came of that.",
  );
}
