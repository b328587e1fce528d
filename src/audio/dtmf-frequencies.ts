/** The low group of ITU-T Q.23: a row of the keypad each, in Hz. */
export const LOW_GROUP_HZ: readonly number[] = [697, 770, 852, 941];

/** The high group of ITU-T Q.23: a column of the keypad each, in Hz. */
export const HIGH_GROUP_HZ: readonly number[] = [1209, 1336, 1477, 1633];

/** Rows of four: the digit of low tone `r` and high tone `c` is at `4 r + c`. */
const KEYPAD = "123A456B789C*0#D";

/** The digit of a low and a high tone, each by its index within its group. */
export function digitOfTones(row: number, column: number): string {
  return KEYPAD.charAt(row * HIGH_GROUP_HZ.length + column);
}

/** The two frequencies of a digit (small letters too); `undefined` for other characters. */
export function tonesOfDigit(
  digit: string,
): { readonly lowHz: number; readonly highHz: number } | undefined {
  const position = digit.length === 1 ? KEYPAD.indexOf(digit.toUpperCase()) : -1;
  if (position < 0) return undefined;
  const columns = HIGH_GROUP_HZ.length;
  return {
    lowHz: LOW_GROUP_HZ[Math.floor(position / columns)] as number,
    highHz: HIGH_GROUP_HZ[position % columns] as number,
  };
}
