import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { forms } from "../../src/commands/get.ts";

const token = (access_token: string, base_url = "https://example.cloud.looker.com") => ({
  access_token,
  token_type: "Bearer" as const,
  expires_in: 899,
  scope: "sales",
  lease_id: "8ae67a142e19b6ce3e1e",
  base_url,
});

test("the plain form is the token and nothing else", () => {
  expect(forms.plain(token("abc"))).toBe("abc");
});

test("--header is a whole header", () => {
  expect(forms.header(token("abc"))).toBe("Authorization: Bearer abc");
});

test.each([
  "plain",
  "it's",
  "$(touch /tmp/x) `id`",
  'a"b\\c',
  "two\nlines",
  "!history",
  "-n",
  "'; exit 3; '",
])("--env gives a shell exactly what came, were it %j", (hostile) => {
  const script = `${forms.env(token(hostile, `https://${hostile}`))}\nprintf '%s|%s' "$LOOKER_ACCESS_TOKEN" "$LOOKERSDK_BASE_URL"`;
  expect(execFileSync("sh", ["-c", script], { encoding: "utf8" })).toBe(`${hostile}|https://${hostile}`);
});
