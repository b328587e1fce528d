/** What the server does wrong on request. Turns are the caller's, counted from 1 per connection. */
export interface Faults {
  /** Answers HTTP 503 instead of opening the WebSocket. */
  readonly refuseConnection?: boolean;
  /** Answers HTTP 401 whatever the key. */
  readonly unauthorized?: boolean;
  /** Answers this HTTP status instead of opening the WebSocket: 400 to 599. */
  readonly refuseStatus?: number;
  /** Takes every key for an ephemeral one that has expired. */
  readonly tokenExpired?: boolean;
  /** Closes each connection this long after it opened. */
  readonly closeAfterMs?: number;
  /** Ends each session this long after it began, as one that has lasted as long as it may. */
  readonly expireAfterMs?: number;
  /** Closes the connection where the answer to this turn would begin; 1006 just drops it. */
  readonly closeOnTurn?: {
    readonly turn: number;
    readonly code: number;
    /** Afterwards connections are refused with 503, until the faults are changed. */
    readonly staysDown?: boolean;
  };
  /** Creates the response to this turn, and then sends nothing more of it. */
  readonly stallOnTurn?: number;
  /** Falls silent within the answer to this turn, once so much of its audio has been sent. */
  readonly stallInSpeech?: { readonly turn: number; readonly afterMs: number };
  /** Every answer comes so much later than it would. */
  readonly delayMs?: number;
  /** Sends speech so many times as fast as it is spoken, whatever the script says. */
  readonly speedFactor?: number;
  /** Sends up to this many further audio deltas of a response after it was cancelled. */
  readonly stragglers?: number;
  /** Cuts audio at odd bytes, that is inside samples. */
  readonly oddSizedDeltas?: boolean;
  /** Sends a response's ends this long after its last audio. */
  readonly lateDoneMs?: number;
  /**
   * Does not send these: event types of OpenAI, such as "response.output_audio.done", or fields of
   * Gemini's messages, such as "generationComplete".
   */
  readonly withheld?: readonly string[];
  /** Calls functions with arguments that are no JSON, or with none at all. */
  readonly wrongArguments?: "notJson" | "none";
  /** Gemini only: announces the end of each connection this long after it opened. */
  readonly goAwayAfterMs?: number;
}

/** The close code where the fault does not name one: an internal error (RFC 6455 §7.4.1). */
export const FAULT_CLOSE_CODE = 1011;
