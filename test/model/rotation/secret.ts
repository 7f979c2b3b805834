/** One secret of Secrets Manager: versions, values, stages, as far as a rotation sees them. */
import type { DescribedSecret } from "../../../functions/use-cases/rotation-ports.ts";

export interface SecretValue {
  readonly clientId: string;
  readonly clientSecret: string;
}

export class Secret {
  readonly name: string;
  readonly arn: string;
  functionArn: string;
  readonly values = new Map<string, SecretValue>();
  private readonly labels = new Map<string, string>();
  rotationEnabled = true;
  lastRotatedAt: number | undefined;
  /** Told of each version that becomes current. */
  onCurrent: (value: SecretValue | undefined, before: SecretValue | undefined) => void = () => {};

  constructor(name: string, functionArn: string) {
    this.name = name;
    this.arn = `arn:aws:secretsmanager:eu-west-1:111122223333:secret:${name}-AbCdEf`;
    this.functionArn = functionArn;
  }

  /** RotateSecret: a pending version without a value. */
  begin(versionId: string): void {
    this.labels.set("AWSPENDING", versionId);
  }

  at(stage: string): string | undefined {
    return this.labels.get(stage);
  }

  valueAt(stage: string): SecretValue | undefined {
    return this.values.get(this.labels.get(stage) ?? "");
  }

  describe(): DescribedSecret {
    const stages = new Map<string, string[]>();
    for (const [label, id] of this.labels) stages.set(id, [...(stages.get(id) ?? []), label]);
    return {
      ...{ arn: this.arn, name: this.name, rotationEnabled: this.rotationEnabled, stages },
      ...{ rotationFunctionArn: this.functionArn, lastRotatedAt: this.lastRotatedAt },
    };
  }

  put(versionId: string, value: SecretValue, stage: string): boolean {
    const known = this.values.get(versionId);
    if (known) return known.clientId === value.clientId && known.clientSecret === value.clientSecret;
    this.values.set(versionId, value);
    this.label(stage, versionId);
    return true;
  }

  move(stage: string, from: string, to: string | undefined): boolean {
    if (this.labels.get(stage) !== from) return false;
    if (to === undefined) this.labels.delete(stage);
    else this.label(stage, to);
    return true;
  }

  private label(stage: string, versionId: string): void {
    const before = this.labels.get(stage);
    this.labels.set(stage, versionId);
    if (stage !== "AWSCURRENT" || before === versionId) return;
    if (before !== undefined) this.labels.set("AWSPREVIOUS", before);
    this.onCurrent(this.values.get(versionId), this.values.get(before ?? ""));
  }
}
