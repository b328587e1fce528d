import { OpenAI } from "openai";
import { OpenAIRealtimeWS } from "openai/realtime/ws";
import { describe, expect, it } from "vitest";
import type { Deviation, Message } from "./support/deviating-network.ts";
import { changed, dropped, lateAudio, rewritten, withoutPiece } from "./support/deviations.ts";
import { base64, botSpeech, callerTelephony, serveAi } from "./support/server.ts";
import { check, Watch } from "./support/watch.ts";

const MODEL = "gpt-realtime-2.1";
const HONEST_LIMIT_MS = 10_000;
/** Where something is known not to come. */
const DEVIATING_LIMIT_MS = 1500;

const TOOL = {
  type: "function",
  name: "send_dtmf",
  description: "Sends digits.",
  parameters: { type: "object", properties: { digits: { type: "string" } } },
} as const;

const PCMU = { type: "audio/pcmu" } as const;

/** A conversation by the package `openai`, as its users write it; each step ends in checks. */
class Conversation {
  readonly #realtime: OpenAIRealtimeWS;
  readonly #watch: Watch<Message>;

  private constructor(realtime: OpenAIRealtimeWS, watch: Watch<Message>) {
    this.#realtime = realtime;
    this.#watch = watch;
  }

  /** With an ephemeral key, over TLS, with nothing but a base URL. */
  static async open(origin: string, apiKey: string, limitMs: number): Promise<Conversation> {
    const client = new OpenAI({ apiKey, baseURL: `${origin}/v1`, maxRetries: 0 });
    const secret = await client.realtime.clientSecrets.create({
      expires_after: { anchor: "created_at", seconds: 60 },
      session: { type: "realtime", model: MODEL, instructions: "Be brief." },
    });
    check("the secret is ephemeral", secret.value.startsWith("ek_"));
    const { session } = secret;
    check(
      "the secret tells its session",
      "instructions" in session && session.instructions === "Be brief.",
    );
    const agent = new OpenAI({ apiKey: secret.value, baseURL: `${origin}/v1` });
    const watch = new Watch<Message>(limitMs);
    const realtime = new OpenAIRealtimeWS({ model: MODEL }, agent);
    realtime.on("error", (error) => {
      // Errors of the protocol are events as well.
      if (error.error === undefined) watch.fail(error);
    });
    realtime.on("event", (event) => watch.note(event as Message));
    const conversation = new Conversation(realtime, watch);
    const [first] = [await watch.until("session.created comes", () => true)];
    check("session.created comes first", first["type"] === "session.created", first["type"]);
    check("the secret's session holds", first["session"]?.instructions === "Be brief.");
    return conversation;
  }

