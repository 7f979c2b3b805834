/** Fields that contradict each other: a proxy's, a bug's, or a forger's. None of them may be picked from. */
import { expect, it } from "vitest";
import { roleIdentity } from "../support/fakes/api-function.ts";
import { inMemoryApi } from "../support/fakes/in-memory-api.ts";

const own = roleIdentity();
const hr = roleIdentity("hr", { uniqueId: "AROAHUMANRESOURCES00", session: "hr-session" });
const foreign = "444455556666";

it.each<[string, object]>([
  ["the ARN of one, the id of another", { userArn: hr.userArn }],
  ["the id of one, the ARN of another", { caller: hr.caller }],
  ["an id whose session is another's", { caller: "AROAREPORTSERVICE000:hr-session" }],
  ["the account of another", { accountId: foreign }],
  ["an ARN in another account", { userArn: `arn:aws:sts::${foreign}:assumed-role/report-service/local` }],
  [
    "an ARN in another partition's account",
    { userArn: "arn:aws-cn:sts::444455556666:assumed-role/report-service/local" },
  ],
  ["a user's ARN, a role's id", { userArn: "arn:aws:iam::111122223333:user/alice" }],
  ["a role's ARN, a user's id", { caller: "AIDAALICE00000000000" }],
  ["an access key for an id", { caller: "ASIAREPORTSERVICE000:local" }],
  ["Cognito beside IAM", { cognitoIdentityId: "eu-west-1:11111111-2222-3333-4444-555555555555" }],
  ["root", { userArn: "arn:aws:iam::111122223333:root", caller: "111122223333" }],
  ["no ARN", { userArn: null }],
  ["no id", { caller: null }],
  ["no account", { accountId: null }],
])("%s is nobody", async (_, fields) => {
  const api = inMemoryApi();
  const refusal = await api.token({ identity: { ...own, ...fields } });
  expect(refusal).toMatchObject({ status: 403, body: { code: "not_allowed" } });
  // Told no more than a caller who is not in the list.
  expect(refusal).toEqual(await api.token({ identity: roleIdentity("intruder") }));
  expect(api.lines[0]?.caller).toBeUndefined();
  expect(api.broker.table.calls).toEqual([]);
});
