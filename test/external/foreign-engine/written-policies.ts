/** The policies of a template that was synthesized. */
import type { Template } from "../../../local/stack/cloud-assembly.ts";

type Resources = Template["Resources"];

export interface RoleArn {
  readonly "Fn::GetAtt": readonly [role: string, attribute: "Arn"];
}

/** The ARNs of all sessions of a role. */
export const sessionsOf = ({ "Fn::GetAtt": [role] }: RoleArn) => ({
  "Fn::Sub": `arn:\${AWS::Partition}:sts::\${AWS::AccountId}:assumed-role/\${${role}}/*`,
});

interface PolicyDocument {
  readonly Statement: WrittenStatement[];
}

interface WrittenStatement {
  Condition?: Record<string, Record<string, unknown>>;
}

/** The statements of all policies of a type of resource. */
export function statementsOf(resources: Resources, type: string, property: string): WrittenStatement[] {
  return Object.values(resources)
    .filter(({ Type }) => Type === type)
    .flatMap(({ Properties }) => (Properties as Record<string, PolicyDocument>)[property]?.Statement ?? []);
}
