import {
  type Clock,
  type HttpClientResponse,
  isSidetoneError,
  type Network,
  RemoteError,
} from "../environment/index.ts";
import { HttpPolicy, type HttpToolOptions } from "./http-policy.ts";
import type { Tool, ToolAnswer, ToolArguments, ToolContext } from "./tools.ts";

/** What an HTTP tool stands on. */
export interface HttpToolHost {
  readonly network: Pick<Network, "requestHttp">;
  readonly clock: Clock;
  /** Reads an environment variable. */
  readonly variable: (name: string) => string | undefined;
  /**
   * Servers that stand in for others: an origin ("https://api.example.com") and the one to ask
   * instead ("http://127.0.0.1:8080"). What stands in may be asked, whatever its address.
   */
  readonly standIns?: Readonly<Record<string, string>>;
}

/** What the model may say of a request's headers. */
const MODEL_HEADERS: ReadonlySet<string> = new Set(["accept", "accept-language", "content-type"]);
const METHODS = ["GET", "POST"];
const TIMEOUT_MS = 10_000;
const BYTES_MAX = 65_536;
const REDIRECTS_MAX = 3;
/** RFC 9110 §15.4; 304 is no redirection. */
const REDIRECTIONS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
const TEXTUAL = /^(?:text\/|application\/(?:[\w.+-]*\+)?(?:json|xml)|application\/x-www-form)/iu;
/** Beyond what the requests themselves may take, so that their own errors are told. */
const TIMEOUT_MARGIN_MS = 500;

/**
 * Lets the model ask HTTP servers of a list; `undefined` where the list is empty.
 * @throws UsageError ERR_HTTP_TOOL.
 */
export function httpTool(options: HttpToolOptions, host: HttpToolHost): Tool | undefined {
  const standIns = Object.keys(host.standIns ?? {});
  const allow = [...options.allow, ...standIns];
  if (allow.length === 0) return undefined;
  const policy = new HttpPolicy({ ...options, allow }, host.variable);
  const timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
  const methods = (options.methods ?? METHODS).map((method) => method.toUpperCase());
  return {
    definition: {
      name: "http_request",
      description: `Asks an HTTP server and gives its answer. Permitted are: ${allow.join(", ")}.`,
      parameters: {
        type: "object",
        properties: {
          method: { type: "string", enum: methods, description: "Default: the first of these." },
          url: { type: "string", minLength: 1, maxLength: 2048, description: "https://host/path" },
          body: { type: "string", maxLength: BYTES_MAX, description: "What is sent, e.g. JSON." },
          headers: {
            type: "object",
            additionalProperties: { type: "string", maxLength: 1024, pattern: "^[ -~]*$" },
            description: `Of these: ${[...MODEL_HEADERS].join(", ")}.`,
          },
        },
        required: ["url"],
        additionalProperties: false,
      },
    },
    actsOnCall: false,
    waitsForSpeech: false,
    timeoutMs: timeoutMs + TIMEOUT_MARGIN_MS,
    responds: true,
    run: (args, context) => new Exchange(options, { ...host, policy, methods }).run(args, context),
  };
}

interface Hop {
  readonly method: string;
  readonly url: string;
  readonly body: string | undefined;
  readonly base?: URL;
}

