import { beforeAll, describe, expect, it } from "vitest";
import { resample } from "../../../src/audio/index.ts";
import { after, type Instant, instant, seededRandom } from "../../../src/environment/index.ts";
import { Repertoire } from "../../../src/realtime-server/engine/repertoire.ts";
import { GeminiServerSession } from "../../../src/realtime-server/gemini/gemini-server-session.ts";
import { ResumableSessions } from "../../../src/realtime-server/gemini/sessions.ts";
import { EncodedVoices } from "../../../src/realtime-server/openai/audio-format.ts";
import { parseScript } from "../../../src/realtime-server/script/parse-script.ts";
import { loadRepertoire } from "./gemini-pair.ts";

// oxlint-disable-next-line typescript/no-explicit-any -- messages are compared, not computed with.
type Message = Readonly<Record<string, any>>;

let shared: Awaited<ReturnType<typeof loadRepertoire>>;

beforeAll(async () => {
  shared = await loadRepertoire();
});

const TWO_TOOLS = `
name: Does two things at once
turns:
  - hears: Please hang up.
    tools: [{ name: hangup_call }, { name: send_dtmf, arguments: { digits: "1" } }]
otherwise: not-understood
`;

const MODEL = "models/gemini-3.8-live";

/** A client that writes its own messages, in virtual time. */
class RawClient {
  readonly messages: Message[] = [];
  readonly frames = new Set<string>();
  closed: { readonly code: number; readonly reason: string } | undefined;
  #now: Instant = instant(0);
  readonly #session: GeminiServerSession;

  constructor(repertoire: Repertoire = shared.repertoire) {
    this.#session = new GeminiServerSession({
      settings: () => ({ repertoire, answerDelayMs: 400, faults: {} }),
      random: seededRandom("raw"),
      voices: new EncodedVoices(),
      sessions: new ResumableSessions(),
      grant: undefined,
      openedAt: this.#now,
      sessionMsMax: 600_000,
    });
  }

  send(message: unknown): this {
    this.#session.handleMessage(JSON.stringify(message), this.#now);
    this.#drain();
    return this;
  }

  /** Speech, and a second of silence. */
  say(phrase: string): this {
    const { samples, sampleRateHz } = shared.voices.find("caller", phrase);
    return this.hear(resample(samples, sampleRateHz, 16_000)).hear(new Int16Array(16_000));
  }

  hear({ buffer, byteOffset, byteLength }: Int16Array): this {
    const data = Buffer.from(buffer, byteOffset, byteLength).toString("base64");
    return this.send({ realtimeInput: { audio: { data, mimeType: "audio/pcm;rate=16000" } } });
  }

  wait(ms: number): this {
    const end = after(this.#now, ms);
    for (let due = this.#session.nextTimeout; due !== undefined && due <= end; ) {
      if (due > this.#now) this.#now = due;
      this.#session.handleTimeout(this.#now);
      this.#drain();
      due = this.#session.nextTimeout;
    }
    this.#now = end;
    return this;
  }

  get parts(): readonly Message[] {
    return this.messages.flatMap(({ serverContent }) => serverContent?.modelTurn?.parts ?? []);
  }

  #drain(): void {
    for (let each = this.#session.takeOutput(); each; each = this.#session.takeOutput()) {
      if (each.kind === "message") {
        this.messages.push(JSON.parse(each.text) as Message);
        this.frames.add(each.frame ?? "text");
      } else if (each.kind === "close") this.closed = each;
    }
  }
}

function client(setup: Readonly<Record<string, unknown>> = {}): RawClient {
  return new RawClient().send({ setup: { model: MODEL, ...setup } });
}

function declare(tool: string): readonly unknown[] {
  return [{ functionDeclarations: [{ name: tool }] }];
}

function calls({ messages }: RawClient): readonly Message[] {
  return messages.filter(({ toolCall }) => toolCall !== undefined);
}

