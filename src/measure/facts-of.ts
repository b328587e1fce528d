import type { Fact, FactKind, FactOf, Party } from "../timeline/index.ts";

/** The facts of one kind, and of one party where it is given, in the order of their instants. */
export function factsOf<Kind extends FactKind>(
  facts: readonly Fact[],
  kind: Kind,
  party?: Party,
): FactOf<Kind>[] {
  return facts.filter(
    (fact): fact is FactOf<Kind> =>
      fact.kind === kind && (party === undefined || fact.party === party),
  );
}
