/** What is deployed or published, by the lock file: whose licences let us, and which reasons we give for it. */
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");

interface Package {
  readonly dev?: boolean;
  readonly link?: boolean;
  readonly optional?: boolean;
  readonly license?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

const packages: Readonly<Record<string, Package>> = JSON.parse(read("package-lock.json")).packages;
/** Users of the construct have the CDK already. */
const peers = Object.keys(packages.infra?.peerDependencies ?? {});
const isPeer = (path: string) => peers.some((name) => `${path}/`.startsWith(`node_modules/${name}/`));
const notOnlyForDevelopment = Object.entries(packages).filter(
  ([path, { dev, link }]) => !dev && !link && !isPeer(path),
);

/** Permissive, by the names of https://spdx.org/licenses/. Anything else is for somebody to read first. */
const allowed = ["0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT"];

const refused = (entries: readonly (readonly [string, Package])[]) =>
  entries.filter(([, { license = "" }]) => !allowed.includes(license)).map(([name]) => name);

it("each licence of what is deployed or published is one that we know", () => {
  expect(notOnlyForDevelopment.length).toBeGreaterThan(30);
  expect(refused(notOnlyForDevelopment)).toEqual([]);
});

it.each([undefined, "", "AGPL-3.0-only", "UNLICENSED", "SEE LICENSE IN LICENSE", "(MIT OR GPL-2.0)"])(
  "a licence such as %s is refused",
  (license) => {
    expect(refused([["some-package", { ...(license !== undefined && { license }) }]])).toEqual([
      "some-package",
    ]);
  },
);

it("the lock file says what the installed packages say", () => {
  for (const [path, { license, optional }] of notOnlyForDevelopment) {
    // Node for other machines is not installed on this one.
    if (optional || !path.startsWith("node_modules/")) continue;
    expect([path, JSON.parse(read(`${path}/package.json`)).license]).toEqual([path, license]);
  }
});

it("docs/reference/dependencies.md gives a reason and the licence of each direct dependency", () => {
  const rows = read("docs/reference/dependencies.md").split("\n");
  const direct = [packages[""], packages.client, packages.cli]
    .flatMap((each) => Object.keys(each?.dependencies ?? {}))
    .filter((name) => !packages[`node_modules/${name}`]?.link);
  expect(direct.length).toBeGreaterThan(7);
  for (const name of direct) {
    const row = rows.find((line) => line.startsWith(`| [${name}](`)) ?? "";
    expect([name, row.includes(`| ${packages[`node_modules/${name}`]?.license} |`)]).toEqual([name, true]);
  }
});
