/** A peer's final response to OPTIONS: what it can do, as far as it says so. */
export interface OptionsAnswer {
  readonly statusCode: number;
  readonly reasonPhrase: string;
  /** Methods, media types and extensions, as its headers list them. */
  readonly allow: readonly string[];
  readonly accept: readonly string[];
  readonly supported: readonly string[];
  /** SDP with the media that it knows (RFC 3264 §9). */
  readonly description?: string;
}
