import { UsageError } from "../environment/index.ts";

/** Which model judges, and where it is asked. */
export interface JudgeSettings {
  /** An OpenAI-compatible API ("https://api.openai.com/v1"), or its chat endpoint. */
  readonly url: string;
  readonly model: string;
  /** Sent as a bearer token. Never logged, reported or recorded. Servers of one's own may need none. */
  readonly apiKey?: string;
  /** How often a question is asked; the majority decides. Odd, up to 9; default 1. */
  readonly votes?: number;
  /** For a question, repeated requests included; up to 300 000, default 60 000. */
  readonly timeoutMs?: number;
}

/** The same, checked. */
export interface CheckedSettings {
  readonly endpoint: URL;
  readonly model: string;
  readonly apiKey: string | undefined;
  readonly votes: number;
  readonly timeoutMs: number;
}

const VOTES_MAX = 9;
const TIMEOUT_MS = { usual: 60_000, least: 100, most: 300_000 };
const CHAT_PATH = "/chat/completions";

/**
 * Settings from environment variables: SIDETONE_JUDGE_URL and SIDETONE_JUDGE_MODEL; where needed
 * SIDETONE_JUDGE_KEY; SIDETONE_JUDGE_VOTES and SIDETONE_JUDGE_TIMEOUT_MS.
 *
 * @param variable reads one.
 * @throws UsageError ERR_JUDGE_MISSING, ERR_JUDGE_SETTING.
 */
export function judgeSettingsFrom(variable: (name: string) => string | undefined): JudgeSettings {
  const read = (name: string): string | undefined => {
    const value = variable(`SIDETONE_JUDGE_${name}`)?.trim();
    return value === "" ? undefined : value;
  };
  const url = read("URL");
  const model = read("MODEL");
  if (url === undefined || model === undefined) throw missing(url, model);
  const apiKey = read("KEY");
  const votes = read("VOTES");
  const timeoutMs = read("TIMEOUT_MS");
  return {
    url,
    model,
    ...(apiKey === undefined ? {} : { apiKey }),
    ...(votes === undefined ? {} : { votes: Number(votes) }),
    ...(timeoutMs === undefined ? {} : { timeoutMs: Number(timeoutMs) }),
  };
}

/** @throws UsageError ERR_JUDGE_SETTING. */
export function checked(settings: JudgeSettings): CheckedSettings {
  const { model, apiKey, votes = 1, timeoutMs = TIMEOUT_MS.usual } = settings;
  if (!Number.isInteger(votes) || votes < 1 || votes > VOTES_MAX || votes % 2 === 0) {
    throw wrong("VOTES", `an odd number from 1 to ${VOTES_MAX}`);
  }
  const { least, most } = TIMEOUT_MS;
  if (!(timeoutMs >= least && timeoutMs <= most)) {
    throw wrong("TIMEOUT_MS", `a number of milliseconds from ${least} to ${most}`);
  }
  // What cannot stand in a header would make the request fail with the key in the message.
  if (apiKey !== undefined && !/^[!-~]+$/u.test(apiKey)) {
    throw wrong("KEY", "one word of printable ASCII characters");
  }
  return { endpoint: endpointOf(settings.url), model, apiKey, votes, timeoutMs };
}

/** The chat endpoint of an API that is named with or without it; a query stays (Azure). */
function endpointOf(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isHttp = url?.protocol === "https:" || url?.protocol === "http:";
  // A key in the URL would be seen wherever the URL is.
  if (url === undefined || !isHttp || url.username !== "" || url.password !== "") {
    throw wrong("URL", "an http: or https: URL without user and password");
  }
  const path = url.pathname.replace(/\/+$/u, "");
  if (path === "") url.pathname = `/v1${CHAT_PATH}`;
  else if (!path.endsWith(CHAT_PATH)) url.pathname = `${path}${CHAT_PATH}`;
  url.hash = "";
  return url;
}

function missing(url: string | undefined, model: string | undefined): UsageError {
  const names = [
    ...(url === undefined ? ["SIDETONE_JUDGE_URL"] : []),
    ...(model === undefined ? ["SIDETONE_JUDGE_MODEL"] : []),
  ];
  return new UsageError(
    "ERR_JUDGE_MISSING",
    `A step asks a language model, but ${names.join(" and ")} ${names.length === 1 ? "is" : "are"} not set. Set SIDETONE_JUDGE_URL to an OpenAI-compatible API, such as https://api.openai.com/v1, SIDETONE_JUDGE_MODEL to a model there, and SIDETONE_JUDGE_KEY to its key, if it needs one. See docs/ai-tester.md.`,
    { context: { missing: names } },
  );
}

/** Without the value: it might be a key that was put into the wrong variable. */
function wrong(name: string, wanted: string): UsageError {
  return new UsageError("ERR_JUDGE_SETTING", `SIDETONE_JUDGE_${name} has to be ${wanted}.`);
}
