/** Reads interfaces with their comments from TypeScript sources. TypeScript 7 has no interface for programs, so oxc parses. */
import { readFileSync } from "node:fs";
import { type Comment, parseSync } from "oxc-parser";

export interface Member {
  readonly name: string;
  readonly optional: boolean;
  readonly type: Type;
  /** The comment without its tags, on one line. */
  readonly text: string;
  /** `default`, `minimum`, `maximum`. */
  readonly tags: Readonly<Record<string, string>>;
}

export type Type =
  | { readonly kind: "string" | "number" | "boolean" }
  | { readonly kind: "choice"; readonly values: readonly string[] }
  | { readonly kind: "list"; readonly of: Type }
  | { readonly kind: "object"; readonly members: readonly Member[] }
  /** An interface of these sources, or a type of the CDK. */
  | { readonly kind: "reference"; readonly name: string };

// biome-ignore lint/suspicious/noExplicitAny: nodes of a syntax tree. An unknown one is an error below.
type Node = any;

/** The named interfaces of a file. Each has the members of the interfaces of the file that it extends, and its own. */
export function interfacesOf(file: URL, names: readonly string[]): Map<string, readonly Member[]> {
  const source = readFileSync(file, "utf8");
  const { program, comments, errors } = parseSync(file.pathname, source);
  if (errors.length > 0) throw new Error(`${file.pathname}: ${errors[0]?.message}`);
  const declarations = program.body.map((node: Node) => node.declaration ?? node);
  const interfaces = declarations.filter(({ type }: Node) => type === "TSInterfaceDeclaration");
  const allMembersOf = (name: string): readonly Member[] =>
    interfaces
      .filter(({ id }: Node) => id.name === name)
      .flatMap((node: Node) => [
        ...node.extends.flatMap(({ expression }: Node) => allMembersOf(expression.name)),
        ...membersOf(node.body.body, source, comments),
      ]);
  const found = names.filter((name) => interfaces.some(({ id }: Node) => id.name === name));
  return new Map(found.map((name) => [name, allMembersOf(name)]));
}

const membersOf = (nodes: Node[], source: string, comments: Comment[]): Member[] =>
  nodes.map((node) => ({
    name: node.key.name,
    optional: node.optional,
    type: typeOf(node.typeAnnotation.typeAnnotation, source, comments),
    ...commentBefore(node, source, comments),
  }));

function typeOf(node: Node, source: string, comments: Comment[]): Type {
  switch (node.type) {
    case "TSStringKeyword":
      return { kind: "string" };
    case "TSNumberKeyword":
      return { kind: "number" };
    case "TSBooleanKeyword":
      return { kind: "boolean" };
    case "TSTypeOperator":
      return typeOf(node.typeAnnotation, source, comments);
    case "TSArrayType":
      return { kind: "list", of: typeOf(node.elementType, source, comments) };
    case "TSUnionType":
      return { kind: "choice", values: node.types.map(({ literal }: Node) => literal.value) };
    case "TSTypeLiteral":
      return { kind: "object", members: membersOf(node.members, source, comments) };
    case "TSTypeReference":
      return { kind: "reference", name: node.typeName.name };
    default:
      throw new Error(`The reference knows no ${node.type}: ${source.slice(node.start, node.end)}`);
  }
}

/** The TSDoc comment right before a member. Without one the member would have no place in the reference. */
function commentBefore(node: Node, source: string, comments: Comment[]): Pick<Member, "text" | "tags"> {
  const comment = comments.find(
    ({ start, end }) => start < node.start && source.slice(end, node.start).trim() === "",
  );
  if (!comment?.value.startsWith("*")) throw new Error(`${node.key.name} has no comment.`);
  const plain = comment.value
    .replace(/^\s*\* ?/gm, "")
    .replace(/\s+/g, " ")
    .trim();
  const [text = "", ...tags] = plain.split(/ ?@(?=\w+ )/);
  return {
    text: text.trim(),
    tags: Object.fromEntries(tags.map((tag) => [tag.split(" ", 1)[0], tag.replace(/^\w+ /, "").trim()])),
  };
}
