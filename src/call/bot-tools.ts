import {
  callTools,
  type HttpToolOptions,
  httpTool,
  readToolModule,
  type ToolHandlers,
  ToolRegistry,
  type UserTool,
  userTools,
} from "../bridge/index.ts";
import type { Environment } from "../environment/index.ts";

/** Which tools a bot's model has beside those that act on the call. Plain data. */
export interface BotToolOptions {
  /** Paths of modules that export `tools` and, or, `http` (docs/tools.md). */
  readonly modules?: readonly string[];
  /** Whom `http_request` may ask; what a module says of that is added. */
  readonly http?: HttpToolOptions;
}

/** What tools may ask of the host beside the environment. */
export interface ToolHost {
  loadModule(path: string): Promise<unknown>;
  /** An environment variable. */
  variable(name: string): string | undefined;
}

/** What belongs to one call. */
export interface ToolsOfCall {
  readonly callId: string;
  readonly handlers: ToolHandlers;
  /** Names that the call may be transferred to. */
  readonly destinations: readonly string[];
  /** See `HttpToolHost`. */
  readonly httpStandIns: Readonly<Record<string, string>>;
}

/** The tools of one bot: loaded once, made anew for each call. */
export class BotTools {
  readonly #environment: Environment;
  readonly #host: ToolHost | undefined;
  readonly #own: readonly UserTool[];
  readonly #http: HttpToolOptions;

  private constructor(
    environment: Environment,
    host: ToolHost | undefined,
    loaded: { readonly own: readonly UserTool[]; readonly http: HttpToolOptions },
  ) {
    this.#environment = environment;
    this.#host = host;
    this.#own = loaded.own;
    this.#http = loaded.http;
  }

  /**
   * The tools that a bot's AI has beside those of the call; `undefined` where it has no AI.
   * @throws UsageError ERR_MODULE_FAILED, ERR_TOOLS_MODULE, ERR_TOOL_DEFINITION, ERR_HTTP_TOOL.
   */
  static async load(
    environment: Environment,
    ai: { readonly tools?: BotToolOptions } | undefined,
    host: ToolHost | undefined,
  ): Promise<BotTools | undefined> {
    if (ai === undefined) return undefined;
    const { modules = [], http } = ai.tools ?? {};
    const read = await Promise.all(
      modules.map(async (path) => readToolModule(await host?.loadModule(path), path)),
    );
    const own = read.flatMap(({ tools }) => tools ?? []);
    const settings = [http, ...read.map((module) => module.http)].filter(
      (each) => each !== undefined,
    );
    const tools = new BotTools(environment, host, { own, http: merged(settings) });
    // What is wrong with them is told now, and not in the first call.
    tools.registryFor({
      callId: "",
      handlers: NO_HANDLERS,
      destinations: [],
      httpStandIns: {},
    });
    return tools;
  }

  registryFor({ callId, handlers, destinations, httpStandIns }: ToolsOfCall): ToolRegistry {
    const { network, clock } = this.#environment;
    const http = httpTool(this.#http, {
      network,
      clock,
      variable: (name) => this.#host?.variable(name),
      standIns: httpStandIns,
    });
    return new ToolRegistry([
      ...callTools(handlers, destinations),
      ...(http === undefined ? [] : [http]),
      ...userTools(this.#own, callId),
    ]);
  }
}

/** Whoever is named last has the last word; hosts and their headers add up. */
function merged(settings: readonly HttpToolOptions[]): HttpToolOptions {
  return settings.reduce(
    (all, each) => ({
      ...all,
      ...each,
      allow: [...new Set([...all.allow, ...each.allow])],
      headers: { ...all.headers, ...each.headers },
    }),
    { allow: [] },
  );
}

const unused = (): never => {
  throw new Error("Bug: this registry only checks whether the tools can be offered.");
};
const NO_HANDLERS: ToolHandlers = { hangUp: unused, sendDigits: unused, transfer: unused };
