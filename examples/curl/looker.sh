#!/bin/sh
# Asks Looker with nothing but curl (7.76 or newer) and sed: gets a token, uses it, ends it.
#
#   eval "$(aws configure export-credentials --format env)"    # AWS_ACCESS_KEY_ID and the rest, where they are not set
#   AWS_REGION=us-east-1 LOOKER_BROKER_ENDPOINT=https://….amazonaws.com/v1 ./looker.sh sales /api/4.0/user
#
# Keys and tokens go to curl by stdin (--config -): what stands on a command line, every user of the machine can read.
set -eu
scope=${1:?usage: looker.sh SCOPE PATH}
path=${2:?usage: looker.sh SCOPE PATH}
endpoint=${LOOKER_BROKER_ENDPOINT:?is the URL that the deployment printed}
endpoint=${endpoint%/}
: "${AWS_REGION:?is the region of the API}" "${AWS_ACCESS_KEY_ID:?is missing}" "${AWS_SECRET_ACCESS_KEY:?is missing}"

# Temporary credentials, which a role's are, have one more part.
session=''
if [ -n "${AWS_SESSION_TOKEN-}" ]; then session="header = \"x-amz-security-token: $AWS_SESSION_TOKEN\""; fi

# Within the quotes of curl's configuration.
quoted() { printf '%s' "$1" | sed 's/[\\"]/\\&/g'; }

# A signed POST to the broker: verb and JSON body. What is busy, throttled or away is tried again, as Retry-After says, for a
# minute; an answer that was followed by another try stands in front of the last one.
broker() {
  curl --silent --show-error --fail-with-body --connect-timeout 5 --max-time 30 \
    --retry 5 --retry-connrefused --retry-max-time 60 --config - <<EOF
url = "$endpoint/scopes/$scope/$1"
aws-sigv4 = "aws:amz:$AWS_REGION:execute-api"
user = "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY"
$session
header = "Content-Type: application/json"
data = "$(quoted "$2")"
EOF
}

answer=''
# Of the last answer.
field() { printf '%s' "$answer" | sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p"; }
# A problem's `code` says what is wrong. To a wrong signature API Gateway says all that was signed, the session token
# too: that begins with a new line.
refused() {
  printf '%s\n' "$1" "$answer" | sed 's/\\n.*//' >&2
  exit 1
}

# This lease alone: other processes of the same role may have another.
end_lease() {
  lease=$(field lease_id)
  if [ -z "$lease" ] || broker logout "{\"lease_id\": \"$lease\"}" >/dev/null; then return; fi
  echo "The lease $lease was not ended here. It ends by itself, within minutes." >&2
}
trap end_lease EXIT
# A signal alone does not run that in every shell (dash). It is seen when curl has ended: hence the time limits.
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

answer=$(broker token '{}') || refused "The broker gives no token:"
if [ -z "$(field access_token)" ]; then refused "What answers at $endpoint is no token broker:"; fi

# Brackets belong to Looker's filters, and are no patterns of curl's.
curl --silent --show-error --fail-with-body --globoff --connect-timeout 5 --max-time 300 --config - <<EOF
url = "$(quoted "$(field base_url)$path")"
header = "Authorization: Bearer $(field access_token)"
EOF
