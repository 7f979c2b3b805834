import middy from "@middy/core";
import { expect, it } from "vitest";
import { scheduledAudit } from "../../../../functions/http/audit.ts";
import type { AuditFields } from "../../../../functions/use-cases/record.ts";
import { RotationFailure } from "../../../../functions/use-cases/rotation-job.ts";
import { recorded } from "../../../support/fakes/recorded.ts";

const now = 1_700_000_000_000;

/** One invocation that finds this, and ends so. */
async function invocation(found: AuditFields, error?: Error) {
  const records = recorded(() => now);
  const audit = scheduledAudit("retire", records.audit);
  const handler = middy(async (event: object) => {
    Object.assign(audit.entryOf(event).audit, found);
    if (error) throw error;
  }).use(audit);
  const end = handler({}, { awsRequestId: "lambda-request-1" } as never).catch((thrown: unknown) => thrown);
  return { ...records, thrown: await end };
}

const note = { step: "createSecret", secret: "looker/sales", version: "v1" } as const;

it("each step has a record of its own", async () => {
  const { rotations, lines } = await invocation({
    outcome: "rotated",
    rotations: [{ ...note, outcome: "done", client_id: "client", user_id: "7" }],
  });
  expect(rotations).toEqual([
    {
      ...{ ...note, time: "2023-11-14T22:13:20.000Z", kind: "rotation", broker: "test/Broker" },
      ...{
        request_id: "lambda-request-1",
        verb: "retire",
        outcome: "done",
        client_id: "client",
        user_id: "7",
      },
    },
  ]);
  expect(lines[0]).toMatchObject({ code: "ok", outcome: "rotated" });
  expect(lines[0]).not.toHaveProperty("rotations");
});

it("a step that failed is a failure of the function, with its reason and a metric", async () => {
  const failure = new RotationFailure("too_many_pairs");
  const { thrown, lines, rotations } = await invocation(
    { rotation_failures: 1, rotations: [{ ...note, outcome: "failed", reason: "too_many_pairs" }] },
    failure,
  );
  expect(thrown).toBe(failure);
  expect(lines[0]).toMatchObject({
    ...{ code: "rotation_failed", reason: "too_many_pairs", error: "RotationFailure", RotationFailures: 1 },
  });
  expect(rotations[0]).toMatchObject({ outcome: "failed", reason: "too_many_pairs" });
});

it("a retirement run tells its gauges, zeros too, and no other invocation does", async () => {
  const { lines } = await invocation({ outcome: "retired", overdue: 0, unretired: 2 });
  expect(lines[0]).toMatchObject({ RotationOverdue: 0, UnretiredPairs: 2 });
  const other = await invocation({ outcome: "rotated" });
  expect(other.lines[0]).not.toHaveProperty("RotationOverdue");
});
