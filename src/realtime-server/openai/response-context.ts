import type { FollowUp } from "../engine/repertoire.ts";
import type { TruthSink } from "../engine/server-event.ts";
import type { EncodedVoices } from "./audio-format.ts";
import type { Conversation } from "./conversation.ts";
import type { Emit, Ids } from "./wire.ts";

/** What a response needs of the session that it belongs to. */
export interface ResponseContext {
  readonly ids: Ids;
  readonly emit: Emit;
  readonly tellTruth: TruthSink;
  readonly conversation: Conversation;
  readonly voices: EncodedVoices;
  /** Called once a function call is complete: `followUp` is what follows its output. */
  readonly expectOutput: (callId: string, followUp: FollowUp | undefined) => void;
}
