import type { Instant } from "../../environment/index.ts";

/**
 * What the server knows of itself: the truth that a measurement can be compared with.
 * `at` is the instant at which the server handed the message concerned to its socket.
 */
export type ServerEvent = ServerEventDraft & {
  readonly at: Instant;
  /** Connections are numbered from 1 in the order in which they opened. */
  readonly connection: number;
};

/** A server event that has not been sent yet. */
export type ServerEventDraft =
  | { readonly type: "connected" }
  | { readonly type: "refused"; readonly status: number }
  | { readonly type: "speechStarted"; readonly turn: number; readonly audioMs: number }
  | {
      readonly type: "speechStopped";
      readonly turn: number;
      readonly audioMs: number;
      /** Where speech itself ended on audio time: `audioMs` without the silence waited for. */
      readonly speechEndMs: number;
    }
  | {
      readonly type: "heard";
      readonly turn: number;
      /** Id of the phrase; `undefined`: none of those that the script knows. */
      readonly phraseId: string | undefined;
      readonly score: number;
    }
  | { readonly type: "responseCreated"; readonly responseId: string; readonly turn: number }
  | {
      readonly type: "firstAudioSent";
      readonly responseId: string;
      /** The caller's turn that this answers; 0 before the first. */
      readonly turn: number;
      readonly utteranceId: string;
      /** The delay that was asked for, counted from `speechStopped` or from `response.create`. */
      readonly answerDelayMs: number;
    }
  | {
      readonly type: "lastAudioSent";
      readonly responseId: string;
      readonly turn: number;
      /** Speech sent, in ms of audio. */
      readonly audioMs: number;
    }
  | {
      readonly type: "responseDone";
      readonly responseId: string;
      readonly turn: number;
      readonly status: "completed" | "cancelled";
    }
  | { readonly type: "truncated"; readonly itemId: string; readonly audioEndMs: number }
  | { readonly type: "toolCalled"; readonly name: string; readonly callId: string }
  | { readonly type: "toolUndeclared"; readonly name: string }
  | { readonly type: "toolAnswered"; readonly callId: string }
  | { readonly type: "errorSent"; readonly code: string }
  | { readonly type: "faultInjected"; readonly fault: string }
  | { readonly type: "disconnected"; readonly code: number };

/** Where drafts go; the connection stamps them. */
export type TruthSink = (draft: ServerEventDraft) => void;
