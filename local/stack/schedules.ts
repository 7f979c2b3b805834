/** EventBridge Scheduler's schedules, each with the function that it invokes and may invoke. */
import type { LocalFunction } from "./functions.ts";
import { TemplateError } from "./intrinsics.ts";
import type { ResolvedResource } from "./resources.ts";
import type { LocalRole } from "./roles.ts";

export interface LocalSchedule {
  readonly arn: string;
  readonly functionId: string;
  readonly everySeconds: number;
  /** The event, if the template says it. */
  readonly input?: unknown;
}

const UNIT_SECONDS: Readonly<Record<string, number>> = { minute: 60, hour: 3_600, day: 86_400 };

export function readSchedules(
  resources: readonly ResolvedResource[],
  functions: readonly LocalFunction[],
  roles: readonly LocalRole[],
): LocalSchedule[] {
  return resources.map(({ logicalId, physical, properties }) => {
    const unsupported = (problem: string) => new TemplateError(logicalId, problem);
    const { ScheduleExpression: expression, State: state = "ENABLED", Target } = properties;
    const { Arn, RoleArn, Input } = (Target ?? {}) as { Arn?: string; RoleArn?: string; Input?: string };
    const target = functions.find(({ arn }) => arn === Arn);
    if (!target) throw unsupported(`its target ${Arn} is no function of the template`);
    // On AWS a role that may not invoke fails each run, unseen; here it does not even start.
    const mayInvoke = roles
      .find(({ arn }) => arn === RoleArn)
      ?.statements.some(
        ({ Effect, Action, Resource }) =>
          Effect === "Allow" &&
          [Action].flat().includes("lambda:InvokeFunction") &&
          [Resource].flat().includes(target.arn),
      );
    if (!mayInvoke) throw unsupported(`its role may not invoke ${target.name}`);
    const [, number, unit] = /^rate\((\d+) (minute|hour|day)s?\)$/.exec(String(expression)) ?? [];
    if (!number || state !== "ENABLED") throw unsupported(`${expression} (${state}) is not supported`);
    return {
      arn: physical.attributes.Arn ?? "",
      functionId: target.id,
      everySeconds: Number(number) * (UNIT_SECONDS[unit ?? ""] ?? 0),
      ...(Input !== undefined && { input: JSON.parse(Input) }),
    };
  });
}
