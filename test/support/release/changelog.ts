/** CHANGELOG.md, as far as a release depends on it. */

/** The text below a heading, up to the next heading of the same or a higher level. */
export function sectionOf(text: string, heading: string): string | undefined {
  const lines = text.split("\n");
  const start = lines.findIndex((line) => line.startsWith(heading));
  if (start < 0) return undefined;
  const level = /^#+/.exec(heading)?.[0].length ?? 0;
  const length = lines.slice(start + 1).findIndex((line) => {
    const found = /^(#+) /.exec(line)?.[1]?.length;
    return found !== undefined && found <= level;
  });
  return lines.slice(start + 1, length < 0 ? undefined : start + 1 + length).join("\n");
}

/** Logical ids of the resources that an upgrade changes: each begins a list item. */
export function announcedChanges(changelog: string): string[] {
  const unreleased = sectionOf(changelog, "## [Unreleased]") ?? "";
  const upgrade = sectionOf(unreleased, "### Template");
  if (upgrade === undefined) throw new Error('CHANGELOG.md has no "### Template" under "## [Unreleased]".');
  return [...upgrade.matchAll(/^- `(\w+)`/gm)].map(([, id]) => id as string).sort();
}
