/**
 * AWS's partitions, as part of a regular expression: the ARNs of each begin with its name. Listed one by one, so that a
 * misspelt partition is an error and not a caller that never comes.
 * https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/partitions.html
 */
export const partitions = "aws(?:-cn|-us-gov|-eusc|-iso(?:-[bef])?)?";
