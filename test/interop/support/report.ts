/** Shows what a test measured; for figures that are worth knowing but not asserted. */
export function report(what: string, figures: object): void {
  const rounded = JSON.stringify(figures, (_, value: unknown) =>
    typeof value === "number" ? Math.round(value * 1000) / 1000 : value,
  );
  process.stdout.write(`${what}: ${rounded}\n`);
}
