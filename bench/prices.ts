/**
 * List prices in US dollars, us-east-1, without tax and free tiers. Pages and dates are in docs/how-to/deploy.md, "Costs", where
 * 0.03 for KMS was seen at second hand.
 */
const million = 1e6;

export const prices = {
  /** https://aws.amazon.com/api-gateway/pricing/ (REST, up to 333 million a month) */
  apiRequest: 3.5 / million,
  /** https://aws.amazon.com/lambda/pricing/ (Arm) */
  lambdaRequest: 0.2 / million,
  lambdaGbSecond: 0.0000133334,
  /** https://aws.amazon.com/dynamodb/pricing/on-demand/ */
  readUnit: 0.125 / million,
  writeUnit: 0.625 / million,
  /** https://aws.amazon.com/kms/pricing/ */
  kmsCall: 0.03 / 10_000,
  /** https://aws.amazon.com/secrets-manager/pricing/ */
  secretRead: 0.05 / 10_000,
  /** https://aws.amazon.com/cloudwatch/pricing/ (a GB in, and three months of keeping it) */
  logGb: 0.5 + 3 * 0.03,
} as const;
