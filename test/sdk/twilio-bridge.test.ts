import { TwilioRealtimeTransportLayer } from "@openai/agents-extensions";
import { describe, expect, it } from "vitest";
import { AgentsSession, MODEL } from "./support/agents-session.ts";
import type { Deviation, Message } from "./support/deviating-network.ts";
import { dropped, rewritten, withoutPiece } from "./support/deviations.ts";
import { base64, botSpeech, callerTelephony, type ServedAi, serveAi } from "./support/server.ts";
import { check, Watch } from "./support/watch.ts";

const BYTES_PER_MS = 8;
const FRAME_MS = 20;

/** Twilio's end of a media stream: takes what is to be played, and plays it when it is told to. */
class MediaStream extends EventTarget {
  readonly watch: Watch<Message>;
  #timestampMs = 0;

  constructor(limitMs: number) {
    super();
    this.watch = new Watch<Message>(limitMs);
    this.watch.note({ event: "begun" });
  }

  /** What the bridge sends to Twilio. A mark comes back when it has been played: here, at once. */
  send(text: string): void {
    const message = JSON.parse(text) as Message;
    this.watch.note(message);
    if (message["event"] === "mark")
      queueMicrotask(() => this.#tell({ event: "mark", mark: message["mark"] }));
  }

  close(): void {
    this.dispatchEvent(new Event("close"));
  }

  start(): void {
    const mediaFormat = { encoding: "audio/x-mulaw", sampleRate: 8000, channels: 1 };
    this.#tell({ event: "start", start: { streamSid: "MZ1", callSid: "CA1", mediaFormat } });
  }

  async say(phrase: string): Promise<void> {
    for (const piece of await callerTelephony(phrase, FRAME_MS)) {
      const media = {
        payload: base64(piece),
        timestamp: String(this.#timestampMs),
        track: "inbound",
      };
      this.#timestampMs += FRAME_MS;
      this.#tell({ event: "media", streamSid: "MZ1", media });
    }
  }

  played(from = 0): Buffer {
    const media = this.watch.events.slice(from).filter(({ event }) => event === "media");
    return Buffer.concat(media.map((each) => Buffer.from(each["media"].payload, "base64")));
  }

  #tell(message: Message): void {
    this.dispatchEvent(new MessageEvent("message", { data: JSON.stringify(message) }));
  }
}

/** A call over somebody else's bridge: Twilio's media stream on one side, the server on the other. */
class BridgedCall {
  readonly #agents: AgentsSession;
  readonly #stream: MediaStream;

  private constructor(agents: AgentsSession, stream: MediaStream) {
    this.#agents = agents;
    this.#stream = stream;
  }

  static async open({ server, secureOrigin }: ServedAi, limitMs: number): Promise<BridgedCall> {
    const url = `${secureOrigin.replace("https", "wss")}/v1/realtime?model=${MODEL}`;
    const stream = new MediaStream(limitMs);
    const transport = new TwilioRealtimeTransportLayer({
      twilioWebSocket: stream as unknown as WebSocket,
      url,
      useInsecureApiKey: true,
    });
    const agents = new AgentsSession(transport, "audio/pcmu", limitMs);
    stream.start();
    await agents.session.connect({ apiKey: server.apiKey, url });
    const { session } = await agents.event("session.updated");
    const { input, output } = session.audio;
    check(
      "both ways are G.711",
      input?.format?.type === "audio/pcmu" && output?.format?.type === "audio/pcmu",
      session.audio,
    );
    return new BridgedCall(agents, stream);
  }

