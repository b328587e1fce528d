/** A piece of HTML in which every value has been escaped. */
export interface Markup {
  readonly markup: string;
}

/** What may stand in a template: text is escaped, markup is not, `undefined` leaves nothing. */
export type Content = string | number | undefined | Markup | readonly Content[];

/** Tagged template: everything that varies is escaped, in text and in quoted attributes. */
export function html(strings: TemplateStringsArray, ...contents: readonly Content[]): Markup {
  let markup = strings[0] ?? "";
  for (const [index, content] of contents.entries()) {
    markup += render(content) + (strings[index + 1] ?? "");
  }
  return { markup };
}

/** Text as it must stand in HTML text and in quoted attributes. */
function escapeHtml(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;");
}

/** Our own constants (style, script), never anything from a run. */
export function trusted(constant: string): Markup {
  return { markup: constant };
}

/** Data for the page's script. No `<` is left in it, so it cannot end its own element. */
export function jsonScript(id: string, data: unknown): Markup {
  const json = JSON.stringify(data).replaceAll("<", "\\u003c");
  return {
    markup: `<script type="application/json" id="${escapeHtml(id)}">${json}</script>`,
  };
}

function render(content: Content): string {
  if (content === undefined) return "";
  if (typeof content === "string") return escapeHtml(content);
  if (typeof content === "number") return String(content);
  if ("markup" in content) return content.markup;
  return content.map(render).join("");
}
