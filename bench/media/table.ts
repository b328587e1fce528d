/** Plain-text tables on standard output. */

export function write(line = ""): void {
  process.stdout.write(`${line}\n`);
}

/** A number with so many digits behind the point; a dash where it is not known. */
export function figure(value: number | undefined, digits = 2): string {
  return value === undefined || !Number.isFinite(value) ? "–" : value.toFixed(digits);
}

/** The middle one; of an even number the lower of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? Number.NaN;
}

/** Prints rows as they come, under one head: the first column left, the others right. */
export class Table {
  readonly #widths: readonly number[];

  constructor(head: readonly string[], firstWidth = 26) {
    this.#widths = head.map((name, index) => (index === 0 ? firstWidth : Math.max(8, name.length)));
    this.row(head);
  }

  row(cells: readonly string[]): void {
    const padded = cells.map((cell, index) => {
      const width = this.#widths[index] ?? 8;
      return index === 0 ? cell.padEnd(width) : cell.padStart(width);
    });
    write(padded.join("  "));
  }

  rows(rows: readonly (readonly string[])[]): void {
    for (const cells of rows) this.row(cells);
  }
}
