import {
  GoogleGenAI,
  type LiveConnectConfig,
  type LiveServerMessage,
  Modality,
  type Session,
  Type,
} from "@google/genai";
import { beforeAll, describe, expect, it, vi } from "vitest";
import type { Deviation, Message } from "./support/deviating-network.ts";
import { base64, botSpeech, callerSpeech, type ServedAi, serveAi } from "./support/server.ts";
import { check, Watch } from "./support/watch.ts";

const MODEL = "gemini-3.8-live";
const RATE_HZ = 16_000;
const PCM_BYTES_PER_MS = 48;

const CONFIG: LiveConnectConfig = {
  responseModalities: [Modality.AUDIO],
  systemInstruction: "Be brief.",
  inputAudioTranscription: {},
  outputAudioTranscription: {},
  sessionResumption: {},
  tools: [
    {
      functionDeclarations: [
        {
          name: "send_dtmf",
          description: "Sends digits.",
          parameters: { type: Type.OBJECT, properties: { digits: { type: Type.STRING } } },
        },
        { name: "transfer_call", description: "Connects the caller with somebody else." },
      ],
    },
  ],
};

/** A conversation by the package `@google/genai`, as its users write it. */
class Conversation {
  readonly #ai: GoogleGenAI;
  readonly #watch: Watch<LiveServerMessage>;
  readonly #limitMs: number;
  #session: Session | undefined;

  private constructor(ai: GoogleGenAI, limitMs: number) {
    this.#ai = ai;
    this.#watch = new Watch<LiveServerMessage>(limitMs);
    this.#limitMs = limitMs;
  }

  /** With an ephemeral token for one session, which locks its configuration. */
  static async open(served: ServedAi, origin: string, limitMs: number): Promise<Conversation> {
    const httpOptions = { baseUrl: origin, apiVersion: "v1alpha" };
    const owner = new GoogleGenAI({ apiKey: served.server.apiKey, httpOptions });
    const liveConnectConstraints = { model: MODEL, config: CONFIG };
    const token = await owner.authTokens.create({ config: { uses: 1, liveConnectConstraints } });
    check("the token is ephemeral", token.name?.startsWith("auth_tokens/") === true);
    const ai = new GoogleGenAI({ apiKey: token.name ?? "", httpOptions });
    const conversation = new Conversation(ai, limitMs);
    await conversation.connect(CONFIG);
    return conversation;
  }

  /** Where the setup is not completed, `live.connect` settles only with the connection's end. */
  async connect(config: LiveConnectConfig): Promise<void> {
    const from = this.#mark;
    const connected = this.#ai.live.connect({
      model: MODEL,
      config,
      callbacks: { onmessage: this.#watch.note },
    });
    connected.catch(this.#watch.fail);
    await this.#until("the session is set up", (m) => m.setupComplete !== undefined, from);
    this.#session = await connected;
  }