  async spokenTurn(): Promise<void> {
    const from = this.#agents.mark;
    await this.#stream.say("What time is breakfast?");
    await this.#agents.until(
      "the agent has spoken",
      "agentEnd",
      ({ words }) => words.startsWith("Breakfast"),
      from,
    );
    const mark = await this.#stream.watch.until(
      "the end is marked",
      (each) => each["event"] === "mark" && String(each["mark"].name).startsWith("done:"),
    );
    check("marks name the stream", mark["streamSid"] === "MZ1");
    const played = this.#stream.played();
    check(
      "the telephone plays the bot's voice",
      played.equals(await botSpeech("breakfast", "pcmu")),
      played.length,
    );
  }

  async bargeIn(): Promise<void> {
    const [from, playedFrom] = [this.#agents.mark, this.#stream.watch.events.length];
    await this.#stream.say("Tell me about the hotel.");
    await this.#stream.watch.until(
      "the long answer begins",
      ({ event }) => event === "media",
      playedFrom,
    );
    const [at, clearFrom] = [this.#agents.mark, this.#stream.watch.events.length];
    await this.#stream.say("Excuse me, may I ask something?");
    await this.#stream.watch.until(
      "the telephone falls silent",
      ({ event }) => event === "clear",
      clearFrom,
    );
    const truncated = await this.#agents.event("conversation.item.truncated", at);
    this.#agents.checkTruncation(truncated, this.#stream.played(playedFrom).length / BYTES_PER_MS);
    await this.#agents.until(
      "the interruption is answered",
      "agentEnd",
      ({ words }) => words.startsWith("Of course"),
      at,
    );
    const events = this.#agents.since(from, "transport").map(({ event }) => event);
    const cut = events.find(
      ({ type, response }) => type === "response.done" && response.status === "cancelled",
    );
    check("the interrupted response is cancelled", cut !== undefined);
    const clear = this.#stream.watch.events.findIndex(
      ({ event }, index) => index >= clearFrom && event === "clear",
    );
    const after = this.#stream.played(clear);
    check(
      "after that only the answer is played",
      after.equals(await botSpeech("interrupted", "pcmu")),
      after.length,
    );
  }

  async toolCall(): Promise<void> {
    const from = this.#agents.mark;
    await this.#stream.say("Dial four two.");
    const { digits } = await this.#agents.until(
      "the tool is called",
      "toolCalled",
      undefined,
      from,
    );
    check("with its arguments", digits === "42", digits);
    await this.#agents.until(
      "the result is spoken of",
      "agentEnd",
      ({ words }) => words.includes("Goodbye"),
      from,
    );
  }

  close(): void {
    this.#stream.close();
  }
}

const STEPS = ["spokenTurn", "bargeIn", "toolCall"] as const;

/** Goes through all steps, or only those that a deviation is about. */
async function converse(
  deviation?: Deviation,
  steps: readonly (typeof STEPS)[number][] = STEPS,
): Promise<void> {
  const served = await serveAi(deviation);
  let call: BridgedCall | undefined;
  try {
    call = await BridgedCall.open(served, deviation === undefined ? 10_000 : 1500);
    for (const step of steps) await call[step]();
  } finally {
    call?.close();
    await served.server.close();
  }
}

describe("@openai/agents-extensions, Twilio's media streams", () => {
  it("bridges a call: speech, interruption, a function", async () => {
    await expect(converse()).resolves.toBeUndefined();
  });

  const deviations: readonly (readonly [
    string,
    (typeof STEPS)[number],
    RegExp,
    () => Deviation,
  ])[] = [
    ["never ends a response", "spokenTurn", /agent has spoken/u, () => dropped("response.done")],
    [
      "does not say that audio ended",
      "spokenTurn",
      /end is marked/u,
      () => dropped("response.output_audio.done"),
    ],
    ["loses a piece of audio", "spokenTurn", /plays the bot's voice/u, () => withoutPiece(3)],
    [
      "does not tell that the caller speaks",
      "bargeIn",
      /telephone falls silent/u,
      () => dropped("input_audio_buffer.speech_started"),
    ],
    [
      "does not confirm a truncation",
      "bargeIn",
      /truncated comes/u,
      () => dropped("conversation.item.truncated"),
    ],
    [
      "leaves out an index of its audio",
      "spokenTurn",
      /end is marked/u,
      () => rewritten("response.output_audio.delta", { content_index: undefined }),
    ],
    [
      "does not finish a call",
      "toolCall",
      /tool is called|result is spoken/u,
      () => dropped("response.output_item.done"),
    ],
  ];

  it.concurrent.each(deviations)(
    "fails where the server %s",
    async (_how, step, failure, deviation) => {
      await expect(converse(deviation(), [step])).rejects.toThrow(failure);
    },
  );
});
