import {
  after,
  type Environment,
  type HttpRequest,
  type HttpResponse,
  type ListeningServer,
  UsageError,
} from "../environment/index.ts";
import type { HttpRequestFact } from "../timeline/index.ts";

/** What a stand-in answers to one kind of request. */
export interface StandInAnswer {
  readonly method: string;
  /** With or without a query; without one, any query will do. */
  readonly path: string;
  readonly status: number;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A request that it got, without the party that it will stand under on a timeline. */
export type StandInRequest = Omit<HttpRequestFact, "party">;

/** Of a body kept on a timeline. */
const BODY_CHARACTERS_MAX = 4096;

/**
 * A real HTTP server on this machine in place of one that the bot's AI would ask: it answers what it
 * was told, 404 to all else, and tells each request as it came.
 */
export class StandInServer {
  /** Called for each request before it is answered. */
  onRequest: ((request: StandInRequest) => void) | undefined;
  /** How long it takes for each answer. */
  delayMs = 0;
  /** Whom it stands in for: "https://api.example.com". */
  readonly origin: string;
  /** Where it is: "http://127.0.0.1:PORT". */
  readonly url: string;
  readonly #environment: Environment;
  readonly #server: ListeningServer;
  readonly #answers: StandInAnswer[] = [];

  private constructor(
    environment: Environment,
    opened: { readonly origin: string; readonly server: ListeningServer },
  ) {
    this.#environment = environment;
    this.#server = opened.server;
    this.origin = opened.origin;
    this.url = `http://127.0.0.1:${opened.server.local.port}`;
  }

  /** @throws UsageError ERR_STAND_IN_ORIGIN where there is more or less than an origin. */
  static async start(environment: Environment, origin: string): Promise<StandInServer> {
    const url = URL.canParse(origin) ? new URL(origin) : undefined;
    if (url === undefined || !/^https?:$/u.test(url.protocol) || url.href !== `${url.origin}/`) {
      throw new UsageError(
        "ERR_STAND_IN_ORIGIN",
        `An HTTP server stands in for an origin such as https://api.example.com, not for "${origin}".`,
      );
    }
    let standIn: StandInServer | undefined;
    const server = await environment.network.listenHttp(
      { address: "127.0.0.1", port: 0 },
      {
        onRequest: (request) => standIn?.handle(request) ?? Promise.resolve(NOT_FOUND),
        onUpgrade: () => ({ accept: false, response: NOT_FOUND }),
      },
    );
    standIn = new StandInServer(environment, { origin: url.origin, server });
    return standIn;
  }

  /** From now on, such requests are answered so; the newest counts. */
  answerWith(answer: StandInAnswer): void {
    this.#answers.unshift(answer);
  }

  async handle({ method, target, body }: HttpRequest): Promise<HttpResponse> {
    const { clock } = this.#environment;
    const answer = this.#answers.find(
      (each) =>
        each.method.toUpperCase() === method &&
        (each.path === target || each.path === target.replace(/\?.*$/u, "")),
    );
    this.onRequest?.({
      kind: "httpRequest",
      direction: "received",
      method,
      url: `${this.origin}${target}`,
      statusCode: answer?.status ?? NOT_FOUND.status,
      ...(body === "" ? {} : { body: body.slice(0, BODY_CHARACTERS_MAX) }),
      at: clock.now(),
    });
    if (answer === undefined) return NOT_FOUND;
    const { status, body: text = "", headers = {} } = answer;
    if (this.delayMs > 0) {
      await new Promise<void>((resolve) => {
        clock.setTimer(after(clock.now(), this.delayMs), resolve);
      });
    }
    const type = /^\s*[{[]/u.test(text) ? "application/json" : "text/plain; charset=utf-8";
    return { status, headers: { "Content-Type": type, ...headers }, body: text };
  }

  async close(): Promise<void> {
    await this.#server.close();
  }
}

const NOT_FOUND = {
  status: 404,
  headers: { "Content-Type": "text/plain" },
  body: "The scenario does not say what to answer to this.",
};
