import type { JsonObject } from "../provider/json-fields.ts";

/** A duration of protobuf's JSON mapping ("1.880s") in ms; `undefined` where it is none. */
export function durationMs(text: string | undefined): number | undefined {
  const seconds = /^(\d+(?:\.\d+)?)s$/u.exec(text ?? "")?.[1];
  return seconds === undefined ? undefined : Number(seconds) * 1000;
}

/** The texts of a field that is a list; empty where it is none. */
export function textListField(object: JsonObject, name: string): readonly string[] {
  const value = object[name];
  return Array.isArray(value) ? value.filter((each) => typeof each === "string") : [];
}
