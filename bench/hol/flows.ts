/** How an AI's audio is written into a connection: messages of so many bytes at such instants. */
export interface Flow {
  readonly name: string;
  readonly messageBytes: number;
  /** When message k is written, in ms since the first one. */
  readonly sentMs: (index: number) => number;
  /** Messages that belong together: a pause between two of them is none of the network's. */
  readonly burstMessages: number;
}

/** 20 ms frames of 24 kHz linear audio in base64 and JSON, as a caller's speech goes to an AI. */
export const PACED: Flow = {
  name: "paced 20 ms",
  messageBytes: 1360,
  sentMs: (index) => 20 * index,
  burstMessages: Number.POSITIVE_INFINITY,
};

/** Deltas of 200 ms at four times real time: 4 s of speech in 1 s, then 3 s of silence. */
export const BURSTS: Flow = {
  name: "bursts",
  messageBytes: 13_000,
  sentMs: (index) => 4000 * Math.floor(index / 20) + 50 * (index % 20),
  burstMessages: 20,
};

/** A message's way: when it was written, and when all of it could be read. */
export interface Passage {
  readonly sentMs: number;
  readonly readMs: number;
}
