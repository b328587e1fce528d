import { type Content, html, type Markup } from "./markup.ts";

/** A table with a heading; nothing where it has no rows. */
export function table(
  title: string,
  columns: readonly string[],
  rows: readonly (readonly Content[])[],
): Markup | undefined {
  if (rows.length === 0) return undefined;
  return html`<h4>${title}</h4><div class="scroll"><table class="figures">
<thead><tr>${columns.map((column) => html`<th scope="col">${column}</th>`)}</tr></thead>
<tbody>${rows.map((row) => html`<tr>${row.map((cell) => html`<td>${cell}</td>`)}</tr>`)}</tbody></table></div>`;
}
