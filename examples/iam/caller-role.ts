/**
 * A role that may fetch Looker tokens of one scope, and end its own: for CDK apps other than the broker's, in its account
 * or in another one. Inside the broker's app, `broker.grantToken(role, scope)` and `broker.grantLogout(role, scope)` do.
 *
 * This is the first of two locks. The second: the scope's `callers` must name the role, as
 * `arn:aws:iam::ACCOUNT:role/ROLE_NAME`. It also opens the API to the role's account, where that is another one.
 */
import { type IPrincipal, PolicyStatement, Role } from "aws-cdk-lib/aws-iam";
import type { Construct } from "constructs";

export interface CallerRoleProps {
  /** Fixed, since the scope names it. */
  readonly roleName: string;
  /** The service that runs with this role, such as `new ServicePrincipal("ecs-tasks.amazonaws.com")`. */
  readonly assumedBy: IPrincipal;
  /**
   * The broker's API and stage, with the *broker's* account and region:
   * `arn:aws:execute-api:us-east-1:111122223333:a1b2c3d4e5/v1`. The policies that its deployment printed begin with it.
   */
  readonly api: string;
  readonly scope: string;
}

export class CallerRole extends Role {
  constructor(parent: Construct, id: string, { roleName, assumedBy, api, scope }: CallerRoleProps) {
    super(parent, id, { roleName, assumedBy });
    this.addToPolicy(
      new PolicyStatement({
        actions: ["execute-api:Invoke"],
        resources: [
          `${api}/POST/scopes/${scope}/token`,
          `${api}/GET/scopes`,
          `${api}/POST/scopes/${scope}/logout`,
        ],
      }),
    );
  }
}
