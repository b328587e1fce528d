import type { Party } from "./fact-base.ts";

/** The version of the call folder's format; readers refuse what is newer. */
export const CALL_FOLDER_VERSION = 1;

/** Names of the files in a call folder (architecture §1). */
export const CALL_FILES = {
  description: "call.json",
  timeline: "timeline.jsonl",
  /** Stereo: left what the caller sent, right what the caller heard. */
  audio: "audio.wav",
  /** The same call at the bot's socket, where the bot is ours: left what the caller sent as the bot got it, right what the bot sent. */
  botAudio: "audio-bot.wav",
  pcap: "call.pcap",
  /** The same call with its media decrypted, where they were encrypted. */
  plainPcap: "call-decrypted.pcap",
  ai: "ai.jsonl",
  /** The same of the AI that played the caller. */
  testerAi: "ai-tester.jsonl",
  metrics: "metrics.json",
  /** The SIP messages of the call as a picture; drawn when the run's report is made. */
  ladder: "ladder.svg",
} as const;

/** The content of `call.json`: who, what, versions, seed. No secrets. */
export interface CallDescription {
  readonly version: number;
  readonly sidetoneVersion: string;
  /** Folder name, unique in a run: "001-the-bot-greets". */
  readonly id: string;
  readonly scenario?: string;
  readonly callId: string;
  readonly direction: "outbound" | "inbound";
  readonly local: string;
  readonly remote: string;
  /** ISO 8601, for people only. */
  readonly startedAt: string;
  readonly seed: string;
  readonly node: string;
  readonly platform: string;
  /** Where no real time passed (docs/virtual-time.md). */
  readonly time?: "virtual";
  /** Which agents' facts stand on the timeline. */
  readonly parties: readonly Party[];
  /** What its AI used, and what that costs where the price is known; see `metrics.json`. */
  readonly ai?: { readonly totalTokens: number; readonly costUsd?: number };
}
