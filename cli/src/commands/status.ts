/** `looker-token status`: the present faults of a deployment. */
import { brokerOf } from "../broker.ts";
import { awsNow } from "../deployment/aws-clients.ts";
import { AwsFailure } from "../deployment/aws-failure.ts";
import { placeOf } from "../deployment/place.ts";
import { stackFacts } from "../deployment/stack.ts";
import { exitCodes } from "../exit-codes.ts";
import { interruptible } from "../interruption.ts";
import type { OptionValues } from "../options.ts";
import { askAlarms, askBroker, askRecords, part } from "../status/parts.ts";
import { type Status, statusText } from "../status/status-text.ts";
import type { Terminal } from "../terminal.ts";

export async function status(io: Terminal, values: OptionValues): Promise<number> {
  const place = placeOf(values);
  return await interruptible(async (signal) => {
    const facts = await stackFacts(place, signal).catch(unlessEndpointIsKnown);
    const endpoint = facts?.outputs.get("Endpoint");
    const known = values.local || endpoint === undefined ? values : { ...values, endpoint };
    const [ofBroker, ...ofAws] = await Promise.all([
      part("leases, freezes and accounts", signal, (until) =>
        askBroker(brokerOf(io, known, { may: "operate", scope: undefined }), until),
      ),
      part("records", signal, (until) => askRecords(place, facts?.createdAt ?? 0, until)),
      ...(place.isLocal ? [] : [part("alarms", signal, (until) => askAlarms(place, until))]),
    ]);
    const parts = [ofBroker, ...ofAws];
    const told: Status = {
      stack: place.stack,
      region: place.region,
      askedAt: awsNow(place),
      findings: parts.flatMap(({ findings }) => findings),
      unseen: parts.flatMap(({ unseen }) => unseen),
      notes: [
        ...parts.flatMap(({ notes = [] }) => notes),
        ...(place.isLocal ? ["The local run has no alarms."] : []),
      ],
    };
    io.print(values.json ? `${JSON.stringify(statusJson(told), null, 2)}\n` : statusText(told, io.paint));
    const nothingSeen = parts.every(({ findings, unseen }) => findings.length === 0 && unseen.length > 0);
    return nothingSeen ? (told.unseen[0]?.exitCode ?? exitCodes.ok) : exitCodes.ok;
  });
}

/** Without a right to read the stack, the broker itself can be asked all the same. */
function unlessEndpointIsKnown(error: unknown): undefined {
  const isRefused = error instanceof AwsFailure && error.failure.code === "access_denied";
  if (!isRefused || !process.env.LOOKER_BROKER_ENDPOINT) throw error;
  return undefined;
}

const statusJson = ({ stack, region, askedAt, findings, unseen, notes }: Status) => ({
  stack,
  region,
  asked_at: new Date(askedAt).toISOString(),
  wrong: findings.some((each) => each.wrong),
  findings: findings.map(({ lead: _, ...each }) => each),
  unseen: unseen.map(({ exitCode: _, ...each }) => each),
  notes,
});
