import {
  type Channel,
  EnvironmentError,
  type ErrorContext,
  ExpectationError,
  type Fault,
  isSidetoneError,
  RemoteError,
  type SidetoneError,
  UsageError,
} from "../environment/index.ts";

/** Verbs with one argument and one result each; both must survive a structured clone. */
export type Procedures = Readonly<Record<string, (argument: never) => unknown>>;

/** What a procedure is called with. */
export type ArgumentOf<Set extends Procedures, Verb extends keyof Set> = Parameters<Set[Verb]>[0];

/** What a procedure comes to. */
export type ResultOf<Set extends Procedures, Verb extends keyof Set> = Awaited<
  ReturnType<Set[Verb]>
>;

interface RequestMessage {
  readonly type: "request";
  readonly id: number;
  readonly verb: string;
  readonly argument: unknown;
}

interface ReplyMessage {
  readonly type: "reply";
  readonly id: number;
  readonly value?: unknown;
  readonly error?: PlainError;
}

interface NoticeMessage {
  readonly type: "notice";
  readonly notice: unknown;
}

/** Which messages between threads are answered, and which are answers. */
export const THREAD_MESSAGES = {
  isRequest: (message: unknown): boolean => typeOf(message) === "request",
  isReply: (message: unknown): boolean => typeOf(message) === "reply",
} as const;

function typeOf(message: unknown): string {
  return (message as { readonly type: string }).type;
}

/** An error as plain data, to cross a thread's border. */
interface PlainError {
  readonly fault?: Fault;
  readonly code?: string;
  readonly message: string;
  readonly context?: ErrorContext;
}

/** Calls procedures that another thread serves, and hears its notices. */
export class RemoteProcedures<Set extends Procedures, Notice> {
  onNotice: ((notice: Notice) => void) | undefined;
  readonly #channel: Channel;
  readonly #pending = new Map<
    number,
    { readonly resolve: (value: never) => void; readonly reject: (error: Error) => void }
  >();
  #nextId = 1;
  #goneBecause: Error | undefined;

  constructor(channel: Channel) {
    this.#channel = channel;
    channel.onMessage = (message) => this.#receive(message as ReplyMessage | NoticeMessage);
    channel.onGone = (error) => this.#end(error);
  }

  /** @throws what the procedure threw; EnvironmentError ERR_THREAD_ENDED where its thread ended. */
  call<Verb extends keyof Set & string>(
    verb: Verb,
    argument: ArgumentOf<Set, Verb>,
  ): Promise<ResultOf<Set, Verb>> {
    if (this.#goneBecause !== undefined) return Promise.reject(this.#goneBecause);
    const id = this.#nextId;
    this.#nextId += 1;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
      this.#channel.post({ type: "request", id, verb, argument } satisfies RequestMessage);
    });
  }

  /** Ends the other thread. */
  terminate(): Promise<void> {
    return this.#channel.terminate();
  }

  #receive(message: ReplyMessage | NoticeMessage): void {
    if (message.type === "notice") {
      this.onNotice?.(message.notice as Notice);
      return;
    }
    const waiting = this.#pending.get(message.id);
    this.#pending.delete(message.id);
    if (message.error === undefined) waiting?.resolve(message.value as never);
    else waiting?.reject(errorFromPlain(message.error));
  }

  #end(cause: Error | undefined): void {
    this.#goneBecause = new EnvironmentError(
      "ERR_THREAD_ENDED",
      `The thread that carries the calls has ended${cause === undefined ? "" : `: ${cause.message}`}.`,
      { cause },
    );
    for (const { reject } of this.#pending.values()) reject(this.#goneBecause);
    this.#pending.clear();
  }
}

/** Serves procedures to the other end of `channel`; the result sends notices there. */
export function serveProcedures(
  channel: Channel,
  procedures: Procedures,
): (notice: unknown) => void {
  channel.onMessage = (message) => {
    void answerRequest(channel, procedures, message as RequestMessage);
  };
  return (notice) => channel.post({ type: "notice", notice } satisfies NoticeMessage);
}

async function answerRequest(
  channel: Channel,
  procedures: Procedures,
  request: RequestMessage,
): Promise<void> {
  const { id } = request;
  try {
    const procedure = procedures[request.verb];
    if (procedure === undefined) throw new Error(`Bug: no procedure "${request.verb}".`);
    const value = await procedure(request.argument as never);
    channel.post({ type: "reply", id, value } satisfies ReplyMessage);
  } catch (error) {
    channel.post({ type: "reply", id, error: plainError(error) } satisfies ReplyMessage);
  }
}

function plainError(error: unknown): PlainError {
  if (isSidetoneError(error)) {
    const { fault, code, message, context } = error;
    return { fault, code, message, context };
  }
  return { message: error instanceof Error ? (error.stack ?? error.message) : String(error) };
}

function errorFromPlain(plain: PlainError): Error {
  if (plain.fault === undefined || plain.code === undefined) return new Error(plain.message);
  const Class = CLASS_OF[plain.fault];
  return new Class(plain.code, plain.message, { context: plain.context ?? {} });
}

const CLASS_OF: Readonly<
  Record<Fault, new (...parameters: ConstructorParameters<typeof UsageError>) => SidetoneError>
> = {
  usage: UsageError,
  environment: EnvironmentError,
  remote: RemoteError,
  expectation: ExpectationError,
};