/** One tool call: the request, and those that redirections lead to. */
class Exchange {
  readonly #options: HttpToolOptions;
  readonly #host: HttpToolHost & {
    readonly policy: HttpPolicy;
    readonly methods: readonly string[];
  };

  constructor(
    options: HttpToolOptions,
    host: HttpToolHost & { readonly policy: HttpPolicy; readonly methods: readonly string[] },
  ) {
    this.#options = options;
    this.#host = host;
  }

  async run(args: ToolArguments, context: ToolContext): Promise<ToolAnswer> {
    const method = (args["method"] as string | undefined) ?? this.#host.methods[0] ?? "GET";
    const headers = modelHeaders(args["headers"] as Readonly<Record<string, string>> | undefined);
    let hop: Hop = { method, url: args["url"] as string, body: args["body"] as string | undefined };
    for (let left = this.#options.redirectsMax ?? REDIRECTS_MAX; left >= 0; left -= 1) {
      // oxlint-disable-next-line no-await-in-loop -- one redirection leads to the next.
      const { url, response } = await this.#ask(hop, headers, context);
      const location = response.headers["location"];
      if (!REDIRECTIONS.has(response.status) || location === undefined) {
        return this.#answerOf(response);
      }
      hop = redirected(hop, { status: response.status, location, base: url });
    }
    throw new RemoteError("ERR_HTTP_TOO_MANY_REDIRECTS", "It was redirected too often.");
  }

  async #ask(
    { method, url: text, body, base }: Hop,
    headers: Readonly<Record<string, string>>,
    context: ToolContext,
  ): Promise<{ readonly url: URL; readonly response: HttpClientResponse }> {
    const { policy, network, standIns = {} } = this.#host;
    const {
      timeoutMs = TIMEOUT_MS,
      bytesMax = BYTES_MAX,
      allowsPrivateAddresses,
      ca,
    } = this.#options;
    const { url, headers: secret } = policy.permit(text, base);
    const standIn = standIns[url.origin];
    const asked = standIn === undefined ? url : new URL(`${url.pathname}${url.search}`, standIn);
    const told = { method, url: policy.redact(url.href) };
    try {
      const response = await network.requestHttp({
        method,
        url: asked.href,
        headers: { ...headers, ...secret, ...(standIn === undefined ? {} : { Host: url.host }) },
        ...(body === undefined ? {} : { body }),
        timeoutMs,
        bytesMax,
        reach: standIn !== undefined || allowsPrivateAddresses === true ? "anywhere" : "public",
        ...(ca === undefined ? {} : { ca }),
        signal: context.signal,
      });
      this.#note(context, { ...told, statusCode: response.status });
      return { url, response };
    } catch (error) {
      this.#note(context, {
        ...told,
        code: isSidetoneError(error) ? error.code : "ERR_HTTP_FAILED",
      });
      throw error;
    }
  }

  #note(
    { record, toolCallId }: ToolContext,
    told: {
      readonly method: string;
      readonly url: string;
      readonly statusCode?: number;
      readonly code?: string;
    },
  ): void {
    const at = this.#host.clock.now();
    record({ kind: "httpRequest", direction: "sent", toolCallId, ...told, at });
  }

  #answerOf({ status, headers, body }: HttpClientResponse): ToolAnswer {
    const contentType = headers["content-type"] ?? "";
    const isText = contentType === "" || TEXTUAL.test(contentType);
    return {
      httpStatus: status,
      contentType,
      body: isText ? this.#host.policy.redact(body) : "[not a text]",
    };
  }
}

/** As browsers do: 303, and 301 and 302 after a POST, are asked with GET (RFC 9110 §15.4). */
function redirected(
  { method, body }: Hop,
  {
    status,
    location,
    base,
  }: { readonly status: number; readonly location: string; readonly base: URL },
): Hop {
  const isKept = status === 307 || status === 308 || method === "GET" || method === "HEAD";
  return isKept
    ? { method, url: location, body, base }
    : { method: "GET", url: location, body: undefined, base };
}

/** @throws RemoteError ERR_HTTP_NOT_PERMITTED. */
function modelHeaders(headers: Readonly<Record<string, string>> = {}): Record<string, string> {
  const chosen: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (!MODEL_HEADERS.has(name.toLowerCase())) {
      throw new RemoteError(
        "ERR_HTTP_NOT_PERMITTED",
        `The header "${name.slice(0, 40)}" may not be chosen; only: ${[...MODEL_HEADERS].join(", ")}.`,
      );
    }
    chosen[name.toLowerCase()] = value;
  }
  return chosen;
}
