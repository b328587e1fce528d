import {
  after,
  type Environment,
  elapsedMs,
  type HttpClientResponse,
  type Instant,
  isoTimeMs,
  isSidetoneError,
} from "../environment/index.ts";
import { type NoVerdict, VERDICT_SCHEMA } from "./judge-answer.ts";
import type { ChatMessage } from "./judge-prompt.ts";
import type { CheckedSettings } from "./judge-settings.ts";

/** What came of a request: the body of an answer 2xx, or why there is none. */
export type ChatOutcome = { readonly body: string } | NoVerdict;

/** How a server is asked: from what holds the model best to what every server takes. */
const FORMATS = [
  {
    response_format: {
      type: "json_schema",
      json_schema: { name: "verdict", strict: true, schema: VERDICT_SCHEMA },
    },
  },
  { response_format: { type: "json_object" } },
  {},
] as const;

/** Status codes of servers that do not know a field of the request. */
const NOT_UNDERSTOOD: ReadonlySet<number> = new Set([400, 422]);
const ATTEMPTS_MAX = 3;
const FIRST_PAUSE_MS = 1000;
/** Whoever asks for a longer pause is not waited for. */
const PAUSE_MS_MAX = 20_000;
const ANSWER_BYTES_MAX = 1_048_576;

/** Which optional fields a request has. */
interface RequestForm {
  /** Place in `FORMATS`. */
  readonly format: number;
  /** Models that reason take no other temperature than their own. */
  readonly choosesTemperature: boolean;
}

/**
 * Asks an OpenAI-compatible chat endpoint: repeats what failed for the moment (429, 5xx), and learns
 * which of the optional fields the server takes.
 */
export class ChatClient {
  readonly #world: Pick<Environment, "clock" | "network">;
  readonly #settings: CheckedSettings;
  /** The last one that the server understood. */
  #form: RequestForm;

  constructor(world: Pick<Environment, "clock" | "network">, settings: CheckedSettings) {
    this.#world = world;
    this.#settings = settings;
    // Votes that are all alike would be one vote.
    this.#form = { format: 0, choosesTemperature: settings.votes === 1 };
  }

  /** Never rejects because of what the server does. */
  async ask(messages: readonly ChatMessage[], deadline: Instant): Promise<ChatOutcome> {
    let form = this.#form;
    for (let attempt = 1; ; ) {
      // oxlint-disable-next-line no-await-in-loop -- one attempt after the other.
      const response = await this.#post(messages, form, deadline);
      if ("code" in response) return response;
      const { status } = response;
      if (status >= 200 && status < 300) {
        this.#form = form;
        return { body: response.body };
      }
      const simpler = NOT_UNDERSTOOD.has(status) ? simplerForm(form, response.body) : undefined;
      if (simpler !== undefined) {
        form = simpler;
        continue;
      }
      if (status !== 429 && status < 500) return refusalOf(status);
      const pauseMs = pauseOf(response, attempt, this.#world.clock.wallClockMs());
      const leftMs = elapsedMs(this.#world.clock.now(), deadline);
      if (attempt === ATTEMPTS_MAX || pauseMs > Math.min(PAUSE_MS_MAX, leftMs)) {
        return givenUp(status, attempt, pauseMs);
      }
      // oxlint-disable-next-line no-await-in-loop -- as the server asked.
      await this.#pause(pauseMs);
      attempt += 1;
    }
  }

  async #post(
    messages: readonly ChatMessage[],
    { format, choosesTemperature }: RequestForm,
    deadline: Instant,
  ): Promise<HttpClientResponse | NoVerdict> {
    const { endpoint, model, apiKey, timeoutMs } = this.#settings;
    const leftMs = Math.ceil(elapsedMs(this.#world.clock.now(), deadline));
    if (leftMs <= 0) return timedOut(timeoutMs);
    try {
      return await this.#world.network.requestHttp({
        method: "POST",
        url: endpoint.href,
        headers: {
          "Content-Type": "application/json",
          Accept: "application/json",
          ...(apiKey === undefined ? {} : { Authorization: `Bearer ${apiKey}` }),
        },
        body: JSON.stringify({
          model,
          messages,
          ...(choosesTemperature ? { temperature: 0 } : {}),
          ...FORMATS[format],
        }),
        timeoutMs: leftMs,
        bytesMax: ANSWER_BYTES_MAX,
        reach: "anywhere",
      });
    } catch (error) {
      if (!isSidetoneError(error)) throw error;
      if (error.code === "ERR_HTTP_TIMED_OUT") return timedOut(timeoutMs);
      if (error.code === "ERR_HTTP_TOO_LARGE") {
        return { code: "ERR_JUDGE_ANSWER_MALFORMED", detail: "it is far too long" };
      }
      return { code: "ERR_JUDGE_UNREACHABLE", detail: error.message };
    }
  }

  #pause(ms: number): Promise<void> {
    const { clock } = this.#world;
    return new Promise((resolve) => {
      clock.setTimer(after(clock.now(), ms), resolve);
    });
  }
}

/** Without what the server seems not to know; `undefined` where nothing is left to leave out. */
function simplerForm(form: RequestForm, body: string): RequestForm | undefined {
  if (form.choosesTemperature && /temperature/iu.test(body)) {
    return { ...form, choosesTemperature: false };
  }
  if (form.format === FORMATS.length - 1) return undefined;
  return { ...form, format: form.format + 1 };
}

/** What the server says (RFC 9110 §10.2.3: seconds, or a date), or growing pauses. */
function pauseOf({ headers }: HttpClientResponse, attempt: number, wallClockMs: number): number {
  const said = headers["retry-after"]?.trim() ?? "";
  if (/^\d+$/u.test(said)) return Number(said) * 1000;
  const until = isoTimeMs(said);
  if (!Number.isNaN(until)) return Math.max(0, until - wallClockMs);
  return FIRST_PAUSE_MS * 2 ** (attempt - 1);
}

/** Bodies of refusals are not told: servers quote keys in them. */
function refusalOf(status: number): NoVerdict {
  if (status === 401 || status === 403) {
    return {
      code: "ERR_JUDGE_KEY_REFUSED",
      detail: `the server refuses SIDETONE_JUDGE_KEY (HTTP ${status})`,
    };
  }
  return { code: "ERR_JUDGE_HTTP", detail: `the server answered HTTP ${status}` };
}

function givenUp(status: number, attempts: number, pauseMs: number): NoVerdict {
  const often = attempts === 1 ? "" : ` ${attempts} times`;
  const wait = pauseMs > PAUSE_MS_MAX ? `, and wants ${Math.ceil(pauseMs / 1000)} s of pause` : "";
  return {
    code: status === 429 ? "ERR_JUDGE_RATE_LIMITED" : "ERR_JUDGE_HTTP",
    detail: `the server answered HTTP ${status}${often}${wait}`,
  };
}

function timedOut(timeoutMs: number): NoVerdict {
  return { code: "ERR_JUDGE_TIMED_OUT", detail: `it took longer than ${timeoutMs} ms` };
}