describe("the Gemini face of the embedded server", () => {
  it("writes binary frames, all of one kind", () => {
    const talk = client().say("What time is breakfast?").wait(9000);

    expect([...talk.frames]).toEqual(["binary"]);
    expect(talk.messages[0]).toEqual({ setupComplete: {} });
  });

  it("writes instead of speaking where the client wants TEXT, and the turn needs no time to play", () => {
    const talk = client({ generationConfig: { responseModalities: ["TEXT"] } });
    talk.say("What time is breakfast?").wait(2000);

    expect(talk.parts.map(({ text }) => text).join("")).toMatch(/^Breakfast is served/u);
    expect(talk.parts.some(({ inlineData }) => inlineData !== undefined)).toBe(false);
    expect(talk.messages.some(({ serverContent }) => serverContent?.turnComplete)).toBe(true);
  });

  it("tells thoughts where they are asked for, marked as such and before the words", () => {
    const thinkingConfig = { includeThoughts: true };
    const talk = client({ generationConfig: { thinkingConfig } });
    talk.say("What time is breakfast?").wait(9000);
    const [first, ...others] = talk.parts;
    expect(first).toMatchObject({ thought: true, text: expect.any(String) });
    expect(others.some(({ thought }) => thought === true)).toBe(false);

    const silent = client().say("What time is breakfast?").wait(9000);
    expect(silent.parts.some(({ thought }) => thought === true)).toBe(false);
  });

  it("sends messages that say nothing, and several things in one", () => {
    const talk = client({ outputAudioTranscription: {} }).say("What time is breakfast?").wait(9000);
    const contents = talk.messages.flatMap(({ serverContent }) => serverContent ?? []);

    expect(contents.some((content) => Object.keys(content as object).length === 0)).toBe(true);
    expect(
      contents.some(({ modelTurn, outputTranscription }) => {
        return modelTurn !== undefined && outputTranscription !== undefined;
      }),
    ).toBe(true);
    const last = talk.messages.at(-1);
    expect(last).toMatchObject({ serverContent: { turnComplete: true }, usageMetadata: {} });
  });

  it.each(["contextUpdate", "context_update"])(
    "calls what a %s declares, and no longer what it did",
    (name) => {
      const gained = client().send({ [name]: { tools: declare("hangup_call") } });
      expect(calls(gained.say("Please hang up.").wait(9000))).toHaveLength(1);

      const lost = client({ tools: declare("hangup_call") }).send({ [name]: { tools: [] } });
      expect(calls(lost.say("Please hang up.").wait(9000))).toHaveLength(0);

      const kept = client({ tools: declare("hangup_call") });
      kept.send({ [name]: { systemInstruction: { parts: [{ text: "Be kind." }] } } });
      expect(calls(kept.say("Please hang up.").wait(9000))).toHaveLength(1);
    },
  );

  it("takes turns from the client where automatic detection is disabled", () => {
    const automaticActivityDetection = { disabled: true };
    const talk = client({
      realtimeInputConfig: { automaticActivityDetection },
      inputAudioTranscription: {},
    });
    talk
      .send({ realtimeInput: { activityStart: {} } })
      .say("What time is breakfast?")
      .wait(5000);
    expect(talk.parts).toEqual([]);

    talk.send({ realtimeInput: { activityEnd: {} } }).wait(9000);
    const heard = talk.messages.flatMap(
      ({ serverContent }) => serverContent?.inputTranscription ?? [],
    );
    expect(heard).toEqual([{ text: "What time is breakfast?", finished: true }]);
    expect(talk.parts.length).toBeGreaterThan(1);
  });

  it("ends a turn where the client says that no more audio comes", () => {
    const talk = client();
    const { samples, sampleRateHz } = shared.voices.find("caller", "What time is breakfast?");
    talk.hear(resample(samples, sampleRateHz, 16_000)).wait(5000);
    expect(talk.parts).toEqual([]);

    talk.send({ realtimeInput: { audioStreamEnd: true } }).wait(9000);
    expect(talk.parts.length).toBeGreaterThan(1);
  });

  it("answers what is written, and is interrupted by it", () => {
    const talk = client({ outputAudioTranscription: {} });
    const write = (text: string): RawClient =>
      talk.send({
        clientContent: { turns: [{ role: "user", parts: [{ text }] }], turnComplete: true },
      });
    write("Tell me about the hotel.").wait(450);
    expect(talk.parts.length).toBeGreaterThan(0);
    write("What time is breakfast?").wait(9000);

    const contents = talk.messages.flatMap(({ serverContent }) => serverContent ?? []);
    const cut = contents.findIndex(({ interrupted }) => interrupted === true);
    expect(contents[cut + 1]).toMatchObject({ turnComplete: true });
    const words = contents
      .slice(cut)
      .map(({ outputTranscription }) => outputTranscription?.text ?? "");
    expect(words.join("")).toMatch(/^Breakfast is served/u);
  });

  it("calls several functions, and takes all of them back when it is talked over", () => {
    const repertoire = new Repertoire(parseScript(TWO_TOOLS, "two.yaml"), shared.voices);
    const tools = [...declare("hangup_call"), ...declare("send_dtmf")];
    const talk = new RawClient(repertoire)
      .send({ setup: { model: MODEL, tools } })
      .say("Please hang up.")
      .wait(3000);
    const ids = calls(talk).flatMap(({ toolCall }) => toolCall.functionCalls as Message[]);
    expect(ids.map(({ name }) => name)).toEqual(["hangup_call", "send_dtmf"]);

    talk.say("Please hang up.");
    const taken = talk.messages.flatMap(
      ({ toolCallCancellation }) => toolCallCancellation?.ids ?? [],
    );
    expect(taken).toEqual(ids.map(({ id }) => id));
  });

  it.each([
    ["something before the setup", { realtimeInput: { text: "hi" } }],
    ["a second setup", { setup: { model: MODEL } }],
    ["two fields in one message", { realtimeInput: {}, clientContent: {} }],
    ["an unknown field", { nonsense: {} }],
    [
      "audio that is no PCM",
      { realtimeInput: { audio: { data: "AAAA", mimeType: "audio/opus" } } },
    ],
  ])("closes with 1007 on %s", (what, message) => {
    const talk = what === "something before the setup" ? new RawClient() : client();

    expect(talk.send(message).closed?.code).toBe(1007);
  });

  it("closes with 1008 where there is nothing to resume, and with 1011 when its time is over", () => {
    const strange = client({ sessionResumption: { handle: "unknown" } });
    expect(strange.closed?.code).toBe(1008);

    const old = client().wait(600_001);
    expect(old.messages.some(({ goAway }) => goAway !== undefined)).toBe(true);
    expect(old.closed?.code).toBe(1011);
  });
});