  async configure(): Promise<void> {
    const audio = {
      input: { format: PCMU, transcription: { model: "gpt-4o-transcribe" } },
      output: { format: PCMU },
    };
    this.#realtime.send({
      type: "session.update",
      session: { type: "realtime", audio, tools: [TOOL] },
    });
    const { session } = await this.#event("session.updated");
    check(
      "session.updated tells the whole session",
      session.model === MODEL && session.instructions === "Be brief.",
    );
    const detection = session.audio?.input?.turn_detection;
    check(
      "defaults are filled in",
      detection?.type === "server_vad" && detection.interrupt_response === true,
    );
    check(
      "formats are echoed",
      session.audio.input.format?.type === "audio/pcmu" &&
        session.audio.output?.format?.type === "audio/pcmu",
    );
    check("tools are echoed", session.tools?.[0]?.name === "send_dtmf");
  }

  /** A full turn: speech in, the answer's words and audio out, every id in its place. */
  async spokenTurn(): Promise<void> {
    const from = this.#mark;
    await this.#say("What time is breakfast?");
    const started = await this.#event("input_audio_buffer.speech_started", from);
    const committed = await this.#event("input_audio_buffer.committed", from);
    check(
      "the committed item is the one that was announced",
      committed["item_id"] === started["item_id"],
    );
    const heard = await this.#event("conversation.item.input_audio_transcription.completed", from);
    check(
      "the caller is understood",
      heard["transcript"] === "What time is breakfast?",
      heard["transcript"],
    );
    check("the transcript belongs to the turn", heard["item_id"] === started["item_id"]);
    const { response } = await this.#event("response.done", from);
    check("the response is complete", response.status === "completed", response.status);
    check("usage is told", response.usage?.total_tokens > 0);
    const events = this.#since(from);
    const deltas = events.filter(({ type }) => type === "response.output_audio.delta");
    const audio = Buffer.concat(deltas.map(({ delta }) => Buffer.from(delta, "base64")));
    const expected = await botSpeech("breakfast", "pcmu");
    check("the bot's voice arrives whole", audio.equals(expected), audio.length);
    const itemId = response.output?.[0]?.id;
    check(
      "audio has the ids of its response and item",
      deltas.every((delta) => delta["response_id"] === response.id && delta["item_id"] === itemId),
    );
    const done = await this.#event("response.output_audio_transcript.done", from);
    check("the bot's words arrive", String(done["transcript"]).startsWith("Breakfast is served"));
    check(
      "every event has an id",
      events.every(({ event_id: id }) => typeof id === "string"),
    );
    this.#checkOrder(events);
  }

  /** The caller interrupts; what was heard is cut off in the conversation as well. */
  async bargeIn(): Promise<void> {
    const from = this.#mark;
    await this.#say("Tell me about the hotel.");
    const delta = await this.#event("response.output_audio.delta", from);
    const at = this.#mark;
    await this.#say("Excuse me, may I ask something?");
    await this.#event("input_audio_buffer.speech_started", at);
    const cut = await this.#watch.until(
      "the interrupted response ends",
      ({ type, response }) => type === "response.done" && response.id === delta["response_id"],
      at,
    );
    check(
      "the interrupted response is cancelled",
      cut["response"].status === "cancelled",
      cut["response"].status,
    );
    check("it says why", cut["response"].status_details?.reason === "turn_detected");
    this.#realtime.send({
      type: "conversation.item.truncate",
      item_id: delta["item_id"],
      content_index: 0,
      audio_end_ms: 60,
    });
    const truncated = await this.#event("conversation.item.truncated", at);
    check(
      "the truncation is of that item",
      truncated["item_id"] === delta["item_id"] && truncated["audio_end_ms"] === 60,
    );
    this.#realtime.send({ type: "conversation.item.retrieve", item_id: delta["item_id"] });
    const { item } = await this.#event("conversation.item.retrieved", at);
    check(
      "the item has been cut",
      Buffer.from(item.content?.[0]?.audio ?? "", "base64").length === 480,
    );
    const answer = await this.#watch.until(
      "the interruption is answered",
      ({ type, response }) => type === "response.done" && response.id !== delta["response_id"],
      at,
    );
    check("the answer is complete", answer["response"].status === "completed");
    const events = this.#since(at);
    const ended = events.indexOf(cut);
    const late = events.slice(ended).filter((each) => each["response_id"] === delta["response_id"]);
    check(
      "nothing comes after the end",
      late.length === 0,
      late.map(({ type }) => type),
    );
  }

  /** A function is called while the bot speaks; its result is spoken of. */
  async toolCall(): Promise<void> {
    const from = this.#mark;
    await this.#say("Dial four two.");
    const call = await this.#event("response.function_call_arguments.done", from);
    check("the function has its name", call["name"] === "send_dtmf", call["name"]);
    check("the arguments are whole", JSON.parse(call["arguments"]).digits === "42");
    const { response } = await this.#event("response.done", from);
    const item = (response.output as Message[]).find(({ type }) => type === "function_call");
    check("the response lists the call", item?.["call_id"] === call["call_id"]);
    const at = this.#mark;
    this.#realtime.send({
      type: "conversation.item.create",
      item: { type: "function_call_output", call_id: call["call_id"], output: '{"ok":true}' },
    });
    this.#realtime.send({ type: "response.create" });
    const words = await this.#event("response.output_audio_transcript.done", at);
    check(
      "the result is spoken of",
      String(words["transcript"]).includes("Goodbye"),
      words["transcript"],
    );
    await this.#event("response.done", at);
  }

  /** What the client gets wrong is told with the id that the client gave it. */
  async mistake(): Promise<void> {
    const from = this.#mark;
    this.#realtime.send({ type: "response.cancel", event_id: "mine" });
    const { error } = await this.#event("error", from);
    check("the error has its code", error.code === "response_cancel_not_active", error.code);
    check("the error names the event", error.event_id === "mine", error.event_id);
  }

  close(): void {
    this.#realtime.close();
  }

  get #mark(): number {
    return this.#watch.events.length;
  }

  #since(mark: number): readonly Message[] {
    return this.#watch.events.slice(mark);
  }

  #event(type: string, from = 0): Promise<Message> {
    return this.#watch.until(`${type} comes`, (event) => event["type"] === type, from);
  }

  async #say(phrase: string): Promise<void> {
    for (const piece of await callerTelephony(phrase, 100)) {
      this.#realtime.send({ type: "input_audio_buffer.append", audio: base64(piece) });
    }
  }

  /** What begins ends, and in order. */
  #checkOrder(events: readonly Message[]): void {
    const place = (type: string): number => events.findIndex((event) => event["type"] === type);
    const order = [
      "input_audio_buffer.speech_stopped",
      "input_audio_buffer.committed",
      "response.created",
      "response.output_item.added",
      "response.content_part.added",
      "response.output_audio.delta",
      "response.output_audio.done",
      "response.content_part.done",
      "response.output_item.done",
      "response.done",
    ].map(place);
    check(
      "events come in order",
      order.every((at, index) => at >= 0 && at > (order[index - 1] ?? -1)),
      order,
    );
  }
}

