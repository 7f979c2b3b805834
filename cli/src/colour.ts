/** Colour is for people: only on a terminal, and not where they said no. https://no-color.org */

export type Paint = (colour: keyof typeof codes, text: string) => string;

const codes = { bold: [1, 22], dim: [2, 22], red: [31, 39], green: [32, 39], yellow: [33, 39] } as const;

export function painter(
  stream: { readonly isTTY?: boolean },
  environment: Readonly<Record<string, string | undefined>>,
): Paint {
  const colourful = stream.isTTY === true && !environment.NO_COLOR && environment.TERM !== "dumb";
  return colourful
    ? (colour, text) => `\x1b[${codes[colour][0]}m${text}\x1b[${codes[colour][1]}m`
    : (_, text) => text;
}