  async spokenTurn(): Promise<void> {
    const from = this.#mark;
    await this.#say("Excuse me, may I ask something?");
    await this.#content("generationComplete", from);
    const messages = this.#watch.events.slice(from);
    const heard = messages.find((m) => m.serverContent?.inputTranscription !== undefined);
    const words = heard?.serverContent?.inputTranscription?.text;
    check("the caller is understood", words === "Excuse me, may I ask something?", words);
    check(
      "the bot's words arrive",
      wordsIn(messages) === "Of course. What would you like to know?",
      wordsIn(messages),
    );
    const expected = await botSpeech("interrupted", "pcm");
    const audio = audioIn(messages);
    check("the bot's voice arrives whole", audio.equals(expected), audio.length);
    // The server believes that it is played in real time.
    const playedMs = expected.length / PCM_BYTES_PER_MS;
    const turn = await this.#watch.until(
      "the turn is complete",
      (m) => m.serverContent?.turnComplete === true,
      from,
      this.#limitMs + playedMs,
    );
    check("usage is told", (turn.usageMetadata?.totalTokenCount ?? 0) > 0);
    await this.#until(
      "a handle to resume by",
      (m) => m.sessionResumptionUpdate?.newHandle !== undefined,
      from,
    );
  }

  async bargeIn(): Promise<void> {
    const from = this.#mark;
    await this.#say("Tell me about the hotel.");
    await this.#until("the long answer begins", (m) => audioIn([m]).length > 0, from);
    const at = this.#mark;
    await this.#say("What time is breakfast?");
    await this.#content("interrupted", at);
    await this.#content("turnComplete", at);
    await this.#content("generationComplete", at);
    const events = this.#watch.events.slice(at);
    const cut = events.findIndex((m) => m.serverContent?.interrupted === true);
    const complete = events.findIndex((m) => m.serverContent?.turnComplete === true);
    check("the turn ends after it was cut", complete >= cut);
    const audio = audioIn(events.slice(cut));
    check(
      "after that only the answer is said",
      audio.equals(await botSpeech("breakfast", "pcm")),
      audio.length,
    );
  }

  async toolCall(): Promise<void> {
    const from = this.#mark;
    await this.#say("Dial four two.");
    const call = await this.#call(from);
    check("the function has its name", call["name"] === "send_dtmf", call["name"]);
    check("its arguments are an object", call["args"]?.digits === "42", call["args"]);
    const at = this.#mark;
    this.#answer(call);
    await this.#content("generationComplete", at);
    check("the result is spoken of", wordsIn(this.#watch.events.slice(at)).includes("Goodbye"));
  }

  /** The caller talks on while a function runs: it is taken back. */
  async cancelledCall(): Promise<void> {
    const from = this.#mark;
    await this.#say("Front desk, please.");
    const call = await this.#call(from);
    const at = this.#mark;
    await this.#say("What time is breakfast?");
    const { toolCallCancellation } = await this.#until(
      "the call is taken back",
      (m) => m.toolCallCancellation !== undefined,
      at,
    );
    check("by its id", toolCallCancellation?.ids?.[0] === call["id"], toolCallCancellation);
  }

  /** A connection ends, the session goes on over another: with the function that still runs. */
  async goAway(served: ServedAi): Promise<void> {
    const from = this.#mark;
    await this.#say("Dial four two.");
    const call = await this.#call(from);
    served.server.configure({ faults: { goAwayAfterMs: 0 } });
    await this.#say("");
    const { goAway } = await this.#until(
      "the end is announced",
      (m) => m.goAway !== undefined,
      from,
    );
    check("with the time that is left", /^\d+(?:\.\d+)?s$/u.test(goAway?.timeLeft ?? ""), goAway);
    const handles = this.#watch.events.flatMap((m) => m.sessionResumptionUpdate?.newHandle ?? []);
    const handle = handles.at(-1);
    check("there is a handle to resume by", handle !== undefined);
    served.server.configure({ faults: {} });
    this.close();
    await this.connect({ ...CONFIG, sessionResumption: { handle: handle ?? "" } });
    const at = this.#mark;
    this.#answer(call);
    await this.#content("generationComplete", at);
    check("the session goes on", wordsIn(this.#watch.events.slice(at)).includes("Goodbye"));
  }

  close(): void {
    this.#session?.close();
  }

  get #mark(): number {
    return this.#watch.events.length;
  }

  #until(
    name: string,
    isMeant: (message: LiveServerMessage) => boolean,
    from = 0,
  ): Promise<LiveServerMessage> {
    return this.#watch.until(name, isMeant, from);
  }

  #content(
    field: "generationComplete" | "turnComplete" | "interrupted",
    from: number,
  ): Promise<LiveServerMessage> {
    return this.#until(`${field} comes`, (m) => m.serverContent?.[field] === true, from);
  }

  async #call(from: number): Promise<Message> {
    const { toolCall } = await this.#until(
      "a function is called",
      (m) => m.toolCall !== undefined,
      from,
    );
    return toolCall?.functionCalls?.[0] ?? {};
  }

  #answer({ id, name }: Message): void {
    const response = { output: "sent" };
    this.#session?.sendToolResponse({ functionResponses: [{ id, name, response }] });
  }

  /** Says a phrase and keeps silent for a while; without a phrase, only the latter. */
  async #say(phrase: string): Promise<void> {
    const silence = [new Int16Array(RATE_HZ / 10)];
    const pieces = phrase === "" ? silence : await callerSpeech(phrase, RATE_HZ);
    for (const piece of pieces) {
      const audio = { data: base64(piece), mimeType: `audio/pcm;rate=${RATE_HZ}` };
      this.#session?.sendRealtimeInput({ audio });
    }
  }
}

function audioIn(messages: readonly LiveServerMessage[]): Buffer {
  const parts = messages.flatMap((m) => m.serverContent?.modelTurn?.parts ?? []);
  return Buffer.concat(
    parts.map(({ inlineData }) => Buffer.from(inlineData?.data ?? "", "base64")),
  );
}

function wordsIn(messages: readonly LiveServerMessage[]): string {
  return messages.map((m) => m.serverContent?.outputTranscription?.text ?? "").join("");
}