const STEPS = ["spokenTurn", "bargeIn", "toolCall", "mistake"] as const;

/** Goes through all steps, or only those that a deviation is about. */
async function converse(
  deviation?: Deviation,
  steps: readonly (typeof STEPS)[number][] = STEPS,
): Promise<void> {
  const { server, secureOrigin } = await serveAi(deviation);
  const limitMs = deviation === undefined ? HONEST_LIMIT_MS : DEVIATING_LIMIT_MS;
  let conversation: Conversation | undefined;
  try {
    conversation = await Conversation.open(secureOrigin, server.apiKey, limitMs);
    await conversation.configure();
    for (const step of steps) await conversation[step]();
  } finally {
    conversation?.close();
    await server.close();
  }
}

describe("openai", () => {
  it("talks, interrupts and calls functions over TLS with an ephemeral key", async () => {
    await expect(converse()).resolves.toBeUndefined();
  });

  const deviations: readonly (readonly [
    string,
    (typeof STEPS)[number],
    RegExp,
    () => Deviation,
  ])[] = [
    [
      "names the audio as in the beta",
      "spokenTurn",
      /events come in order|bot's voice/u,
      () => rewritten("response.output_audio.delta", { type: "response.audio.delta" }),
    ],
    [
      "never ends a response",
      "spokenTurn",
      /response\.done comes/u,
      () => dropped("response.done"),
    ],
    [
      "commits another item than it announced",
      "spokenTurn",
      /committed item is the one/u,
      () => rewritten("input_audio_buffer.committed", { item_id: "item_other" }),
    ],
    [
      "gives audio to another item",
      "spokenTurn",
      /audio has the ids/u,
      () => rewritten("response.output_audio.delta", { item_id: "item_other" }),
    ],
    ["loses a piece of audio", "spokenTurn", /bot's voice arrives whole/u, () => withoutPiece(3)],
    ["goes on speaking when interrupted", "bargeIn", /nothing comes after the end/u, lateAudio],
    [
      "does not say that a response was cancelled",
      "bargeIn",
      /interrupted response is cancelled/u,
      () =>
        changed("response.done", (m) => [
          { ...m, response: { ...m["response"], status: "completed" } },
        ]),
    ],
    [
      "echoes only what was changed",
      "spokenTurn",
      /tells the whole session/u,
      () =>
        changed("session.updated", ({ session, ...m }) => [
          { ...m, session: { audio: session.audio, tools: session.tools } },
        ]),
    ],
    [
      "forgets event ids",
      "spokenTurn",
      /every event has an id/u,
      () => rewritten("response.output_audio.delta", { event_id: undefined }),
    ],
    [
      "does not name the function",
      "toolCall",
      /function has its name/u,
      () => rewritten("response.function_call_arguments.done", { name: undefined }),
    ],
    [
      "does not confirm a truncation",
      "bargeIn",
      /truncated comes/u,
      () => dropped("conversation.item.truncated"),
    ],
    [
      "does not tell what it heard",
      "spokenTurn",
      /transcription\.completed comes/u,
      () => dropped("conversation.item.input_audio_transcription.completed"),
    ],
    [
      "does not tell which event was wrong",
      "mistake",
      /error names the event/u,
      () => changed("error", (m) => [{ ...m, error: { ...m["error"], event_id: null } }]),
    ],
  ];

  it.concurrent.each(deviations)(
    "fails where the server %s",
    async (_how, step, failure, deviation) => {
      await expect(converse(deviation(), [step])).rejects.toThrow(failure);
    },
  );
});
