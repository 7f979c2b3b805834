"""Judges IAM requests by PMapper (https://github.com/nccgroup/PMapper). Reads JSON lines, and answers each with a line: allowed or denied."""

import collections
import collections.abc
import json
import sys

# PMapper 1.1.5 is older than Python 3.10, which has these in `collections.abc` alone.
collections.Mapping = collections.abc.Mapping
collections.MutableMapping = collections.abc.MutableMapping

from principalmapper.common import Node, Policy
from principalmapper.querying.query_interface import (
    local_check_authorization_full,
)

FULL_AWS_ACCESS = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
}


def policies_of(documents):
    return [Policy(f"arn:aws:iam::aws:policy/{index}", str(index), each) for index, each in enumerate(documents)]


def account_of(arn):
    return arn.split(":")[4] if arn.count(":") >= 4 else ""


def allows(request):
    principal = request["principal"]
    role = Node(
        arn=principal["roleArn"],
        id_value="AROAEXAMPLE",
        attached_policies=policies_of(principal["policies"]),
        group_memberships=[],
        trust_policy={},
        instance_profile=None,
        num_access_keys=0,
        active_password=False,
        is_admin=False,
        permissions_boundary=None,
        has_mfa=False,
        tags={},
    )
    context = dict(request.get("context", {}))
    if "organization" in principal:
        context["aws:PrincipalOrgID"] = principal["organization"]
    controls = principal.get("serviceControlPolicies")
    return local_check_authorization_full(
        role,
        request["action"],
        request["resource"],
        context,
        resource_policy=request.get("resourcePolicy"),
        resource_owner=account_of(request["resource"]) or account_of(principal["roleArn"]),
        service_control_policy_groups=controls and [policies_of([FULL_AWS_ACCESS, *controls])],
    )


for line in sys.stdin:
    print("allowed" if allows(json.loads(line)) else "denied")
