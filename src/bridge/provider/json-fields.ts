/** A JSON object of which nothing is known yet. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** Parses a JSON object; `undefined` for anything else. */
export function parseObject(text: string): JsonObject | undefined {
  try {
    return asObject(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** The value, if it is a JSON object (and no array). */
export function asObject(value: unknown): JsonObject | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  return value as JsonObject;
}

/** A field that is an object; `undefined` where it is missing or something else. */
export function objectField(object: JsonObject | undefined, name: string): JsonObject | undefined {
  return asObject(field(object, name));
}

/** A field that is a text; `undefined` where it is missing or something else. */
export function textField(object: JsonObject | undefined, name: string): string | undefined {
  const value = field(object, name);
  return typeof value === "string" ? value : undefined;
}

/** A field that is a finite number; `undefined` where it is missing or something else. */
export function numberField(object: JsonObject | undefined, name: string): number | undefined {
  const value = field(object, name);
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
}

/** The objects of a field that is a list; empty where it is none. */
export function objectsField(object: JsonObject | undefined, name: string): readonly JsonObject[] {
  const value = field(object, name);
  if (!Array.isArray(value)) return [];
  return value.map(asObject).filter((entry) => entry !== undefined);
}

function field(object: JsonObject | undefined, name: string): unknown {
  return object !== undefined && Object.hasOwn(object, name) ? object[name] : undefined;
}
