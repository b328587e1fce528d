import {
  type HttpClientRequest,
  type HttpClientResponse,
  RemoteError,
} from "../../../src/environment/index.ts";
import {
  type JudgedDialogue,
  type JudgeFinding,
  type JudgeSettings,
  LanguageModelJudge,
} from "../../../src/judge/index.ts";
import { NodeCryptography } from "../../../src/platform/index.ts";
import { ManualClock } from "../../../src/testing/index.ts";
import { type Behaviour, type BehaviourName, ChatDouble } from "./chat-double.ts";

export const KEY = "planted-judge-key";

/** A judge whose server is within the process, and whose time passes when it is told to. */
export class JudgeLab {
  readonly clock: ManualClock = new ManualClock();
  readonly double: ChatDouble;
  readonly judge: LanguageModelJudge;
  /** When each request came. */
  readonly askedAtMs: number[] = [];

  constructor(behaviour: Behaviour | BehaviourName, settings: Partial<JudgeSettings> = {}) {
    this.double = new ChatDouble(behaviour);
    const { clock } = this;
    const cryptography = new NodeCryptography();
    this.judge = new LanguageModelJudge(
      {
        clock,
        cryptography,
        network: { requestHttp: (request: HttpClientRequest) => this.#send(request) } as never,
      },
      { url: "https://judge.example/v1", model: "judge-1", apiKey: KEY, ...settings },
    );
  }

  /** Asks, and lets time pass until there is an answer. */
  async ask(
    question = "the bot is polite",
    dialogue: JudgedDialogue = { lines: [], isOver: true },
  ): Promise<JudgeFinding> {
    const found: JudgeFinding[] = [];
    const asked = this.judge.ask(question, dialogue).then((finding) => found.push(finding));
    for (let second = 0; found.length === 0 && second < 400; second += 1) {
      await this.clock.advanceAsync(1000);
    }
    const [finding] = found;
    if (finding === undefined) throw new Error("The judge never gave up.");
    await asked;
    return finding;
  }

  #send(request: HttpClientRequest): Promise<HttpClientResponse> {
    this.askedAtMs.push(this.clock.now());
    const { method, url, headers = {}, body = "" } = request;
    const { pathname, search } = new URL(url);
    const answer = this.double.answer({ method, path: `${pathname}${search}`, headers, body });
    if (answer === "resets") {
      return Promise.reject(new RemoteError("ERR_HTTP_FAILED", "judge.example: ECONNRESET."));
    }
    if (answer !== "hangs" && answer.body.length <= request.bytesMax) {
      return Promise.resolve({ headers: {}, ...answer });
    }
    const code = answer === "hangs" ? "ERR_HTTP_TIMED_OUT" : "ERR_HTTP_TOO_LARGE";
    return new Promise((_resolve, reject) => {
      const dueAt = (this.clock.now() + (answer === "hangs" ? request.timeoutMs : 0)) as never;
      this.clock.setTimer(dueAt, () => reject(new RemoteError(code, "It is over.")));
    });
  }
}
