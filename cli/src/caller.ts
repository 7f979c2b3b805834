/** The caller that an operator names: as an IAM ARN, as a session's ARN, or by the name of its role or user. */
import type { ListedLease } from "./listing.ts";
import { UsageError } from "./usage-error.ts";

/** As the broker lists it: an IAM ARN without path and session. */
export type CallerArn = string;

const partition = "aws(?:-[a-z]+)*";
const name = "[\\w+=,.@-]{1,64}";
const shapes = {
  iam: new RegExp(`^arn:(${partition}):iam::(\\d{12}):(role|user)/(?:[\\x21-\\x2e\\x30-\\x7e]+/)*(${name})$`),
  /** The form of a role's session in refusals of API Gateway, and of `aws sts get-caller-identity`. */
  session: new RegExp(`^arn:(${partition}):sts::(\\d{12}):assumed-role/(${name})/[\\w+=,.@-]{2,64}$`),
  name: new RegExp(`^(?:(role|user)/)?(${name})$`),
};

/** An IAM ARN without its path, or that of the role of a session. Undefined for any other text. */
export function fullArnOf(text: string): CallerArn | undefined {
  const [, iamPartition, account, kind, iamName] = shapes.iam.exec(text) ?? [];
  if (iamName !== undefined) return `arn:${iamPartition}:iam::${account}:${kind}/${iamName}`;
  const [, stsPartition, sessionAccount, role] = shapes.session.exec(text) ?? [];
  return role === undefined ? undefined : `arn:${stsPartition}:iam::${sessionAccount}:role/${role}`;
}

/**
 * Reads `--caller`. A path and a session are left out, because the broker knows a caller without them. A name is
 * looked up among the callers with a lease. Exactly one must bear it.
 *
 * @param text as given
 * @returns a function of the listed leases, or of undefined if a scope's list is missing
 * @throws {UsageError} if it has none of the three forms
 */
export function callerOf(text: string): (listed: readonly ListedLease[] | undefined) => CallerArn {
  const arn = fullArnOf(text);
  if (arn !== undefined) return () => arn;
  const [, namedKind, bareName] = shapes.name.exec(text) ?? [];
  if (bareName !== undefined) return (listed) => onlyOneNamed(bareName, namedKind, listed);
  throw new UsageError(
    "--caller takes a name, an IAM ARN, or the ARN of a session. Examples: report-service, arn:aws:iam::111122223333:role/report-service, arn:aws:sts::111122223333:assumed-role/report-service/i-0abc.",
  );
}

function onlyOneNamed(
  name: string,
  kind: string | undefined,
  listed: readonly ListedLease[] | undefined,
): CallerArn {
  // The missing list may have another account's role of this name.
  if (listed === undefined)
    throw new UsageError(
      "The broker did not list all leases in time, and without the list a name is not enough.",
      {
        hint: "Pass the caller's IAM ARN.",
      },
    );
  const ends = kind === undefined ? [`:role/${name}`, `:user/${name}`] : [`:${kind}/${name}`];
  const found = [...new Set(listed.map(({ caller }) => caller))].filter((caller) =>
    ends.some((end) => caller.endsWith(end)),
  );
  const [only] = found;
  if (only !== undefined && found.length === 1) return only;
  if (only === undefined)
    throw new UsageError(`No listed lease belongs to a caller with the name ${name}.`, {
      hint: "`looker-token leases` lists the callers. For one without a lease, pass its IAM ARN.",
    });
  throw new UsageError(`The name ${name} could mean ${found.sort().join(" or ")}.`, {
    hint: "Pass the ARN that you mean.",
  });
}
