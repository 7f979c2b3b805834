/** The caller that an operator names: as an IAM ARN, as a session's ARN, or by the name of its role or user. */
import type { ListedLease } from "./listing.ts";
import { UsageError } from "./usage-error.ts";

/** As the broker lists it: an IAM ARN without path and session. */
export type CallerArn = string;

const partition = "aws(?:-[a-z]+)*";
const name = "[\\w+=,.@-]{1,64}";
/** API Gateway hides eight digits of it in its refusals. */
const account = "(\\d{12}|\\*{8}\\d{4})";
const shapes = {
  iam: new RegExp(
    `^arn:(${partition}):iam::${account}:(role|user)/(?:[\\x21-\\x2e\\x30-\\x7e]+/)*(${name})$`,
  ),
  /** The form of a role's session in refusals of API Gateway, and of `aws sts get-caller-identity`. */
  session: new RegExp(`^arn:(${partition}):sts::${account}:assumed-role/(${name})/[\\w+=,.@-]{2,64}$`),
  name: new RegExp(`^(?:(role|user)/)?(${name})$`),
};

interface NamedCaller {
  readonly partition: string;
  readonly account: string;
  /** `role/name` or `user/name`. */
  readonly resource: string;
}

/** Without the path of an IAM ARN, and without the session of a session's ARN. */
function callerIn(text: string): NamedCaller | undefined {
  const [, partition = "", account = "", kind, iamName] = shapes.iam.exec(text) ?? [];
  if (iamName !== undefined) return { partition, account, resource: `${kind}/${iamName}` };
  const [, stsPartition = "", stsAccount = "", role] = shapes.session.exec(text) ?? [];
  return role === undefined
    ? undefined
    : { partition: stsPartition, account: stsAccount, resource: `role/${role}` };
}

const arnOf = ({ partition, account, resource }: NamedCaller): CallerArn =>
  `arn:${partition}:iam::${account}:${resource}`;

/** The IAM ARN in the text, or the one of its session's role. Undefined for a name, and if the account is hidden. */
export function fullArnOf(text: string): CallerArn | undefined {
  const named = callerIn(text);
  return named && /^\d+$/.test(named.account) ? arnOf(named) : undefined;
}

/**
 * Reads `--caller`. A path and a session are left out, because the broker knows a caller without them. A name is
 * looked up among the callers with a lease, and so is an ARN with a hidden account. Exactly one must bear it.
 *
 * @param text as given
 * @returns a function of the listed leases, or of undefined if a scope's list is missing
 * @throws {UsageError} if it has none of the three forms
 */
export function callerOf(text: string): (listed: readonly ListedLease[] | undefined) => CallerArn {
  const full = fullArnOf(text);
  if (full !== undefined) return () => full;
  const hidden = callerIn(text);
  if (hidden)
    return (listed) =>
      onlyOne(hidden.resource.replace(/^\w+\//, ""), [`${lastDigits(hidden)}:${hidden.resource}`], listed);
  const [, namedKind, bareName] = shapes.name.exec(text) ?? [];
  if (bareName !== undefined)
    return (listed) =>
      onlyOne(
        bareName,
        namedKind ? [`:${namedKind}/${bareName}`] : [`:role/${bareName}`, `:user/${bareName}`],
        listed,
      );
  throw new UsageError(
    "--caller takes a name, an IAM ARN, or the ARN of a session. Examples: report-service, arn:aws:iam::111122223333:role/report-service, arn:aws:sts::111122223333:assumed-role/report-service/i-0abc.",
  );
}

const lastDigits = ({ account }: NamedCaller) => account.replaceAll("*", "");

/** @param ends one of them is the end of the caller's ARN */
function onlyOne(
  name: string,
  ends: readonly string[],
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
