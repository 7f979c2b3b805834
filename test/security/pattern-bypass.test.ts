/** Names that are nearly those of a pattern (here `role/report-*` and `user/alice`) are not allowed. */
import { expect, it } from "vitest";
import { roleIdentity } from "../support/fakes/api-function.ts";
import { inMemoryApi } from "../support/fakes/in-memory-api.ts";

it.each([
  "my-report-service",
  "Report-service",
  "report",
  "reportservice",
  "xreport-",
  "report_service",
  "hr",
])("the role %s is not allowed", async (name) => {
  expect(await inMemoryApi().token({ identity: roleIdentity(name) })).toMatchObject({ status: 403 });
});

it.each(["report-", "report-service", "report-a.b+c=d,e@f"])("the role %s is allowed", async (name) => {
  expect(await inMemoryApi().token({ identity: roleIdentity(name) })).toMatchObject({ status: 200 });
});

const user = (name: string, account = "111122223333") => ({
  userArn: `arn:aws:iam::${account}:user/${name}`,
  caller: "AIDAALICE00000000000",
  accountId: account,
});

it.each([
  ["of the same name in another account", roleIdentity("report-service", { accountId: "444455556666" })],
  ["that is a user of a role's name", user("report-service")],
  ["that is a role of a user's name", roleIdentity("alice")],
  ["that is a user of another account", user("alice", "444455556666")],
  ["whose path ends like the name", user("alice/bob")],
  ["whose name has another case", user("Alice")],
])("a caller %s is not allowed", async (_, identity) => {
  expect(await inMemoryApi().token({ identity })).toMatchObject({ status: 403 });
});

it("a user under a path is the user", async () => {
  expect(await inMemoryApi().token({ identity: user("team/alice") })).toMatchObject({ status: 200 });
});

it("whoever may call may not operate for that, and the other way round", async () => {
  expect(await inMemoryApi().token({ identity: roleIdentity("oncall") })).toMatchObject({ status: 403 });
});
