/** A request as an OpenAI-compatible chat endpoint gets it. */
export interface DoubleRequest {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What it does then. */
export type DoubleAnswer =
  | {
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body: string;
    }
  /** Never answers. */
  | "hangs"
  /** Closes the connection. */
  | "resets";

/** One way to answer, well or badly. */
export type Behaviour = (request: DoubleRequest, count: number) => DoubleAnswer;

interface ChatBody {
  readonly model: string;
  readonly messages: readonly { readonly role: string; readonly content: string }[];
  readonly temperature?: number;
  readonly response_format?: { readonly type: string };
}

/** What the double was told of a call. */
export interface SeenPrompt {
  readonly statement: string;
  readonly lines: readonly Readonly<Record<string, unknown>>[];
}

/** Reads a prompt as a model would that takes it literally: what stands between the marks is data. */
export function promptIn(request: DoubleRequest): SeenPrompt {
  const { messages } = JSON.parse(request.body) as ChatBody;
  const text = messages.find(({ role }) => role === "user")?.content ?? "";
  const [, fence = ""] = /^BEGIN (\S+)$/mu.exec(text) ?? [];
  const all = text.split("\n");
  const inside = all.slice(all.indexOf(`BEGIN ${fence}`) + 1, all.lastIndexOf(`END ${fence}`));
  const [, statement = '""'] = /^The statement: (.*)$/mu.exec(text) ?? [];
  return {
    statement: JSON.parse(statement) as string,
    lines: inside.map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>),
  };
}

/** An answer with this content. */
function says(content: unknown, more: Readonly<Record<string, unknown>> = {}): DoubleAnswer {
  const { finish_reason = "stop", ...message } = more;
  return {
    status: 200,
    body: JSON.stringify({
      id: "chatcmpl-1",
      object: "chat.completion",
      choices: [{ index: 0, finish_reason, message: { role: "assistant", content, ...message } }],
      usage: { prompt_tokens: 400, completion_tokens: 20, total_tokens: 420 },
    }),
  };
}

/** A verdict in the form that is asked for. */
function finds(verdict: boolean | null, reason = "The transcript shows it."): DoubleAnswer {
  return says(JSON.stringify({ reason, verdict }));
}

function refuses(status: number, headers: Readonly<Record<string, string>> = {}): DoubleAnswer {
  // As OpenAI does, which quotes the key.
  const message = "Incorrect API key provided: planted-judge-key. You can find yours elsewhere.";
  return { status, headers, body: JSON.stringify({ error: { message, type: "invalid" } }) };
}

function understands(accepts: (body: ChatBody) => boolean, complaint: string): Behaviour {
  return (request) =>
    accepts(JSON.parse(request.body) as ChatBody)
      ? finds(true)
      : { status: 400, body: JSON.stringify({ error: { message: complaint } }) };
}

/** Their names. */
export type BehaviourName =
  | "literal"
  | "true"
  | "false"
  | "cannotTell"
  | "hangs"
  | "resets"
  | "refusesKey"
  | "forbids"
  | "notFound"
  | "redirects"
  | "limitsOnce"
  | "limitsOnceUntilDate"
  | "limitsAlways"
  | "limitsForLong"
  | "failsOnce"
  | "failsAlways"
  | "notJson"
  | "noChoices"
  | "noVerdict"
  | "verdictAsWord"
  | "noReason"
  | "prose"
  | "nothing"
  | "twoVerdicts"
  | "fenced"
  | "thinks"
  | "inParts"
  | "declines"
  | "filtered"
  | "cutShort"
  | "endless"
  | "noSchema"
  | "noFormat"
  | "noTemperature"
  | "understandsNothing"
  | "quotesKey";

/** Every way to misbehave, by name. */
export const BEHAVIOURS: Readonly<Record<BehaviourName, Behaviour>> = {
  /** Finds true what a line of the transcript holds word for word. */
  literal: (request) => {
    const { statement, lines } = promptIn(request);
    const isSaid = lines.some(({ says: said }) => String(said).includes(statement));
    return finds(isSaid, isSaid ? "Those are its words." : "Nobody says that.");
  },
  true: () => finds(true),
  false: () => finds(false, "The bot never told it."),
  cannotTell: () => finds(null, "It is about time."),
  hangs: () => "hangs",
  resets: () => "resets",
  refusesKey: () => refuses(401),
  forbids: () => refuses(403),
  notFound: () => refuses(404),
  redirects: () => ({ status: 302, headers: { location: "http://192.0.2.1/" }, body: "" }),
  limitsOnce: (_request, count) =>
    count === 1 ? refuses(429, { "retry-after": "2" }) : finds(true),
  limitsOnceUntilDate: (_request, count) =>
    count === 1 ? refuses(429, { "retry-after": "Sun, 15 Jun 2025 15:06:45 GMT" }) : finds(true),
  limitsAlways: () => refuses(429),
  limitsForLong: () => refuses(429, { "retry-after": "3600" }),
  failsOnce: (_request, count) => (count === 1 ? refuses(500) : finds(true)),
  failsAlways: () => refuses(503),
  notJson: () => ({ status: 200, body: "<html>It works!</html>" }),
  noChoices: () => ({ status: 200, body: '{"choices":[]}' }),
  noVerdict: () => says('{"reason":"I am not sure."}'),
  verdictAsWord: () => says('{"reason":"Yes.","verdict":"true"}'),
  noReason: () => says('{"reason":" ","verdict":true}'),
  prose: () => says("Yes, that is true."),
  nothing: () => says(null),
  twoVerdicts: () => says('{"reason":"a","verdict":true}{"reason":"b","verdict":false}'),
  fenced: () => says('```json\n{"reason":"It does.","verdict":true}\n```'),
  thinks: () => says('<think>{"verdict":false}</think>\n{"reason":"It does.","verdict":true}'),
  inParts: () => says([{ type: "text", text: '{"reason":"It does.","verdict":true}' }]),
  declines: () => says(null, { refusal: "I cannot help with that." }),
  filtered: () => says("", { finish_reason: "content_filter" }),
  cutShort: () => says('{"reason":"It do', { finish_reason: "length" }),
  endless: () => ({ status: 200, body: "x".repeat(1_100_000) }),
  noSchema: understands(
    ({ response_format: format }) => format?.type !== "json_schema",
    "'response_format.type' must be 'json_object'",
  ),
  noFormat: understands(
    ({ response_format: format }) => format === undefined,
    "response_format: extra inputs are not permitted",
  ),
  noTemperature: understands(
    ({ temperature }) => temperature === undefined,
    "Unsupported value: 'temperature' does not support 0 with this model.",
  ),
  understandsNothing: understands(() => false, "No."),
  quotesKey: () => finds(false, "Bearer planted-judge-key\nhas\u001b[31m  no place here."),
};

/** An OpenAI-compatible chat endpoint that behaves as it is told, and keeps what it was asked. */
export class ChatDouble {
  readonly requests: DoubleRequest[] = [];
  behaviour: Behaviour;

  constructor(behaviour: Behaviour | BehaviourName) {
    this.behaviour = typeof behaviour === "string" ? BEHAVIOURS[behaviour] : behaviour;
  }

  answer(request: DoubleRequest): DoubleAnswer {
    this.requests.push(request);
    return this.behaviour(request, this.requests.length);
  }

  /** The bodies that it got, parsed. */
  get bodies(): ChatBody[] {
    return this.requests.map(({ body }) => JSON.parse(body) as ChatBody);
  }
}
