#!/bin/sh
# The job itself: `looker-token exec --scope sales -- nightly-report.sh` gives it $LOOKER_ACCESS_TOKEN and
# $LOOKERSDK_BASE_URL, and ends the lease afterwards. It knows nothing of the broker.
set -eu

# By stdin: what stands on a command line, every user of the machine can read.
printf 'header = "Authorization: Bearer %s"\n' "$LOOKER_ACCESS_TOKEN" |
  curl --silent --show-error --fail --config - "$LOOKERSDK_BASE_URL/api/4.0/user"
