import type { HttpRequest } from "../../environment/index.ts";
import { requestTarget } from "../engine/request-target.ts";

/** The methods under which the session is offered, in both versions of the API. */
const PATH =
  /^\/ws\/google\.ai\.generativelanguage\.v1(?:alpha|beta)\.GenerativeService\.BidiGenerateContent(?:Constrained)?$/u;
const TOKEN = /^(?:Token|Bearer)\s+(\S+)$/iu;

/** Whether a request asks for a Gemini session; Google's JavaScript client sends `//ws/`. */
export function isGeminiPath(target: string): boolean {
  const { pathname } = requestTarget(target);
  return PATH.test(pathname);
}

/** The key or token of a request, in any of the four places where clients put it. */
export function credentialOf(request: HttpRequest): string | undefined {
  const { searchParams } = requestTarget(request.target);
  return (
    request.headers["x-goog-api-key"] ??
    TOKEN.exec(request.headers["authorization"] ?? "")?.[1] ??
    searchParams.get("access_token") ??
    searchParams.get("key") ??
    undefined
  );
}
