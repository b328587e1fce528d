/** Deeper than any message of the protocol: what is below stays as it is. */
const DEPTH_MAX = 12;
/** Their fields are the user's, not the protocol's. */
const OPAQUE: ReadonlySet<string> = new Set([
  "args",
  "response",
  "parameters",
  "parametersJsonSchema",
]);

/**
 * The value with its fields' names in camelCase: protobuf's JSON mapping lets clients write
 * `realtime_input` as well as `realtimeInput`, and Google's Python client writes both in one message.
 */
export function camelCased(value: unknown, depth = 0): unknown {
  if (typeof value !== "object" || value === null || depth > DEPTH_MAX) return value;
  if (Array.isArray(value)) return value.map((each) => camelCased(each, depth + 1));
  const entries = Object.entries(value).map(([name, field]): [string, unknown] => {
    const camel = name.replaceAll(/_([a-z0-9])/gu, (_match, letter: string) =>
      letter.toUpperCase(),
    );
    return [camel, OPAQUE.has(camel) ? field : camelCased(field, depth + 1)];
  });
  return Object.fromEntries(entries.filter(([name]) => name !== "__proto__"));
}
