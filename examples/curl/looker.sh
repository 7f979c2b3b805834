#!/bin/sh
# Asks Looker with nothing but curl (7.76 or newer) and sed: gets a token, uses it, ends it.
#
#   eval "$(aws configure export-credentials --format env)"    # AWS_ACCESS_KEY_ID and the rest, where they are not set
#   AWS_REGION=us-east-1 LOOKER_BROKER_ENDPOINT=https://….amazonaws.com/v1 ./looker.sh sales /api/4.0/user
#
# Keys and tokens go to curl by stdin (--config -): what stands on a command line, every user of the machine can read.
set -eu
scope=$1
path=$2

# Temporary credentials, which a role's are, have one more part.
session=''
if [ -n "${AWS_SESSION_TOKEN-}" ]; then session="header = \"x-amz-security-token: $AWS_SESSION_TOKEN\""; fi

# A signed POST to the broker: verb and JSON body. What is busy or throttled is tried again, as Retry-After says.
broker() {
  curl --silent --show-error --fail-with-body --retry 5 --config - <<EOF
url = "$LOOKER_BROKER_ENDPOINT/scopes/$scope/$1"
aws-sigv4 = "aws:amz:$AWS_REGION:execute-api"
user = "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY"
$session
header = "Content-Type: application/json"
data = "$(printf '%s' "$2" | sed 's/"/\\"/g')"
EOF
}
field() { printf '%s' "$answer" | sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p"; }

if ! answer=$(broker token '{}'); then
  # A problem: its `code` says what is wrong.
  printf '%s\n' "$answer" >&2
  exit 1
fi
# This lease alone: other processes of the same role may have another.
end_lease() { broker logout "{\"lease_id\": \"$(field lease_id)\"}" >/dev/null; }
trap end_lease EXIT

curl --silent --show-error --fail-with-body --config - <<EOF
url = "$(field base_url)$path"
header = "Authorization: Bearer $(field access_token)"
EOF
