/** Mono 16-bit PCM. */
export interface SynthesisedSpeech {
  readonly samples: Int16Array;
  readonly sampleRateHz: number;
}

/** A voice that can say anything: what `createSynthesiser` of a plug-in returns. */
export interface SpeechSynthesiser {
  /** Called once per text, before the server listens or takes a new script. */
  synthesise(text: string): SynthesisedSpeech | Promise<SynthesisedSpeech>;
}

/** An ear that understands words: what `createRecogniser` of a plug-in returns. */
export interface SpeechRecogniser {
  /**
   * The words of one turn of the caller, without the silence around them; empty where there are
   * none. It holds up the thread of the embedded AI as long as it runs, and with it the answer.
   */
  recognise(samples: Int16Array, sampleRateHz: number): string;
}
