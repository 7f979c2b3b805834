/** The prose of a Markdown text. Code, HTML, images and link targets are left out. */
import { lexer, type Token, type Tokens } from "marked";
import { newlines, type Passage, placeholder } from "./passage.ts";

export function markdownPassages(markdown: string, line = 1): Passage[] {
  return passagesOf(lexer(markdown), line, "text");
}

function passagesOf(tokens: readonly Token[], from: number, kind: "text" | "item"): Passage[] {
  const passages: Passage[] = [];
  let line = from;
  for (const token of tokens) {
    passages.push(...passagesOfBlock(token, line, kind));
    line += newlines(token.raw);
  }
  return passages;
}

function passagesOfBlock(token: Token, line: number, kind: "text" | "item"): Passage[] {
  switch (token.type) {
    case "heading":
      return [{ kind: "heading", text: plain(token.tokens), line }];
    case "paragraph":
    case "text":
      return [{ kind, text: plain(token.tokens), line }];
    case "blockquote":
      return passagesOf(token.tokens ?? [], line, kind);
    case "list":
      return listPassages(token as Tokens.List, line);
    case "table":
      return tablePassages(token as Tokens.Table, line);
    default:
      return [];
  }
}

function listPassages({ items }: Tokens.List, from: number): Passage[] {
  let line = from;
  return items.flatMap((item) => {
    const passages = passagesOf(item.tokens, line, "item");
    line += newlines(item.raw);
    return passages;
  });
}

/** Each row is one line. The line of dashes follows the header. */
function tablePassages({ header, rows }: Tokens.Table, line: number): Passage[] {
  return [header, ...rows].flatMap((row, index) =>
    row.map(({ tokens }) => ({
      kind: "cell" as const,
      text: plain(tokens),
      line: line + (index === 0 ? 0 : index + 1),
    })),
  );
}

function plain(tokens: readonly Token[] = []): string {
  return tokens.map(plainInline).join("");
}

function plainInline(token: Token): string {
  switch (token.type) {
    case "codespan":
      return placeholder + "\n".repeat(newlines(token.raw));
    case "link":
      return token.text === token.href ? placeholder : plain(token.tokens);
    case "image":
    case "html":
      return "\n".repeat(newlines(token.raw));
    case "br":
      return "\n";
    default:
      return "tokens" in token && token.tokens ? plain(token.tokens) : "text" in token ? token.text : "";
  }
}
