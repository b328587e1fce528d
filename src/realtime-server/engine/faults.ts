/** What the server does wrong on request. Turns are the caller's, counted from 1 per connection. */
export interface Faults {
  /** Answers HTTP 503 instead of opening the WebSocket. */
  readonly refuseConnection?: boolean;
  /** Answers HTTP 401 whatever the key. */
  readonly unauthorized?: boolean;
  /** Closes each connection this long after it opened. */
  readonly closeAfterMs?: number;
  /** Closes the connection where the answer to this turn would begin; 1006 just drops it. */
  readonly closeOnTurn?: { readonly turn: number; readonly code: number };
  /** Creates the response to this turn, and then sends nothing more of it. */
  readonly stallOnTurn?: number;
  /** Sends up to this many further audio deltas of a response after it was cancelled. */
  readonly stragglers?: number;
  /** Cuts audio at odd bytes, that is inside samples. */
  readonly oddSizedDeltas?: boolean;
  /** Sends a response's ends this long after its last audio. */
  readonly lateDoneMs?: number;
  /** Gemini only: announces the end of each connection this long after it opened. */
  readonly goAwayAfterMs?: number;
}

/** The close code where the fault does not name one: an internal error (RFC 6455 §7.4.1). */
export const FAULT_CLOSE_CODE = 1011;
