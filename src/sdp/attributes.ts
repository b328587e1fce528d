import type { SdpAttribute } from "./session-description.ts";

/** The value of the first attribute of this name. */
export function attributeValue(
  attributes: readonly SdpAttribute[],
  name: string,
): string | undefined {
  return attributes.find((attribute) => attribute.name === name)?.value;
}

/** The values of all attributes of this name, in their order. */
export function attributeValues(attributes: readonly SdpAttribute[], name: string): string[] {
  return attributes.flatMap((each) =>
    each.name === name && each.value !== undefined ? [each.value] : [],
  );
}

/** Whether there is an attribute of this name, with or without a value. */
export function hasAttribute(attributes: readonly SdpAttribute[], name: string): boolean {
  return attributes.some((attribute) => attribute.name === name);
}
