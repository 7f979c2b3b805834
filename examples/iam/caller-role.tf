# A role that may fetch Looker tokens of one scope, and end its own: in the broker's account or in another one.
#
# This is the first of two locks. The second: the scope's `callers` must name the role, as
# arn:aws:iam::ACCOUNT:role/ROLE_NAME. It also opens the API to the role's account, where that is another one.

variable "role_name" {
  type        = string
  description = "Fixed, since the scope names it"
}

variable "assumed_by" {
  type        = string
  description = "The service that runs with this role, such as ecs-tasks.amazonaws.com"
}

variable "api" {
  type        = string
  description = "The broker's API and stage, with the broker's account: arn:aws:execute-api:us-east-1:111122223333:a1b2c3d4e5/v1"
}

variable "scope" {
  type        = string
  description = "The scope's name"
}

data "aws_iam_policy_document" "looker_tokens" {
  statement {
    actions = ["execute-api:Invoke"]
    resources = [
      "${var.api}/POST/scopes/${var.scope}/token",
      "${var.api}/GET/scopes",
      "${var.api}/POST/scopes/${var.scope}/logout",
    ]
  }
}

data "aws_iam_policy_document" "assume" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = [var.assumed_by]
    }
  }
}

resource "aws_iam_role" "caller" {
  name               = var.role_name
  assume_role_policy = data.aws_iam_policy_document.assume.json
}

resource "aws_iam_role_policy" "looker_tokens" {
  name   = "looker-tokens"
  role   = aws_iam_role.caller.id
  policy = data.aws_iam_policy_document.looker_tokens.json
}
