/** What is asked of the holder of a namespace, or told to it. */
export interface HolderRequest {
  /** Missing where no answer is wanted. */
  readonly id?: number;
  readonly verb: string;
  readonly argument: unknown;
}

/** What it answers, a socket beside it where one was asked for; or what it tells by itself. */
export type HolderMessage =
  | { readonly kind: "ready" }
  | { readonly kind: "result"; readonly id: number; readonly result?: unknown }
  | { readonly kind: "failure"; readonly id: number; readonly failure: HolderFailure }
  | { readonly kind: "event"; readonly event: unknown };

/** Why it could not: as the host says it. */
export interface HolderFailure {
  /** "ENOENT", "ECONNREFUSED"; of a program that failed, what it returned. */
  readonly code: string;
  readonly message: string;
}
