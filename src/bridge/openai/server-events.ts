/** What a server event means to us. `ignored`: known, of no use. */
export type ServerEventKind =
  | "sessionCreated"
  | "sessionUpdated"
  | "speechStarted"
  | "speechStopped"
  | "callerTranscript"
  | "itemAdded"
  | "responseCreated"
  | "audioDelta"
  | "audioDone"
  | "botTranscript"
  | "argumentsDone"
  | "outputItemDone"
  | "responseDone"
  | "error"
  | "ignored";

// GA names first, then the beta's, which Azure Voice Live and some clones still speak. All dialects
// are read at once: no name means two things, and clones mix them.
const NAMES: Readonly<Record<ServerEventKind, readonly string[]>> = {
  sessionCreated: ["session.created"],
  sessionUpdated: ["session.updated"],
  speechStarted: ["input_audio_buffer.speech_started"],
  speechStopped: ["input_audio_buffer.speech_stopped"],
  callerTranscript: ["conversation.item.input_audio_transcription.completed"],
  itemAdded: ["conversation.item.added", "conversation.item.created"],
  responseCreated: ["response.created"],
  audioDelta: ["response.output_audio.delta", "response.audio.delta"],
  audioDone: ["response.output_audio.done", "response.audio.done"],
  botTranscript: ["response.output_audio_transcript.done", "response.audio_transcript.done"],
  argumentsDone: ["response.function_call_arguments.done"],
  outputItemDone: ["response.output_item.done"],
  responseDone: ["response.done"],
  error: ["error"],
  ignored: [
    "conversation.created",
    "conversation.item.done",
    "conversation.item.retrieved",
    "conversation.item.deleted",
    "conversation.item.truncated",
    "conversation.item.input_audio_transcription.delta",
    // xAI's word for it.
    "conversation.item.input_audio_transcription.updated",
    "conversation.item.input_audio_transcription.segment",
    "conversation.item.input_audio_transcription.failed",
    "input_audio_buffer.committed",
    "input_audio_buffer.cleared",
    "input_audio_buffer.timeout_triggered",
    "response.output_item.added",
    "response.content_part.added",
    "response.content_part.done",
    "response.output_audio_transcript.delta",
    "response.audio_transcript.delta",
    "response.output_text.delta",
    "response.output_text.done",
    "response.text.delta",
    "response.text.done",
    "response.function_call_arguments.delta",
    "rate_limits.updated",
    "ping",
  ],
};

/** Event name → meaning. A Map, so that no name from the network finds a property of Object. */
const KINDS: ReadonlyMap<string, ServerEventKind> = new Map(
  (Object.entries(NAMES) as [ServerEventKind, readonly string[]][]).flatMap(([kind, names]) =>
    names.map((name): [string, ServerEventKind] => [name, kind]),
  ),
);

/** What an event of that name means; `undefined` for names that we do not know. */
export function serverEventKind(name: string): ServerEventKind | undefined {
  return KINDS.get(name);
}
