/**
 * Path and query of a request, whatever its client wrote: Google's JavaScript client begins with
 * `//`, others may send what is no target at all, which is then a path that nobody offers.
 */
export function requestTarget(target: string): {
  readonly pathname: string;
  readonly searchParams: URLSearchParams;
} {
  const path = target.replace(/^\/+/u, "/");
  return URL.canParse(path, BASE) ? new URL(path, BASE) : new URL(BASE);
}

const BASE = "http://localhost";