const STEPS = ["spokenTurn", "bargeIn", "toolCall", "cancelledCall", "goAway"] as const;

/** Goes through all steps, or only those that a deviation is about. */
async function converse(
  choice: {
    readonly deviation?: Deviation;
    readonly steps?: readonly (typeof STEPS)[number][];
    readonly plain?: true;
  } = {},
): Promise<void> {
  const { deviation, steps = STEPS, plain } = choice;
  const served = await serveAi(deviation);
  const origin = plain === true ? served.plainOrigin : served.secureOrigin;
  const limitMs = deviation === undefined ? 10_000 : 1500;
  let conversation: Conversation | undefined;
  try {
    conversation = await Conversation.open(served, origin, limitMs);
    for (const step of steps) await conversation[step](served);
  } finally {
    conversation?.close();
    await served.server.close();
  }
}

/** Changes what is in one field of the server's content. */
function content(field: string, change: (value: unknown) => Message): Deviation {
  return (message) => {
    if (message["serverContent"]?.[field] === undefined) return [message];
    const { [field]: value, ...others } = message["serverContent"] as Message;
    return [{ ...message, serverContent: { ...others, ...change(value) } }];
  };
}

/** Leaves out messages with this field. */
function without(field: string): Deviation {
  return (message) => (message[field] === undefined ? [message] : []);
}

function lateAudio(): Deviation {
  let last: Message | undefined;
  return (message) => {
    if (message["serverContent"]?.modelTurn !== undefined) last = message;
    const isCut = message["serverContent"]?.interrupted === true;
    return isCut && last !== undefined ? [message, last] : [message];
  };
}

describe("@google/genai", () => {
  beforeAll(() => {
    // It warns of its tokens being experimental, each time.
    vi.spyOn(console, "warn").mockImplementation(() => undefined);
  });

  it("talks, interrupts, calls functions and resumes over TLS with an ephemeral token", async () => {
    await expect(converse()).resolves.toBeUndefined();
  });

  it("does so without TLS", async () => {
    await expect(converse({ plain: true, steps: ["toolCall"] })).resolves.toBeUndefined();
  });

  const deviations: readonly (readonly [
    string,
    (typeof STEPS)[number],
    RegExp,
    () => Deviation,
  ])[] = [
    [
      "does not complete the setup",
      "toolCall",
      /session is set up/u,
      () => without("setupComplete"),
    ],
    [
      "writes snake_case",
      "spokenTurn",
      /voice arrives whole/u,
      () => content("modelTurn", (turn) => ({ model_turn: turn })),
    ],
    [
      "does not tell what it heard",
      "spokenTurn",
      /caller is understood/u,
      () => content("inputTranscription", () => ({})),
    ],
    [
      "does not tell what it says",
      "spokenTurn",
      /bot's words/u,
      () => content("outputTranscription", () => ({})),
    ],
    [
      "does not end what it says",
      "spokenTurn",
      /generationComplete/u,
      () => content("generationComplete", () => ({})),
    ],
    [
      "does not end a turn",
      "spokenTurn",
      /turn is complete/u,
      () => content("turnComplete", () => ({})),
    ],
    [
      "does not tell of an interruption",
      "bargeIn",
      /interrupted comes/u,
      () => content("interrupted", () => ({})),
    ],
    ["goes on speaking when interrupted", "bargeIn", /only the answer/u, lateAudio],
    [
      "writes a function's arguments as text",
      "toolCall",
      /arguments are an object/u,
      () => (m) =>
        m["toolCall"] === undefined
          ? [m]
          : [
              {
                toolCall: {
                  functionCalls: [{ ...m["toolCall"].functionCalls[0], args: '{"digits":"42"}' }],
                },
              },
            ],
    ],
    [
      "does not take back a call",
      "cancelledCall",
      /call is taken back/u,
      () => without("toolCallCancellation"),
    ],
    [
      "takes back another call",
      "cancelledCall",
      /by its id/u,
      () => (m) =>
        m["toolCallCancellation"] === undefined
          ? [m]
          : [{ toolCallCancellation: { ids: ["other"] } }],
    ],
    ["does not announce the end", "goAway", /end is announced/u, () => without("goAway")],
    ["gives no handle", "goAway", /handle to resume/u, () => without("sessionResumptionUpdate")],
  ];

  it.concurrent.each(deviations)(
    "fails where the server %s",
    async (_how, step, failure, deviation) => {
      await expect(converse({ deviation: deviation(), steps: [step] })).rejects.toThrow(failure);
    },
  );
});
